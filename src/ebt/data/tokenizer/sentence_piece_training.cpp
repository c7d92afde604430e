#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "ebt/core/error.h"
#include "ebt/core/unicode.h"
#include "ebt/data/tokenizer/sentence_piece.h"

namespace ebt {
namespace {

constexpr size_t kMostText_bytes = 256 * 1024 * 1024;
constexpr size_t kMaxSentence_bytes = 4096;    // the trainer skips longer ones
constexpr int64_t kLeastTokens = 256 + 2;      // bytes, <unk> and </s>
constexpr double kCharacterCoverage = 0.9995;  // what the trainer takes into its alphabet

// Characters that are to become tokens.
using Alphabet = std::unordered_set<char32_t>;

// The lines of the documents, without their ends and what is no UTF-8, and long ones cut. With an
// alphabet they are cut at every other character as well: nothing that holds one is learned.
class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string_view>& documents, const Alphabet* alphabet = nullptr)
      : documents_(documents), alphabet_(alphabet) {
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
    do {
      while (unread_.empty()) {
        if (!take()) {
          done_ = true;
          return;
        }
        if (!whole_line_.empty() && count_++ % stride_ == 0) {
          unread_ = whole_line_;
        }
      }
      cut();
    } while (line_.empty());
  }

  // Takes the characters before the next that is not to be learned, and drops that one.
  void cut() {
    size_t end = 0;
    size_t dropped = 0;
    while (end < unread_.size() && dropped == 0) {
      const char32_t character = first_character(unread_.substr(end));
      const size_t length = first_character_bytes(unread_.substr(end));
      const bool is_learned = kNeverLearned.find(character) == kNeverLearned.npos &&
                              (alphabet_ == nullptr || alphabet_->contains(character));
      (is_learned ? end : dropped) += length;
    }
    line_ = unread_.substr(0, end);
    unread_.remove_prefix(end + dropped);
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
    whole_line_.clear();
    split_utf8(
        line, [&](std::string_view text) { whole_line_ += text; }, [](std::string_view) {});
    rest_.remove_prefix(line.size() + (ended ? 1 : 0));
    return true;
  }

  // The trainer makes no token of these, skips lines that hold the last, and aborts the program
  // when it finds nothing else.
  static constexpr std::u32string_view kNeverLearned{U"\0\t\u2585", 3};

  const std::vector<std::string_view>& documents_;
  size_t next_document_ = 0;
  std::string_view rest_;  // of the document
  std::string whole_line_;
  std::string_view unread_;  // of the whole line
  std::string line_;         // what is learned from: a line, or a part of one
  const Alphabet* alphabet_;
  size_t count_ = 0;
  size_t stride_ = 1;
  bool done_ = false;
};

// The most frequent characters of the text, when the trainer would take more than there is room
// for: then it would refuse.
std::optional<Alphabet> frequent_characters(const std::vector<std::string_view>& documents,
                                            int64_t room) {
  std::vector<int64_t> counts(0x110000);
  int64_t characters = 0;
  for (Lines lines(documents); !lines.done(); lines.Next()) {
    for (std::string_view rest = lines.value(); !rest.empty();
         rest.remove_prefix(first_character_bytes(rest))) {
      ++counts[first_character(rest)];
      ++characters;
    }
  }
  EBT_CHECK(characters > 0, "the text has no characters that a tokenizer could learn from");
  std::vector<char32_t> by_frequency;
  for (char32_t character = 0; character < counts.size(); ++character) {
    if (counts[character] > 0) {
      by_frequency.push_back(character);
    }
  }
  std::stable_sort(by_frequency.begin(), by_frequency.end(),
                   [&](char32_t a, char32_t b) { return counts[a] > counts[b]; });
  double covered = 0;
  size_t taken = 0;
  while (taken < by_frequency.size() &&
         covered < kCharacterCoverage * static_cast<double>(characters)) {
    covered += static_cast<double>(counts[by_frequency[taken++]]);
  }
  if (taken <= static_cast<size_t>(room)) {
    return std::nullopt;
  }
  return Alphabet(by_frequency.begin(), by_frequency.begin() + room);
}

// How many tokens the text yields, one or two more or less, when the trainer complains "Vocabulary
// size too high (N). Please set it to a value <= M."; 0 when it complains of something else.
int64_t most_tokens(const sentencepiece::util::Status& status) {
  const std::string message = status.message();
  const size_t bound = message.rfind("<= ");
  return bound == message.npos ? 0 : std::strtol(message.c_str() + bound + 3, nullptr, 10);
}

sentencepiece::util::Status train(const std::vector<std::string_view>& documents,
                                  int64_t vocabulary_size, SentencePieceType type,
                                  const std::optional<Alphabet>& alphabet, std::string& model) {
  std::unordered_map<std::string, std::string> settings = {
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
  if (alphabet.has_value()) {
    settings["character_coverage"] = "1.0";  // what lines are left with
  }
  Lines lines(documents, alphabet.has_value() ? &*alphabet : nullptr);
  return sentencepiece::SentencePieceTrainer::Train(settings, &lines, &model);
}

}  // namespace

std::string train_sentence_piece(const std::vector<std::string_view>& documents,
                                 int64_t vocabulary_size, SentencePieceType type) {
  constexpr int64_t kMostTokens = 1'000'000;
  EBT_CHECK(vocabulary_size > kLeastTokens && vocabulary_size <= kMostTokens,
            "--vocab-size: {} is not between {} and {}", vocabulary_size, kLeastTokens + 1,
            kMostTokens);
  // Of scripts with thousands of characters half of the tokens at least are words, or parts of
  // them, if the text has so many.
  constexpr int64_t kSmallAlphabet = 256;
  const int64_t room = vocabulary_size - kLeastTokens;
  int64_t characters = std::min(room, std::max(kSmallAlphabet, room / 2));
  while (true) {
    const std::optional<Alphabet> alphabet = frequent_characters(documents, characters);
    std::string model;
    const auto status = train(documents, vocabulary_size, type, alphabet, model);
    if (status.ok()) {
      return model;
    }
    const int64_t most = most_tokens(status);
    EBT_CHECK(most > kLeastTokens,
              "cannot learn {} tokens from this text: it is too short or too uniform",
              vocabulary_size);
    EBT_CHECK(alphabet.has_value() && characters < room,
              "cannot learn {} tokens from this text: it yields {} to about {}", vocabulary_size,
              kLeastTokens + 1, most);
    characters = std::min(room, characters + std::max<int64_t>(1, vocabulary_size - most));
  }
}

}  // namespace ebt
