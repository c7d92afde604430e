// Thousands of damaged files. Whatever is in one, a reader either refuses it with an Error or
// returns something consistent; run under the sanitizers, it also stays within its memory.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "ebt/core/error.h"
#include "ebt/data/text/corpus.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/data/text/token_corpus.h"
#include "ebt/data/tokenizer/sentence_piece.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/eval/calibration.h"
#include "ebt/eval/task_run.h"
#include "ebt/eval/tasks.h"
#include "ebt/io/checksum.h"
#include "ebt/io/json.h"
#include "ebt/io/safetensors.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/refusals.h"
#include "tests/support/compressor.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::expect_refused_or_consistent;
using testing::Mutator;
using testing::TemporaryFolder;

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
    const std::string path = folder.write("mutated.jsonl", text);
    const Corpus corpus = Corpus::open({path});
    std::string joined;
    for (const std::string_view document : corpus.documents()) {
      EXPECT_FALSE(document.empty());
      joined += document;
    }
    EXPECT_LE(joined.size(), text.size());
    const TokenSequence tokens = TokenCorpus::open({path}, *byte_tokenizer()).tokens();
    std::vector<int32_t> all(static_cast<size_t>(tokens.size()));
    tokens.copy_tokens(0, tokens.size(), all.data());
    EXPECT_EQ(byte_tokenizer()->decode(all), joined);
  });
}

// Opens a mutated file under a name; whatever is in it, its documents are not empty.
void expect_readable(const std::string& path, bool skip) {
  TextSource source{path};
  source.skip_bad_lines = skip;
  ::testing::internal::CaptureStderr();
  try {
    const Corpus corpus = Corpus::open(source);
    for (const std::string_view document : corpus.documents()) {
      EXPECT_FALSE(document.empty());
    }
  } catch (...) {
    ::testing::internal::GetCapturedStderr();
    throw;
  }
  ::testing::internal::GetCapturedStderr();
}

TEST(FuzzTables, AreRefusedOrReadable) {
  const TemporaryFolder folder;
  const std::string valid =
      "id,text,\"more\"\r\n1,\"one, \"\"two\"\"\nthree\",x\r\n2,four,\n\n3,\"five\",\"\"\n";
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    expect_readable(folder.write("mutated.csv", text), mutator.below(2) == 0);
  });
}

TEST(FuzzJsonArrays, AreRefusedOrReadable) {
  const TemporaryFolder folder;
  const std::string valid =
      "[{\"text\": \"first \\u00e9 ]},\\\"\", \"id\": [1, {}]},\n {\"text\": \"second\"} , "
      "{\"text\": "
      "\"\"}]\n";
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 1, text.size());
    expect_readable(folder.write("mutated.jsonl", text), mutator.below(2) == 0);
  });
}

TEST(FuzzCompression, IsRefusedOrReadable) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "{\"text\": \"" + std::to_string(i * i) + "\"}\n";
  }
  const auto damage = [&](const std::string& valid) {
    expect_refused_or_consistent([&](Mutator mutator) {
      std::string bytes = valid;
      // Little of a file like these may change without a trace.
      if (mutator.below(8) != 0) {
        mutator.mutate_bytes(bytes, mutator.below(bytes.size()), bytes.size());
      }
      expect_readable(folder.write("mutated.jsonl.gz", bytes), mutator.below(2) == 0);
    });
  };
  damage(testing::gzip(text.substr(0, 1000)) + testing::gzip(text.substr(1000)));
  if (testing::reads_zstd()) {
    damage(testing::zstd(text.substr(0, 1000)) + testing::zstd(text.substr(1000)));
  }
}

TEST(FuzzCalibration, IsRefusedOrMonotone) {
  std::vector<TokenOutcome> outcomes(400);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i] = {static_cast<double>(i) / 40, 0.5, i * i % 400 > i};
  }
  const std::string valid = Calibration::fit(outcomes, outcomes, {}).to_json().dump(1);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    const Calibration calibration =
        Calibration::from_json(parse_json(text, "the mutation"), "the mutation");
    EXPECT_LE(static_cast<int64_t>(calibration.knots().size()), kMaxCalibrationKnots);
    const double sign = calibration.low_energy_is_right() ? -1 : 1;
    double last = calibration.certainty(-1e300);
    for (const double energy : {-1e18, -1.0, 0.0, 1.0, 2.5, 5.0, 7.5, 11.0, 1e18, 1e300}) {
      const double certainty = calibration.certainty(energy);
      EXPECT_GE(certainty, 0);
      EXPECT_LE(certainty, 1);
      EXPECT_GE(sign * (certainty - last), 0);
      last = certainty;
    }
  });
}

