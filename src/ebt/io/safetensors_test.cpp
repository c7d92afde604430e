#include "ebt/io/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>

#include "ebt/io/json.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

std::string length_of(uint64_t bytes) {
  std::string text(sizeof(bytes), '\0');
  std::memcpy(text.data(), &bytes, sizeof(bytes));
  return text;
}

// A file with this header, before this much data.
std::string file_bytes(const std::string& header, size_t data_bytes) {
  return length_of(header.size()) + header + std::string(data_bytes, '\0');
}

template <class T>
std::string as_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class Safetensors : public ::testing::Test {
 protected:
  SafetensorsFile open(const std::string& bytes) const {
    return SafetensorsFile(folder_.write("f", bytes));
  }
  // The message about a file, which calls the file F.
  std::string refusal(const std::string& bytes) const {
    std::string text = error_text([&] { open(bytes); });
    const std::string path = folder_.file("f");
    const size_t found = text.find(path);
    return found == text.npos ? text : text.replace(found, path.size(), "F");
  }
  std::string refusal(const std::string& header, size_t data_bytes) const {
    return refusal(file_bytes(header, data_bytes));
  }
  // The message about a file whose only tensor, w, is described so.
  std::string tensor_refusal(const std::string& dtype, const std::string& shape,
                             const std::string& offsets, size_t data_bytes) const {
    return refusal(fmt::format(R"({{"w":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype,
                               shape, offsets),
                   data_bytes);
  }

  TemporaryFolder folder_;
};

// ---- Writing and reading.

TEST_F(Safetensors, ReturnsWhatWasWritten) {
  std::vector<double> doubles = {1.0 / 3.0, -2.5};
  std::vector<float> floats = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
  std::vector<int64_t> longs = {std::numeric_limits<int64_t>::min()};
  std::vector<int32_t> ints = {-7, 8};
  std::vector<uint8_t> small = {255, 0, 1};
  SafetensorsWriter writer;
  writer.add("small", Tensor<uint8_t>{small.data(), {3}});
  writer.add("floats", Tensor<float>{floats.data(), {1, 3, 1, 2}});
  writer.add("doubles", Tensor<const double>{doubles.data(), {2}});
  writer.add("scalar", Tensor<int64_t>{longs.data(), {}});
  writer.add("ints", Tensor<int32_t>{ints.data(), {2, 1}});
  writer.add("nothing", Tensor<float>{nullptr, {3, 0}});
  writer.set_metadata("config", R"({"width": 3})");
  writer.write(folder_.file("f"));

  const SafetensorsFile file(folder_.file("f"));
  EXPECT_EQ(file.metadata("config"), R"({"width": 3})");
  EXPECT_EQ(file.metadata().size(), 1U);
  EXPECT_EQ(file.tensors().size(), 6U);
  EXPECT_EQ(file.tensor("floats").shape, Shape({1, 3, 1, 2}));
  EXPECT_EQ(file.tensor("floats").dtype, Dtype::kF32);
  EXPECT_EQ(file.read<double>("doubles"), doubles);
  EXPECT_EQ(file.read<float>("floats"), floats);
  EXPECT_EQ(file.read<int64_t>("scalar"), longs);
  EXPECT_EQ(file.read<int32_t>("ints"), ints);
  EXPECT_EQ(file.read<uint8_t>("small"), small);
  EXPECT_TRUE(file.read<float>("nothing").empty());
  EXPECT_TRUE(file.contains("ints"));
  EXPECT_FALSE(file.contains("config"));
}

TEST_F(Safetensors, ReadsTensorsThatAreNotAligned) {
  const std::string header = R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("w":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})";
  const std::vector<double> values = {1.5, -2.25};
  const SafetensorsFile file = open(length_of(header.size()) + header + "\x07" + as_bytes(values));
  EXPECT_EQ(file.read<double>("w"), values);
  EXPECT_EQ(file.read<uint8_t>("b"), std::vector<uint8_t>{7});
}

TEST_F(Safetensors, ListsTensorsInTheOrderOfTheirBytes) {
  const SafetensorsFile file =
      open(file_bytes(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                      R"("b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                      2));
  EXPECT_EQ(file.tensors()[0].name, "b");
  EXPECT_EQ(file.tensors()[1].name, "a");
}

TEST_F(Safetensors, MayBeMoved) {
  SafetensorsFile first =
      open(file_bytes(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1));
  const SafetensorsFile second(std::move(first));
  EXPECT_EQ(second.read<uint8_t>("w"), std::vector<uint8_t>{0});
}

// ---- Conversion.

