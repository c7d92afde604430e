// Everything a training run on text is told.
#pragma once

#include <cstdint>
#include <string>

#include "ebt/data/text/text_source.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/model/config.h"
#include "ebt/model/model_kind.h"
#include "ebt/model/thinking_config.h"
#include "ebt/train/run_settings.h"

namespace ebt {

// What text is read, and how it is cut. `data` may also name prepared data.
struct TextDataConfig : TextSource {
  std::string prompt_field;  // of examples (data/examples.h), which --text-field answers; or empty
  // A path for open_tokenizer, or empty: see chosen_tokenizer. In the config of a model folder what
  // the tokenizer's name() is.
  std::string tokenizer;
  std::string end_of_text;  // for open_tokenizer
  // Share of the corpus kept for validation: by document when there are at least ten, else the last
  // part of the text by position.
  double validation = 0.1;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    TextSource::visit_fields(visit);
    visit("prompt-field", prompt_field,
          "field or column that holds a prompt, which the text answers: every line is then a row, "
          "of which only the answer is learned");
    visit("tokenizer", tokenizer,
          "bytes, a tokenizer.json of BPE, a SentencePiece .model, or a folder with one; "
          "default: that of prepared data, else bytes");
    visit("end-of-text", end_of_text, kEndOfTextHelp);
    visit("validation", validation, "share of the corpus kept for validation");
  }
};

// A run on text.
struct TextRunConfig : RunSettings {
  bool recompute = false;
  int64_t validation_windows = 64;  // windows of the periodic validation; 0: all

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_shared(visit, "rows per optimizer step",
                 "rows per gradient pass, accumulated; 0 is the whole batch, or the largest half, "
                 "quarter... of it that fits in memory");
    visit(
        "grains", grains,
        "parts of a batch whose gradients are added in one order, however many ranks share them: a "
        "power of two. Results depend on it, and not on the number of ranks");
    visit("recompute", recompute,
          "compute the context's blocks twice instead of keeping them: less memory, more time");
    visit("validation-windows", validation_windows,
          "windows per validation during training; 0 is all");
  }
};

// The options of RunSettings, and whether to compute again.
template <class T>
EngineOptions engine_options(const TextRunConfig& run) {
  EngineOptions options = engine_options<T>(static_cast<const RunSettings&>(run));
  options.recompute = run.recompute;
  return options;
}

struct TextTrainConfig {
  static constexpr ModelKind kKind = ModelKind::kText;
  TextModelConfig model;
  TextThinkingConfig thinking;
  OptimizerConfig optimizer;
  TextDataConfig data;
  TextRunConfig run;
  // A run chooses its own epsilon of the norms; TextModelConfig's default is the published one.
  TextTrainConfig() { model.norm_eps = 0; }

  // Throws Error naming the first impossible field.
  void check() const;
  // The same run with every default written out: learning rate, warm-up, micro-batch, and absolute
  // paths. What stays open is the step size of thinking, which depends on the initial weights.
  TextTrainConfig resolved() const;

  // Calls visit(name, part) for every part, as config.json names them.
  template <class Visitor>
  void visit_parts(Visitor&& visit) {
    visit("model", model);
    visit("thinking", thinking);
    visit("optimizer", optimizer);
    visit("data", data);
    visit("run", run);
  }
  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_parts([&](const char* /*name*/, auto& part) { part.visit_fields(visit); });
  }
};

}  // namespace ebt