// A task that was opened can be asked about every example.
void expect_askable(const Task& task) {
  ASSERT_GT(task.examples(), 0);
  for (int64_t example = 0; example < task.examples(); ++example) {
    for (const Query& query : task.queries(example)) {
      const auto tokens = static_cast<int64_t>(query.request.prompt.size());
      EXPECT_GT(tokens, 0);
      EXPECT_TRUE(query.request.score_from == -1 ||
                  (query.request.score_from >= 1 && query.request.score_from < tokens));
    }
  }
}

TEST(FuzzTaskFiles, AreRefusedOrAskable) {
  const TemporaryFolder folder;
  const std::string lambada =
      "{\"text\": \"once upon a time\"}\n{\"text\": \"the \\u00e9 cat\", \"id\": 3}\n";
  const std::string gsm8k =
      "{\"question\": \"1 + 1?\", \"answer\": \"two\\n#### 2\"}\n"
      "{\"question\": \"10 * 100?\", \"answer\": \"#### 1,000.50\"}\n";
  const std::string bigbench =
      R"({"name": "x", "examples": [{"input": "a", "target": "b"}, {"input": "c", "target": ["d", "e"]},
 {"input": "f", "target_scores": {"g": 1, "h": 0, "i": 0.5}}]})";
  const auto damage = [&](const std::string& valid, auto open) {
    expect_refused_or_consistent([&](Mutator mutator) {
      std::string text = valid;
      mutator.mutate(text, 0, text.size());
      expect_askable(*open(byte_tokenizer(), folder.write("mutated", text), TaskOptions{}));
    });
  };
  damage(lambada, lambada_task);
  damage(gsm8k, gsm8k_task);
  damage(bigbench, bigbench_task);
}

TEST(FuzzJournal, IsRefusedOrConsistent) {
  const TemporaryFolder folder;
  const Json subject = {{"task", "abc"}, {"steps", 2}};
  ExampleResult result;
  result.tokens = 2;
  result.right = false;
  result.energies = {1, 2};
  result.losses = {3, 4};
  const std::string line = result.to_json().dump() + '\n';
  const std::string valid = subject.dump() + '\n' + line + line;
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    const TaskJournal journal(folder.write("mutated", text), subject);
    TaskTotals totals;
    for (const ExampleResult& one : journal.results()) {
      totals.add(one);
    }
    EXPECT_EQ(static_cast<int64_t>(totals.sums.losses.size()), totals.sums.tokens);
  });
}

// ---- Tokenizers and prepared data.

// Whatever a tokenizer's file says, it encodes any bytes to tokens that it can decode.
void expect_usable(const Tokenizer& tokenizer, Mutator& mutator) {
  std::string text = "<|endoftext|> Hello  hello,\n\n's 12 \u00e9 e\u0301 \u2581 日本 \xff\xc3 he";
  mutator.mutate(text, 0, text.size());
  EXPECT_GE(tokenizer.document_separator(), 0);
  EXPECT_LT(tokenizer.document_separator(), tokenizer.vocabulary_size());
  const std::vector<int32_t> tokens = tokenizer.encode(text);
  for (const int32_t token : tokens) {
    EXPECT_GE(token, 0);
    EXPECT_LT(token, tokenizer.vocabulary_size());
  }
  tokenizer.decode(tokens);
  EXPECT_EQ(vocabulary_of(tokenizer)->size(), tokenizer.vocabulary_size());
}

// A tokenizer.json that uses much of what is supported.
std::string valid_tokenizer() {
  nlohmann::json file = testing::small_tokenizer();
  file["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers",
       {{{"type", "NFC"}},
        {{"type", "Replace"}, {"pattern", {{"Regex", "(?<=l)o|[\\w&&\\D]x"}}}, {"content", "h"}}}}};
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"},
         {"pattern", {{"Regex", "\\p{N}{1,3}|(?i:'s)|\\s+(?!\\S)"}}},
         {"behavior", "Isolated"},
         {"invert", false}},
        {{"type", "Digits"}, {"individual_digits", true}},
        {{"type", "Punctuation"}, {"behavior", "MergedWithNext"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}}}};
  file["added_tokens"].push_back(
      {{"id", 263}, {"content", "hel"}, {"lstrip", true}, {"rstrip", true}, {"single_word", true}});
  return file.dump();
}