TEST_F(Safetensors, ConvertsBetweenFloatAndDouble) {
  const std::vector<double> doubles = {1.0 / 3.0, 1e300, -0.0};
  SafetensorsWriter writer;
  writer.add("d", Tensor<const double>{doubles.data(), {3}});
  writer.write(folder_.file("f"));
  const std::vector<float> floats = SafetensorsFile(folder_.file("f")).read<float>("d");
  EXPECT_EQ(floats[0], 1.0F / 3.0F);
  EXPECT_EQ(floats[1], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::signbit(floats[2]));
}

TEST_F(Safetensors, ConvertsEveryHalf) {
  std::vector<uint16_t> bits(65536);
  std::iota(bits.begin(), bits.end(), uint16_t{0});
  const std::string header = R"({"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}})";
  const SafetensorsFile file = open(length_of(header.size()) + header + as_bytes(bits));
  const std::vector<float> values = file.read<float>("h");
  for (size_t i = 0; i < values.size(); ++i) {
    const double sign = i < 0x8000 ? 1.0 : -1.0;
    const int exponent = static_cast<int>(i >> 10 & 31);
    const double fraction = static_cast<double>(i & 1023) / 1024.0;
    if (exponent == 31) {
      ASSERT_EQ(std::isinf(values[i]), fraction == 0.0) << i;
      ASSERT_EQ(std::isnan(values[i]), fraction != 0.0) << i;
      ASSERT_EQ(std::signbit(values[i]), sign < 0) << i;
    } else {
      const double expected = exponent == 0 ? fraction * std::pow(2.0, -14)
                                            : (1.0 + fraction) * std::pow(2.0, exponent - 15);
      ASSERT_EQ(values[i], sign * expected) << i;
    }
  }
  EXPECT_EQ(values[0x3c00], 1.0F);
  EXPECT_EQ(values[0x7bff], 65504.0F);
  EXPECT_EQ(values[0x0001], 5.9604644775390625e-8F);
  EXPECT_EQ(values[0xc000], -2.0F);
  EXPECT_TRUE(std::signbit(values[0x8000]));
}

TEST_F(Safetensors, ConvertsBrainFloats) {
  const std::vector<uint16_t> bits = {0x3f80, 0xc049, 0x7f80, 0x0001, 0x7fc0};
  const std::string header = R"({"h":{"dtype":"BF16","shape":[5],"data_offsets":[0,10]}})";
  const SafetensorsFile file = open(length_of(header.size()) + header + as_bytes(bits));
  const std::vector<double> values = file.read<double>("h");
  EXPECT_EQ(values[0], 1.0);
  EXPECT_EQ(values[1], -3.140625);
  EXPECT_EQ(values[2], std::numeric_limits<double>::infinity());
  EXPECT_EQ(values[3], std::ldexp(1.0, -133));
  EXPECT_TRUE(std::isnan(values[4]));
}

TEST_F(Safetensors, ConvertsIntegersThatFit) {
  const std::vector<int64_t> longs = {-1, 1LL << 31};
  SafetensorsWriter writer;
  writer.add("fits", Tensor<const int64_t>{longs.data(), {1}});
  writer.add("large", Tensor<const int64_t>{longs.data() + 1, {1}});
  writer.write(folder_.file("f"));
  const SafetensorsFile file(folder_.file("f"));
  EXPECT_EQ(file.read<int32_t>("fits"), std::vector<int32_t>{-1});
  const std::string of_file = fmt::format(" of '{}'", folder_.file("f"));
  EXPECT_EQ(error_text([&] { file.read<int32_t>("large"); }),
            "tensor \"large\"" + of_file + " holds 2147483648, which does not fit 32 bits");
  EXPECT_EQ(error_text([&] { file.read<uint8_t>("fits"); }),
            "tensor \"fits\"" + of_file + " holds -1, which does not fit 8 bits");
}

TEST_F(Safetensors, RefusesToReadWhatIsNotThereOrOfAnotherKind) {
  const SafetensorsFile file =
      open(file_bytes(R"({"i":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},)"
                      R"("x":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]}})",
                      16));
  const std::string name = fmt::format("'{}'", folder_.file("f"));
  std::vector<float> floats(2);
  EXPECT_EQ(error_text([&] { file.read<float>("y"); }), name + " has no tensor \"y\"");
  EXPECT_EQ(error_text([&] { file.metadata("config"); }), name + " has no metadata \"config\"");
  EXPECT_EQ(error_text([&] { file.read<float>("i"); }),
            "tensor \"i\" of " + name + " is I32, but floating-point numbers are needed");
  EXPECT_EQ(error_text([&] { file.read<int64_t>("x"); }),
            "tensor \"x\" of " + name + " is F32, but integers are needed");
  EXPECT_EQ(error_text([&] {
              file.read("x", Tensor<float>{floats.data(), {2}});
            }),
            "tensor \"x\" of " + name + " is (2,1), but (2) is needed");
}

// ---- Refusals.

