// `ebt tokenizer`: vocabularies of one's own, and what tokens a text has.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/sentence_piece.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/io/json_text.h"
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

constexpr const char* kTrainExamples =
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

struct CodecFlags {
  std::string tokenizer = kByteTokenizer;
  std::string end_of_text;
  std::string file;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("tokenizer", tokenizer,
          "bytes, a tokenizer.json, a SentencePiece .model, or a folder with one, as of a model");
    visit("end-of-text", end_of_text, kEndOfTextHelp);
    visit("file", file, "file to read in place of the words behind the command");
  }
};

struct CodecWords {
  std::string words;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("words", words, "what to encode or decode; default: what comes on standard input");
  }
};

constexpr const char* kEncodeExamples =
    "Examples:\n"
    "  ebt tokenizer encode --tokenizer model 'Hello, world'\n"
    "  ebt tokenizer encode --tokenizer tokenizer.json --file book.txt --json\n"
    "Prints the ids on one line. No separator is added; strings of added tokens are recognised.";
constexpr const char* kDecodeExamples =
    "Examples:\n"
    "  ebt tokenizer decode --tokenizer model 15496 11 995\n"
    "  ebt tokenizer encode --file book.txt | ebt tokenizer decode > copy.txt\n"
    "Writes the bytes of the tokens and nothing else. Separators have no text.";

// What is to be worked on: the words of the command line, a file, or standard input.
std::string input_of(const Flags& command_flags, const std::string& file) {
  constexpr size_t kMaxInput_bytes = size_t{1} << 30U;
  CodecWords given;
  command_flags.apply_to(given);
  const bool has_words = command_flags.on_command_line().contains("words");
  EBT_CHECK(!has_words || file.empty(), "--file: there are words to work on already");
  if (has_words) {
    return given.words;
  }
  if (!file.empty()) {
    return read_text_file(file, kMaxInput_bytes);
  }
  std::string text;
  std::array<char, 1 << 16> block{};
  for (size_t count = 0; (count = std::fread(block.data(), 1, block.size(), stdin)) > 0;) {
    text.append(block.data(), count);
    EBT_CHECK(text.size() <= kMaxInput_bytes, "standard input has more than {} bytes",
              kMaxInput_bytes);
  }
  EBT_CHECK(std::ferror(stdin) == 0, "cannot read standard input");
  return text;
}

// Numbers with blanks or commas between them, or a JSON list of them.
std::vector<int32_t> parse_tokens(const std::string& text) {
  constexpr const char* kBetween = " \t\r\n,[]";
  std::vector<int32_t> tokens;
  for (size_t at = 0; (at = text.find_first_not_of(kBetween, at)) != text.npos;) {
    const size_t stop = std::min(text.find_first_of(kBetween, at), text.size());
    int32_t token = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + stop, token);
    EBT_CHECK(error == std::errc() && end == text.data() + stop, "{:?} is not the id of a token",
              text.substr(at, std::min<size_t>(stop - at, 40)));
    tokens.push_back(token);
    at = stop;
  }
  return tokens;
}

void encode(const Flags& command_flags) {
  CodecFlags flags;
  command_flags.apply_to(flags);
  const auto tokenizer = open_tokenizer(flags.tokenizer, flags.end_of_text);
  const std::vector<int32_t> tokens = tokenizer->encode(input_of(command_flags, flags.file));
  if (command_flags.json()) {
    Json texts = Json::array();
    for (const int32_t token : tokens) {
      texts.push_back(replace_invalid_bytes(tokenizer->decode({&token, 1})));
    }
    output_json({{"vocab_size", tokenizer->vocabulary_size()},
                 {"end_of_text", tokenizer->document_separator()},
                 {"tokens", tokens},
                 {"texts", texts}});
  } else {
    fmt::print("{}\n", fmt::join(tokens, " "));
  }
}

void decode(const Flags& command_flags) {
  CodecFlags flags;
  command_flags.apply_to(flags);
  const auto tokenizer = open_tokenizer(flags.tokenizer, flags.end_of_text);
  const std::vector<int32_t> tokens = parse_tokens(input_of(command_flags, flags.file));
  const std::string text = tokenizer->decode(tokens);
  if (command_flags.json()) {
    output_json({{"tokens", tokens}, {"text", replace_invalid_bytes(text)}});
  } else {
    fmt::print("{}", text);
  }
}

void bind_codec(Flags& flags) {
  flags.bind_words(CodecWords{}, "Input");
  flags.bind(CodecFlags{}, "Tokenizer");
}

}  // namespace

void register_tokenizer(CLI::App& app) {
  CLI::App* tokenizer =
      app.add_subcommand("tokenizer", "Learn a vocabulary; turn text into tokens and back.");
  tokenizer->require_subcommand(1);
  add_command(
      *tokenizer, "train",
      "Learn a vocabulary from a text, through SentencePiece, for --tokenizer of other commands.",
      kTrainExamples,
      [](Flags& flags) {
        flags.bind(TokenizerFlags{}, "Tokenizer");
        flags.writes(OutputKind::kFile);
      },
      train_tokenizer);
  add_command(*tokenizer, "encode", "Print the tokens of a text.", kEncodeExamples, bind_codec,
              encode);
  add_command(*tokenizer, "decode", "Write the text of tokens.", kDecodeExamples, bind_codec,
              decode);
}

}  // namespace ebt
