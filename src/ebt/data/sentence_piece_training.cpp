#include <sentencepiece_trainer.h>

#include <unordered_map>

#include "ebt/core/error.h"
#include "ebt/data/sentence_piece.h"
#include "ebt/data/unicode.h"

namespace ebt {
namespace {

constexpr size_t kMostText_bytes = 256 * 1024 * 1024;
constexpr size_t kMaxSentence_bytes = 4096;  // the trainer skips longer ones

// The lines of the documents, without their ends and what is no UTF-8, and long ones cut.
class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string_view>& documents) : documents_(documents) {
    size_t bytes = 0;
    for (const std::string_view document : documents) {
      bytes += document.size();
    }
    stride_ = 1 + bytes / kMostText_bytes;
    advance();
  }

  bool done() const override { return done_; }
  void Next() override { advance(); }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void advance() {
    while (take()) {
      if (!line_.empty() && count_++ % stride_ == 0) {
        return;
      }
    }
    done_ = true;
  }

  // Takes the next line, which may be empty; false at the end of the last document.
  bool take() {
    while (rest_.empty()) {
      if (next_document_ == documents_.size()) {
        return false;
      }
      rest_ = documents_[next_document_++];
    }
    std::string_view line = rest_.substr(0, std::min(rest_.find('\n'), kMaxSentence_bytes));
    if (line.size() == kMaxSentence_bytes) {
      const size_t blank = line.find_last_of(' ');
      line = line.substr(0, blank == line.npos || blank == 0 ? line.size() : blank);
    }
    const bool ended = line.size() < rest_.size() && rest_[line.size()] == '\n';
    line_.clear();
    split_utf8(
        line, [&](std::string_view text) { line_ += text; }, [](std::string_view) {});
    rest_.remove_prefix(line.size() + (ended ? 1 : 0));
    return true;
  }

  const std::vector<std::string_view>& documents_;
  size_t next_document_ = 0;
  std::string_view rest_;  // of the document
  std::string line_;
  size_t count_ = 0;
  size_t stride_ = 1;
  bool done_ = false;
};

// What the trainer complains of, without the place in its source that it begins with.
std::string reason_of(const sentencepiece::util::Status& status) {
  const std::string message = status.message();
  const size_t end_of_place = message.rfind("] ");
  std::string reason = end_of_place == message.npos ? message : message.substr(end_of_place + 2);
  while (!reason.empty() && (reason.back() == '.' || reason.back() == ' ')) {
    reason.pop_back();
  }
  return reason.empty() ? "the text does not suffice" : reason;
}

}  // namespace

std::string train_sentence_piece(const std::vector<std::string_view>& documents,
                                 int64_t vocabulary_size, SentencePieceType type) {
  constexpr int64_t kLeastTokens = 256 + 2;  // bytes, <unk> and </s>
  constexpr int64_t kMostTokens = 1'000'000;
  EBT_CHECK(vocabulary_size > kLeastTokens && vocabulary_size <= kMostTokens,
            "--vocab-size: {} is not between {} and {}", vocabulary_size, kLeastTokens + 1,
            kMostTokens);
  const std::unordered_map<std::string, std::string> settings = {
      {"model_type", type == SentencePieceType::kBpe ? "bpe" : "unigram"},
      {"vocab_size", std::to_string(vocabulary_size)},
      {"byte_fallback", "true"},
      // Nothing in the text changes, and nothing is added.
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"add_dummy_prefix", "false"},
      {"allow_whitespace_only_pieces", "true"},
      {"split_digits", "true"},
      {"unk_id", "0"},
      {"eos_id", "1"},
      {"bos_id", "-1"},
      {"pad_id", "-1"},
      // Sums of the training depend on it: fixed, so that the machine does not matter.
      {"num_threads", "8"},
      {"minloglevel", "4"},
  };
  Lines lines(documents);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &lines, &model);
  EBT_CHECK(status.ok(), "cannot learn {} tokens from this text: {}", vocabulary_size,
            reason_of(status));
  return model;
}

}  // namespace ebt