TEST_F(Safetensors, SaysWhatAFileIsInstead) {
  EXPECT_EQ(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:4665a5\nsize 134\n"),
            "'F' is a Git LFS pointer, not a safetensors file: fetch the file itself with 'git lfs "
            "pull'");
  const std::string zip = std::string("PK\x03\x04\0\0\x08\x08", 8) + std::string(22, '\0');
  EXPECT_EQ(refusal(zip + "archive/data.pkl"),
            "'F' is a PyTorch checkpoint, not a safetensors file: save its tensors by "
            "safetensors.torch.save_file");
  EXPECT_EQ(refusal(zip + "other"), "'F' is a zip archive, not a safetensors file");
  EXPECT_EQ(refusal("<!DOCTYPE html><html>Not found</html>"),
            "'F' is an HTML page, not a safetensors file");
}

TEST_F(Safetensors, RefusesAFileWithoutRoomForAHeader) {
  EXPECT_EQ(refusal(""),
            "'F' is not a safetensors file: it has 0 bytes, and its header's length alone takes 8");
  EXPECT_EQ(refusal("1234567"),
            "'F' is not a safetensors file: it has 7 bytes, and its header's length alone takes 8");
}

TEST_F(Safetensors, RefusesATruncatedHeader) {
  EXPECT_EQ(refusal(length_of(3) + "{}"),
            "'F' is truncated: its header has 3 bytes, and only 2 follow");
}

TEST_F(Safetensors, RefusesAHugeHeader) {
  EXPECT_EQ(refusal(length_of(100'000'001) + "{}"),
            "'F' is not a safetensors file: its header would have 100000001 bytes, above the limit "
            "of 100000000");
  EXPECT_EQ(
      refusal(length_of(~uint64_t{0}) + "{}"),
      "'F' is not a safetensors file: its header would have 18446744073709551615 bytes, above "
      "the limit of 100000000");
}

TEST_F(Safetensors, RefusesAHeaderThatIsNotAJsonObject) {
  EXPECT_EQ(refusal(" {}", 0), "the header of 'F' does not begin with '{'");
  EXPECT_EQ(refusal("", 0), "the header of 'F' does not begin with '{'");
  EXPECT_EQ(
      refusal("{]", 0),
      "the header of 'F' is not valid JSON: column 2: syntax error while parsing object key - "
      "unexpected ']'; expected string literal");
}

TEST_F(Safetensors, RefusesARepeatedTensor) {
  EXPECT_EQ(refusal(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                    1),
            "the header of 'F' repeats the JSON key \"w\"");
}

TEST_F(Safetensors, RefusesMetadataThatIsNotText) {
  EXPECT_EQ(refusal(R"({"__metadata__":[]})", 0),
            "the header of 'F' has __metadata__ that is not an object");
  EXPECT_EQ(refusal(R"({"__metadata__":{"a":"1","steps":5}})", 0),
            "the header of 'F' has metadata \"steps\" that is not a string");
}

TEST_F(Safetensors, RefusesAnIncompleteTensor) {
  EXPECT_EQ(refusal(R"({"w":1})", 0), "tensor \"w\" of 'F' is not described by a JSON object");
  EXPECT_EQ(refusal(R"({"w":{"shape":[],"data_offsets":[0,0]}})", 0),
            "tensor \"w\" of 'F' has no dtype");
  EXPECT_EQ(refusal(R"({"w":{"dtype":"F32","data_offsets":[0,0]}})", 0),
            "tensor \"w\" of 'F' has no shape");
  EXPECT_EQ(refusal(R"({"w":{"dtype":"F32","shape":[]}})", 0),
            "tensor \"w\" of 'F' has no data_offsets");
}

TEST_F(Safetensors, RefusesAnUnknownDtype) {
  EXPECT_EQ(
      tensor_refusal("\"F8\"", "[]", "[0,1]", 1),
      "tensor \"w\" of 'F' has dtype \"F8\", which is none of F64, F32, F16, BF16, I64, I32, U8");
  EXPECT_EQ(tensor_refusal("32", "[]", "[0,1]", 1),
            "tensor \"w\" of 'F' has a dtype that is not a string");
}

TEST_F(Safetensors, RefusesAnImpossibleShape) {
  const std::string not_integer =
      "tensor \"w\" of 'F' has a shape with an entry that is not a non-negative integer";
  const std::string overflows = "tensor \"w\" of 'F' has a shape whose size overflows";
  EXPECT_EQ(tensor_refusal("\"F32\"", "1", "[0,4]", 4),
            "tensor \"w\" of 'F' has a shape that is not a list");
  EXPECT_EQ(tensor_refusal("\"F32\"", "[1,1,1,1,1]", "[0,4]", 4),
            "tensor \"w\" of 'F' has 5 dimensions, and at most 4 are supported");
  for (const char* shape : {"[-1]", "[1.0]", "[\"1\"]", "[1e3]", "[99999999999999999999]"}) {
    EXPECT_EQ(tensor_refusal("\"F32\"", shape, "[0,4]", 4), not_integer) << shape;
  }
  for (const char* shape : {"[18446744073709551615]", "[4611686018427387904]",
                            "[4294967296,4294967296]", "[4611686018427387904,4,0]"}) {
    EXPECT_EQ(tensor_refusal("\"F32\"", shape, "[0,4]", 4), overflows) << shape;
  }
}

