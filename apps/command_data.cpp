// `ebt data`: what models are trained on, made ready.
#include <fmt/format.h>

#include "commands.h"
#include "data_puzzle.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "flags.h"
#include "output.h"
#include "stop_signals.h"

namespace ebt {
namespace {

struct PrepareFlags : TextSource {
  std::string tokenizer = kByteTokenizer;
  std::string end_of_text;
  std::string out = "prepared";
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    TextSource::visit_fields(visit);
    visit("tokenizer", tokenizer,
          "bytes, a tokenizer.json of BPE, a SentencePiece .model, or a folder with one");
    visit("end-of-text", end_of_text, kEndOfTextHelp);
    visit("out", out, "folder to make");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt data prepare --data books --tokenizer tokenizer.json --out shards\n"
    "  ebt train --data shards --out model\n"
    "The folder also holds the tokenizer, which 'ebt train' takes from there. Training on it is "
    "the\n"
    "same as on the text, to the last bit, but starts at once and needs no memory for the tokens.";

void prepare(const Flags& command_flags) {
  PrepareFlags flags;
  command_flags.apply_to(flags);
  outlive_outputs();
  EBT_CHECK(!flags.out.empty(), "--out: the name of the folder is empty");
  use_threads(flags.threads);
  const PreparedSummary summary =
      prepare_data(flags, flags.tokenizer, flags.out, flags.end_of_text);
  if (command_flags.json()) {
    Json result = {{"prepared", flags.out}};
    result.update(fields_to_json(summary));
    output_json(result);
  } else {
    fmt::print("'{}' holds {} of text as {} tokens: {} {}, {} {}\n", printable(flags.out),
               format_bytes(static_cast<double>(summary.bytes)),
               format_count(static_cast<double>(summary.tokens)), summary.documents,
               summary.documents == 1 ? "document" : "documents", summary.shards,
               summary.shards == 1 ? "shard" : "shards");
  }
}

}  // namespace

void register_data(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "Make data ready for training: text, puzzles.");
  data->require_subcommand(1);
  add_command(
      *data, "prepare",
      "Turn a text into tokens once, for training to map into memory as often as it likes.",
      kExamples,
      [](Flags& flags) {
        flags.bind(PrepareFlags{}, "Text and folder");
        flags.writes(OutputKind::kPreparedFolder);
      },
      prepare);
  register_puzzles(*data);
}

}  // namespace ebt
