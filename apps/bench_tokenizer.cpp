#include "bench_tokenizer.h"

#include <fmt/format.h>

#include <ctime>

#include "ebt/core/log.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "flags.h"
#include "output.h"

namespace ebt {
namespace {

struct BenchFlags : TextSource {
  std::string tokenizer = kByteTokenizer;
  std::string end_of_text;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("tokenizer", tokenizer,
          "bytes, a tokenizer.json of BPE, a SentencePiece .model, or a folder with one");
    visit("end-of-text", end_of_text, kEndOfTextHelp);
    TextSource::visit_fields(visit);
  }
};

// What this thread has computed so far: other programs on the machine do not count.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct TokenizerBenchmark {
  double bytes = 0;
  double tokens = 0;
  double first_seconds = 0;   // encoding, by a tokenizer that has seen nothing yet
  double second_seconds = 0;  // the same text again
  double decode_seconds = 0;
};

// Encodes and decodes the documents on this thread.
TokenizerBenchmark measure(const Tokenizer& tokenizer, const Corpus& corpus) {
  TokenizerBenchmark result;
  std::vector<std::vector<int32_t>> tokens;
  const auto encode_all = [&] {
    tokens.clear();
    const double start = cpu_seconds();
    for (const std::string_view document : corpus.documents()) {
      tokens.push_back(tokenizer.encode(document));
    }
    return cpu_seconds() - start;
  };
  result.first_seconds = encode_all();
  result.second_seconds = encode_all();
  const double start = cpu_seconds();
  for (const std::vector<int32_t>& document : tokens) {
    result.bytes += static_cast<double>(tokenizer.decode(document).size());
    result.tokens += static_cast<double>(document.size());
  }
  result.decode_seconds = cpu_seconds() - start;
  return result;
}

void bench_tokenizer(const Flags& command_flags) {
  BenchFlags flags;
  command_flags.apply_to(flags);
  const Corpus corpus = open_text(flags);
  const double start = cpu_seconds();
  const auto tokenizer = open_tokenizer(flags.tokenizer, flags.end_of_text);
  const double open_seconds = cpu_seconds() - start;
  const TokenizerBenchmark result = measure(*tokenizer, corpus);
  if (command_flags.json()) {
    const Json object = {{"tokenizer", flags.tokenizer},
                         {"vocab_size", tokenizer->vocabulary_size()},
                         {"text_bytes", result.bytes},
                         {"bytes_per_token", result.bytes / result.tokens},
                         {"open_seconds", open_seconds},
                         {"encode_bytes_per_second", result.bytes / result.first_seconds},
                         {"encode_again_bytes_per_second", result.bytes / result.second_seconds},
                         {"decode_bytes_per_second", result.bytes / result.decode_seconds}};
    output_json(object, -1);
    return;
  }
  fmt::print(
      "{} · V {} · {} of text · one thread\n\n"
      "  opening                 {:>10.3f} s\n"
      "  encoding                {:>10.2f} MB/s\n"
      "  encoding it again       {:>10.2f} MB/s\n"
      "  decoding                {:>10.2f} MB/s\n"
      "  bytes for each token    {:>10.2f}\n",
      flags.tokenizer, tokenizer->vocabulary_size(), format_bytes(result.bytes), open_seconds,
      result.bytes / result.first_seconds / 1e6, result.bytes / result.second_seconds / 1e6,
      result.bytes / result.decode_seconds / 1e6, result.bytes / result.tokens);
}

}  // namespace

void register_bench_tokenizer(CLI::App& bench) {
  add_command(
      bench, "tokenizer",
      "Encode and decode a text on one thread: first with a tokenizer that was just opened, then\n"
      "again, when it remembers words. Times are those of the thread's computing.",
      "Examples:\n"
      "  ebt bench tokenizer --tokenizer tokenizer.json --data book.txt\n"
      "  ebt bench tokenizer --tokenizer book.model --data book.txt --json",
      [](Flags& flags) { flags.bind(BenchFlags{}, "Tokenizer and text"); }, bench_tokenizer);
}

}  // namespace ebt