TEST_F(Safetensors, RefusesImpossibleOffsets) {
  const std::string not_offsets =
      "tensor \"w\" of 'F' has data_offsets that are not two non-negative integers";
  for (const char* offsets :
       {"[-4,0]", "[0]", "[0,4,8]", "4", "[0,4.0]", "[0,99999999999999999999]"}) {
    EXPECT_EQ(tensor_refusal("\"F32\"", "[1]", offsets, 4), not_offsets) << offsets;
  }
  EXPECT_EQ(tensor_refusal("\"F32\"", "[1]", "[4,0]", 4),
            "tensor \"w\" of 'F' ends at byte 0, before it begins at byte 4");
}

TEST_F(Safetensors, RefusesDataThatIsNotInTheFile) {
  EXPECT_EQ(tensor_refusal("\"F32\"", "[2]", "[0,8]", 7),
            "tensor \"w\" of 'F' ends at byte 8, but the file has only 7 bytes of data");
  EXPECT_EQ(
      tensor_refusal("\"F32\"", "[2]", "[18446744073709551607,18446744073709551615]", 7),
      "tensor \"w\" of 'F' ends at byte 18446744073709551615, but the file has only 7 bytes of "
      "data");
}

TEST_F(Safetensors, RefusesASizeThatIsNotThatOfTheShape) {
  EXPECT_EQ(tensor_refusal("\"F32\"", "[2,3]", "[0,20]", 20),
            "tensor \"w\" of 'F' has 20 bytes, but (2,3) F32 needs 24");
  EXPECT_EQ(tensor_refusal("\"F32\"", "[2,2]", "[0,20]", 20),
            "tensor \"w\" of 'F' has 20 bytes, but (2,2) F32 needs 16");
  EXPECT_EQ(tensor_refusal("\"F32\"", "[1000000000]", "[0,20]", 20),
            "tensor \"w\" of 'F' has 20 bytes, but (1000000000) F32 needs 4000000000");
}

TEST_F(Safetensors, RefusesOverlappingOffsets) {
  EXPECT_EQ(refusal(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                    4),
            "tensor \"b\" of 'F' overlaps tensor \"a\"");
}

TEST_F(Safetensors, RefusesBytesThatBelongToNoTensor) {
  EXPECT_EQ(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
                    4),
            "'F' has bytes 1 to 3 of its data in no tensor");
  EXPECT_EQ(tensor_refusal("\"U8\"", "[1]", "[0,1]", 3), "'F' has 2 bytes after its last tensor");
}

TEST_F(Safetensors, ShowsHostileNamesEscapedAndCut) {
  const std::string name(5000, 'x');
  EXPECT_EQ(
      refusal(fmt::format("{{\"{}\":1}}", name), 0),
      fmt::format("tensor \"{}\" of 'F' is not described by a JSON object", name.substr(0, 100)));
  EXPECT_EQ(refusal(R"({"a\nb":1})", 0),
            "tensor \"a\\nb\" of 'F' is not described by a JSON object");
}

// ---- Files written by others.

TEST_F(Safetensors, ReadsEveryGoldenFile) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EBT_SOURCE_DIR "/tests/golden")) {
    if (entry.path().extension() != ".safetensors") {
      continue;
    }
    ++files;
    const SafetensorsFile file(entry.path());
    EXPECT_TRUE(parse_json(file.metadata("config"), "config").contains("kind"));
    for (const StoredTensor& tensor : file.tensors()) {
      if (tensor.dtype == Dtype::kI64) {
        file.read<int32_t>(tensor.name);
      } else {
        for (const double value : file.read<double>(tensor.name)) {
          ASSERT_TRUE(std::isfinite(value)) << tensor.name << " of " << entry.path();
        }
      }
    }
  }
  EXPECT_GT(files, 0);
}

TEST_F(Safetensors, ReadsNamesAndShapesOfAGoldenFile) {
  const SafetensorsFile file(EBT_SOURCE_DIR "/tests/golden/s1_default.safetensors");
  EXPECT_EQ(file.tensors().size(), 58U);
  EXPECT_EQ(file.tensor("param.embeddings.weight").shape, Shape({61, 32}));
  EXPECT_EQ(file.tensor("param.alpha").shape, Shape());
}

}  // namespace
}  // namespace ebt