TEST(FuzzTokenizerJson, IsRefusedOrUsable) {
  const std::string valid = valid_tokenizer();
  // Most of the file is the vocabulary of the bytes: spread the damage over the rest.
  const size_t vocabulary = valid.find("\"vocab\"");
  ASSERT_NE(vocabulary, std::string::npos);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    if (mutator.below(4) == 0) {
      mutator.mutate(text, 0, text.size());
    } else {
      const size_t begin = mutator.below(vocabulary);
      mutator.mutate(text, begin, std::min(begin + 1 + mutator.below(60), vocabulary));
    }
    const TemporaryFolder folder;
    expect_usable(*open_tokenizer(folder.write("tokenizer.json", text)), mutator);
  });
}

// As open_tokenizer does, but in memory; the library logs nothing and must not crash.
TEST(FuzzSentencePiece, IsRefusedOrUsable) {
  if (!has_sentence_piece()) {
    GTEST_SKIP() << "built without SentencePiece";
  }
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += fmt::format("hello number {} of the world\n", i * i % 89);
  }
  const std::string valid = train_sentence_piece({text}, 290, SentencePieceType::kBpe);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string file = valid;
    mutator.mutate(file, 0, file.size());
    expect_usable(*make_sentence_piece_tokenizer(file, "'mutated'"), mutator);
  });
}

// Damages a shard and makes its checksum right again, so that the damage is reached.
void mutate_shard(std::string& shard, Mutator& mutator) {
  constexpr size_t kChecksumAt = 40;
  constexpr size_t kHeader_bytes = 48;
  mutator.mutate(shard, mutator.below(4) == 0 ? 0 : 8, shard.size());
  if (shard.size() < kHeader_bytes || mutator.below(8) == 0) {
    return;
  }
  uint64_t ends = 0;
  std::memcpy(&ends, shard.data() + 24, sizeof ends);
  const std::string_view body = std::string_view(shard).substr(kHeader_bytes);
  const size_t end_bytes = ends <= body.size() / 8 ? static_cast<size_t>(ends) * 8 : 0;
  Checksum sum;
  sum.add(std::string_view(shard).substr(0, kChecksumAt));
  sum.add(body.substr(0, end_bytes));
  sum.add(body.substr(end_bytes));
  const uint64_t value = sum.value();
  std::memcpy(shard.data() + kChecksumAt, &value, sizeof value);
}

TEST(FuzzPreparedData, IsRefusedOrConsistent) {
  const TemporaryFolder folder;
  const std::string text = folder.write(
      "text.jsonl", "{\"text\": \"hello\"}\n{\"text\": \"he\"}\n{\"text\": \"hell\"}\n");
  const std::string tokenizer_file =
      folder.write("tokenizer.json", testing::small_tokenizer().dump());
  const std::string out = folder.file("out");
  prepare_data({text}, tokenizer_file, out);
  const auto tokenizer = open_tokenizer(out);
  const std::string valid_shard = read_text_file(folder.file("out/shard-00000.tokens"), 10'000);
  const std::string valid_summary = read_text_file(folder.file("out/prepared.json"), 10'000);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string shard = valid_shard;
    std::string summary = valid_summary;
    if (mutator.below(3) == 0) {
      mutator.mutate(summary, 0, summary.size());
    } else {
      mutate_shard(shard, mutator);
    }
    folder.write("out/shard-00000.tokens", shard);
    folder.write("out/prepared.json", summary);
    const TokenSequence tokens = TokenCorpus::open({out}, *tokenizer).tokens();
    std::vector<int32_t> all(static_cast<size_t>(tokens.size()));
    tokens.copy_tokens(0, tokens.size(), all.data());
    tokenizer->decode(all);
    EXPECT_LE(all.size() * 2, shard.size());
  });
}

}  // namespace
}  // namespace ebt
