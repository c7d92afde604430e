// Thousands of damaged files. Whatever is in one, a reader either refuses it with an Error or
// returns something consistent; run under the sanitizers, it also stays within its memory.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "ebt/core/error.h"
#include "ebt/data/corpus.h"
#include "ebt/data/tokenizer.h"
#include "ebt/io/json.h"
#include "ebt/io/safetensors.h"
#include "tests/fuzz/mutator.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::Mutator;
using testing::TemporaryFolder;

constexpr uint64_t kMutations = 5000;

// Reads `kMutations` inputs and expects some to be accepted and some refused: else the mutations
// would be too mild, or too wild, to test anything.
template <class Read>
void expect_refused_or_consistent(Read&& read) {
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < kMutations && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mutation {}", seed));
    try {
      read(Mutator(seed));
      ++accepted;
    } catch (const Error& error) {
      EXPECT_LT(std::strlen(error.what()), 1000U);
      EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "escaped: " << error.what();
    }
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

std::string valid_safetensors(const TemporaryFolder& folder) {
  const std::vector<float> floats(24, 1.0F);
  const std::vector<int64_t> longs(3, 7);
  const std::vector<uint8_t> bytes(5, 9);
  SafetensorsWriter writer;
  writer.set_metadata("config", R"({"width": 32})");
  writer.add("embeddings.weight", Tensor<const float>{floats.data(), {2, 3, 4}});
  writer.add("step", Tensor<const int64_t>{longs.data(), {3}});
  writer.add("alpha", Tensor<const float>{floats.data(), {}});
  writer.add("none", Tensor<const float>{nullptr, {0, 4}});
  writer.add("state", Tensor<const uint8_t>{bytes.data(), {5}});
  writer.write(folder.file("valid"));
  return read_text_file(folder.file("valid"), 10'000);
}

// Damages the header, mostly keeping its stated length true so that the damage is reached, or the
// whole file.
void mutate_safetensors(std::string& file, Mutator& mutator) {
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), sizeof(header_bytes));
  if (mutator.below(4) == 0) {
    mutator.mutate(file, 0, file.size());
    return;
  }
  const size_t old_size = file.size();
  mutator.mutate(file, sizeof(header_bytes), sizeof(header_bytes) + header_bytes);
  if (mutator.below(8) != 0) {
    header_bytes += file.size() - old_size;
    std::memcpy(file.data(), &header_bytes, sizeof(header_bytes));
  }
}

void expect_consistent(const SafetensorsFile& file) {
  const size_t file_bytes = std::filesystem::file_size(file.path());
  size_t data_bytes = 0;
  const std::byte* end = nullptr;
  for (const StoredTensor& tensor : file.tensors()) {
    EXPECT_EQ(tensor.bytes.size(),
              static_cast<size_t>(tensor.shape.count()) * item_bytes(tensor.dtype));
    EXPECT_TRUE(end == nullptr || tensor.bytes.data() == end);
    end = tensor.bytes.data() + tensor.bytes.size();
    data_bytes += tensor.bytes.size();
    EXPECT_EQ(&file.tensor(tensor.name), &tensor);
    if (dtype_name(tensor.dtype).find('F') != std::string_view::npos) {
      file.read<double>(tensor.name);
    } else {
      file.read<int64_t>(tensor.name);
    }
  }
  EXPECT_LE(data_bytes + sizeof(uint64_t), file_bytes);
}

TEST(FuzzSafetensors, IsRefusedOrConsistent) {
  const TemporaryFolder folder;
  const std::string valid = valid_safetensors(folder);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string bytes = valid;
    mutate_safetensors(bytes, mutator);
    expect_consistent(SafetensorsFile(folder.write("mutated", bytes)));
  });
}

TEST(FuzzSafetensors, OfAnyLengthIsRefusedWhenTruncated) {
  const TemporaryFolder folder;
  const std::string valid = valid_safetensors(folder);
  for (size_t length = 0; length < valid.size(); ++length) {
    const std::string path = folder.write("truncated", valid.substr(0, length));
    EXPECT_THROW(SafetensorsFile{path}, Error) << length;
  }
}

TEST(FuzzJson, IsRefusedOrConsistent) {
  const std::string valid =
      R"({"model": {"arch": "ebt", "width": 128, "norm-eps": 1e-05, "tied": false},
 "text": "a\"\\\n\u00e9 é", "list": [1, -2, 3.5, null, true, [], {}]})";
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    const nlohmann::json value = parse_json(text, "the mutation");
    EXPECT_EQ(parse_json(value.dump(), "its copy"), value);
  });
}

TEST(FuzzJsonLines, AreRefusedOrConsistent) {
  const TemporaryFolder folder;
  const std::string valid =
      "{\"text\": \"first \\u00e9\\n\", \"id\": 1}\n\n{\"id\": [2, {}], \"text\": \"second é\"}\n"
      "{\"text\": \"\"}\r\n{\"text\": \"last\"}";
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    const Corpus corpus = Corpus::open(folder.write("mutated.jsonl", text), "text");
    std::string joined;
    for (const std::string_view document : corpus.documents()) {
      EXPECT_FALSE(document.empty());
      joined += document;
    }
    EXPECT_LE(joined.size(), text.size());
    const TokenSequence tokens = corpus.tokens();
    std::vector<int32_t> all(static_cast<size_t>(tokens.size()));
    tokens.copy_tokens(0, tokens.size(), all.data());
    EXPECT_EQ(byte_tokenizer()->decode(all), joined);
  });
}

}  // namespace
}  // namespace ebt
