#include <gtest/gtest.h>

#include "ebt/io/safetensors.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(SafetensorsWriter, WritesTheSameBytesEveryTime) {
  const testing::TemporaryFolder folder;
  const float one = 1.0F;
  for (const char* name : {"a", "b"}) {
    SafetensorsWriter writer;
    writer.set_metadata("z", "1");
    writer.set_metadata("a", "2");
    writer.add("y", Tensor<const float>{&one, {1}});
    writer.add("x", Tensor<const float>{&one, {}});
    writer.write(folder.file(name));
  }
  const std::string header =
      R"({"__metadata__":{"a":"2","z":"1"},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
      R"("x":{"dtype":"F32","shape":[],"data_offsets":[4,8]}})";
  const std::string written = read_text_file(folder.file("a"), 10000);
  EXPECT_EQ(written.substr(8, header.size()), header);
  EXPECT_EQ(written, read_text_file(folder.file("b"), 10000));
}

TEST(SafetensorsWriter, AlignsEveryTensor) {
  const testing::TemporaryFolder folder;
  const std::vector<uint8_t> bytes = {1, 2, 3};
  const std::vector<double> doubles = {4.0};
  for (size_t name_length = 1; name_length < 9; ++name_length) {
    SafetensorsWriter writer;
    writer.add(std::string(name_length, 'b'), Tensor<const uint8_t>{bytes.data(), {3}});
    writer.add("d", Tensor<const double>{doubles.data(), {1}});
    writer.write(folder.file("f"));
    const SafetensorsFile file(folder.file("f"));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.tensor("d").bytes.data()) % alignof(double), 0U);
    EXPECT_EQ(file.read<double>("d"), doubles);
  }
}

TEST(SafetensorsWriter, AsksForValuesWhenItIsTheirTurn) {
  const testing::TemporaryFolder folder;
  std::vector<float> place;  // one after the other in the same memory
  const auto values = [&](float value) {
    return [&place, value] {
      place.assign(2, value);
      return static_cast<const float*>(place.data());
    };
  };
  const float kept = 4.0F;
  SafetensorsWriter writer;
  writer.add<float>("a", {2}, values(1.0F));
  writer.add("b", Tensor<const float>{&kept, {1}});
  writer.add<float>("c", {1, 2}, values(3.0F));
  EXPECT_TRUE(place.empty());
  writer.write(folder.file("f"));
  const SafetensorsFile file(folder.file("f"));
  EXPECT_EQ(file.read<float>("a"), (std::vector<float>{1.0F, 1.0F}));
  EXPECT_EQ(file.read<float>("b"), (std::vector<float>{4.0F}));
  EXPECT_EQ(file.read<float>("c"), (std::vector<float>{3.0F, 3.0F}));
}

TEST(SafetensorsWriter, WritesAFileWithoutTensors) {
  const testing::TemporaryFolder folder;
  SafetensorsWriter().write(folder.file("f"));
  EXPECT_TRUE(SafetensorsFile(folder.file("f")).tensors().empty());
}

TEST(SafetensorsWriter, StoresMetadataThatIsNotUtf8WithReplacements) {
  const testing::TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.set_metadata("path", "a\xff");
  writer.write(folder.file("f"));
  EXPECT_EQ(SafetensorsFile(folder.file("f")).metadata("path"), "a\xef\xbf\xbd");
}

TEST(SafetensorsWriter, RefusesANameTwice) {
  const float one = 1.0F;
  SafetensorsWriter writer;
  writer.add("w", Tensor<const float>{&one, {}});
  EXPECT_EQ(error_text([&] {
              writer.add("w", Tensor<const float>{&one, {}});
            }),
            "safetensors: the name \"w\" is taken");
  EXPECT_EQ(error_text([&] {
              writer.add("__metadata__", Tensor<const float>{&one, {}});
            }),
            "safetensors: the name \"__metadata__\" is taken");
}

}  // namespace
}  // namespace ebt
