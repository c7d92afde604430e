#include "ebt/data/answers/answer_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/printable.h"
#include "ebt/data/text/token_corpus.h"
#include "ebt/data/text/windows.h"
#include "ebt/io/byte_stream.h"
#include "ebt/io/checksum.h"

namespace ebt {
namespace {

// What a text holds, which is read once for it.
struct TextScan {
  std::string characters;  // in order
  uint64_t fingerprint = 0;
};
TextScan scan(const TokenSequence& tokens) {
  constexpr int64_t kBlockTokens = 1 << 16;
  std::array<bool, 256> has{};
  Checksum sum;
  std::vector<int32_t> block;
  for (int64_t first = 0; first < tokens.size(); first += kBlockTokens) {
    block.resize(static_cast<size_t>(std::min(kBlockTokens, tokens.size() - first)));
    tokens.copy_tokens(first, static_cast<int64_t>(block.size()), block.data());
    for (const int32_t token : block) {
      if (static_cast<size_t>(token) < has.size()) {
        has[static_cast<size_t>(token)] = true;
      }
    }
    sum.add(std::as_bytes(std::span(block)));
  }
  TextScan found;
  for (size_t byte = 0; byte < has.size(); ++byte) {
    found.characters += has[byte] ? std::string(1, static_cast<char>(byte)) : "";
  }
  found.fingerprint = sum.value();
  return found;
}

// Windows of bytes as rows of a format.
class TextRows {
 public:
  TextRows(const AnswerFormat& format, const GapConfig& gaps)
      : padding_(format.padding()), gaps_(gaps) {
    token_of_byte_.fill(padding_);
    for (size_t i = 0; i < format.characters.size(); ++i) {
      token_of_byte_[static_cast<unsigned char>(format.characters[i])] = static_cast<int32_t>(i);
    }
  }
  // Bytes without a target lie beyond the text. `gaps_of(row)` says what gaps are drawn from.
  template <class GapsOf>
  void fill(AnswerBatch& batch, const Batch& windows, GapsOf&& gaps_of) const {
    batch.resize(windows.rows, windows.context);
    for (size_t i = 0; i < batch.tokens.size(); ++i) {
      const auto byte = static_cast<size_t>(windows.inputs[i]);
      const bool is_text = windows.targets[i] != kIgnoredTarget && byte < token_of_byte_.size();
      batch.tokens[i] = is_text ? token_of_byte_[byte] : padding_;
      batch.known[i] = batch.tokens[i] == padding_ ? 0 : 1;
    }
    for (int64_t row = 0; row < batch.rows; ++row) {
      RandomDraws draws(gaps_of(row));
      draw_gaps(
          gaps_, draws,
          std::span(batch.known)
              .subspan(static_cast<size_t>(row * batch.length), static_cast<size_t>(batch.length)));
    }
    for (size_t i = 0; i < batch.tokens.size(); ++i) {
      batch.known[i] = batch.tokens[i] == padding_ ? 1 : batch.known[i];
    }
  }

 private:
  std::array<int32_t, 256> token_of_byte_{};
  int32_t padding_;
  GapConfig gaps_;
};

class TextSeries : public AnswerSeries {
 public:
  TextSeries(TrainingWindows windows, TextRows rows, uint64_t seed)
      : windows_(std::move(windows)), rows_(std::move(rows)), seed_(seed) {}

  void fill(AnswerBatch& batch, int64_t first_row, int64_t rows) override {
    windows_.fill(bytes_, first_row, rows);
    rows_.fill(batch, bytes_, [&](int64_t row) { return training_gaps(seed_, first_row + row); });
  }

 private:
  TrainingWindows windows_;
  TextRows rows_;
  uint64_t seed_;
  Batch bytes_;
};

class TextSet : public AnswerSet {
 public:
  TextSet(ValidationWindows windows, TextRows rows)
      : windows_(std::move(windows)), rows_(std::move(rows)) {}

  int64_t count() const override { return windows_.count(); }
  void fill(AnswerBatch& batch, int64_t first_row, int64_t rows) const override {
    Batch bytes;
    windows_.fill(bytes, first_row, rows);
    rows_.fill(batch, bytes, [&](int64_t row) { return validation_gaps(first_row + row); });
  }

 private:
  ValidationWindows windows_;
  TextRows rows_;
};

}  // namespace

AnswerData open_answer_text(const AnswerDataConfig& config, uint64_t seed) {
  const TokenCorpus corpus = TokenCorpus::open(config, *byte_tokenizer());
  const TextScan found = scan(corpus.tokens());
  AnswerData data;
  data.format.layout = AnswerLayout::kText;
  data.format.characters = found.characters;
  data.format.unknown = unknown_in_text(config, found.characters);
  data.format.length = config.row_length;
  data.format.padded = true;
  data.format.grid = config.grid;
  data.format.boxes = config.boxes;
  data.fingerprint = found.fingerprint;
  data.bad_lines = corpus.summary().bad_lines;
  CorpusSplit split = corpus.split(config.validation, config.row_length);
  TrainingWindows windows(std::move(split.training), config.row_length, seed);
  data.training_rows = windows.epoch_rows();
  const TextRows rows(data.format, config.gaps);
  data.training = std::make_unique<TextSeries>(std::move(windows), rows, seed);
  data.validation = std::make_unique<TextSet>(
      ValidationWindows(std::move(split.validation), config.row_length), rows);
  return data;
}

std::unique_ptr<AnswerSet> open_answer_text(const AnswerDataConfig& config,
                                            const AnswerFormat& format) {
  const TokenCorpus corpus = TokenCorpus::open(config, *byte_tokenizer());
  const TokenSequence tokens = corpus.tokens();
  const std::string characters = scan(tokens).characters;
  const size_t other = characters.find_first_not_of(format.characters);
  EBT_CHECK(other == std::string::npos,
            "{} has '{}', which is not a character of the vocabulary, {}", source_name(config.data),
            printable(characters.substr(std::min(other, characters.size()), 1)),
            printable(format.characters));
  return std::make_unique<TextSet>(ValidationWindows(tokens, format.length),
                                   TextRows(format, config.gaps));
}

}  // namespace ebt
