// `ebt tokenizer`: vocabularies of one's own.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <future>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/data/prepared_data.h"
#include "ebt/data/sentence_piece.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "flags.h"
#include "output.h"
#include "stop_signals.h"

namespace ebt {
namespace {

struct TokenizerFlags : TextSource {
  SentencePieceType type = SentencePieceType::kBpe;
  int64_t vocab_size = 4096;
  std::string out = kSentencePieceFile;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    TextSource::visit_fields(visit);
    visit("type", type, "bpe (merges frequent pairs) or unigram (prunes a statistical model)");
    visit("vocab-size", vocab_size, "number of tokens, the 256 bytes among them");
    visit("out", out, "file to write");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt tokenizer train --data book.txt --vocab-size 2000 --out book.model\n"
    "  ebt train --data book.txt --tokenizer book.model --out book\n"
    "The tokenizer is a SentencePiece model. It changes nothing in a text, and writes any bytes.";

using Clock = std::chrono::steady_clock;

// The library has no hook for its progress: the time tells that it works.
std::string train_with_progress(const Corpus& corpus, const TokenizerFlags& flags) {
  const Clock::time_point start = Clock::now();
  const std::string what = fmt::format("learning {} tokens from {}", flags.vocab_size,
                                       format_bytes(static_cast<double>(corpus.summary().bytes)));
  auto learning = std::async(std::launch::async, [&] {
    return train_sentence_piece(corpus.documents(), flags.vocab_size, flags.type);
  });
  ProgressLine line;
  while (learning.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    line.update(fmt::format("{}: {}", what, format_duration(seconds)));
  }
  return learning.get();
}

// Bytes of text for each token, over the beginning of the text.
double bytes_per_token(const Tokenizer& tokenizer, const Corpus& corpus) {
  constexpr size_t kEnough_bytes = 1 << 20;
  size_t bytes = 0;
  size_t tokens = 0;
  for (const std::string_view document : corpus.documents()) {
    const std::string_view part = document.substr(0, kEnough_bytes - bytes);
    tokens += tokenizer.encode(part).size();
    bytes += part.size();
    if (bytes == kEnough_bytes) {
      break;
    }
  }
  return static_cast<double>(bytes) / static_cast<double>(tokens);
}

void train_tokenizer(const Flags& command_flags) {
  TokenizerFlags flags;
  command_flags.apply_to(flags);
  outlive_outputs();
  std::error_code ignored;  // whatever is wrong with the path, writing says so
  EBT_CHECK(!std::filesystem::exists(flags.out, ignored),
            "'{}' exists already: choose another file with --out", flags.out);
  check_outside(flags.out, flags.data, "text");
  // Whether it can be written is known before hours of work, and nobody else writes it meanwhile.
  AtomicFile file(flags.out);
  const Corpus corpus = open_text(flags);
  const std::string model = train_with_progress(corpus, flags);
  const auto tokenizer = make_sentence_piece_tokenizer(model, "'" + flags.out + "'");
  const double ratio = bytes_per_token(*tokenizer, corpus);
  file.write(model);
  file.commit();
  if (command_flags.json()) {
    const Json result = {{"tokenizer", flags.out},
                         {"type", enum_name(flags.type)},
                         {"vocab_size", tokenizer->vocabulary_size()},
                         {"text_bytes", corpus.summary().bytes},
                         {"bytes_per_token", ratio}};
    output_json(result);
  } else {
    fmt::print("'{}' holds {} tokens, of {:.2f} bytes on average in this text\n",
               printable(flags.out), tokenizer->vocabulary_size(), ratio);
  }
}

}  // namespace

void register_tokenizer(CLI::App& app) {
  CLI::App* tokenizer = app.add_subcommand("tokenizer", "Learn a vocabulary from a text.");
  tokenizer->require_subcommand(1);
  add_command(
      *tokenizer, "train",
      "Learn a vocabulary from a text, through SentencePiece, for --tokenizer of other commands.",
      kExamples,
      [](Flags& flags) {
        flags.bind(TokenizerFlags{}, "Tokenizer");
        flags.writes(OutputKind::kFile);
      },
      train_tokenizer);
}

}  // namespace ebt
