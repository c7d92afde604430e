#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/eval/calibration.h"
#include "ebt/io/json_text.h"
#include "ebt/model/model_folder.h"
#include "ebt/think/generator.h"
#include "ebt/think/open_model.h"
#include "ebt/think/text_stream.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"
#include "rules.h"

namespace ebt {
namespace {

struct GenerateFlags {
  std::string model;
  std::string prompt;
  int64_t tokens = 200;
  std::string stop;
  bool echo = false;
  int64_t top_tokens = 0;
  bool trace = false;
  std::string precision = "auto";
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    visit("prompt", prompt, "text to continue; without one, the start of a document");
    visit("tokens", tokens, "most tokens to write");
    visit("stop", stop, "end before this text");
    visit("echo", echo, "think about the prompt's tokens too, and report them");
    visit("top-tokens", top_tokens, "report so many likeliest tokens beside every token");
    visit("trace", trace, "print every token on a line, with its energy at every thinking step");
    visit("precision", precision,
          "fp32, bf16, or auto: bf16 where the CPU multiplies it natively, else fp32");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt generate --model model --prompt 'The command '\n"
    "  ebt generate --model model --prompt 'The command ' --think-steps 4 --temperature 0.7\n"
    "  ebt generate --model model --tokens 40 --trace      # watch the energy fall\n"
    "  ebt generate --model model --trace --top-tokens 3   # and what it leans to meanwhile\n"
    "  ebt generate --model model --candidates 8           # keep the best of eight thoughts\n"
    "  ebt generate --model model --think-steps 50 --stop-change 0.01  # think until it settles\n"
    "Energies are no probabilities: what they say of being right, 'ebt calibrate' measures.";

// A token as a trace shows it: 'e', '\n', '—', \xff. One that is not a whole character shows its
// bytes.
std::string token_name(const std::string& bytes) {
  return is_utf8(bytes) ? "'" + printable(bytes) + "'" : printable(bytes);
}

// The tokens of a text, one by one, with the characters that they complete: \xe2, \x80, \x94 '—'.
class TokenNames {
 public:
  std::string next(const std::string& bytes) {
    const std::string text = stream_.feed(bytes);
    const bool completes = !text.empty() && text != bytes && is_utf8(text);
    return token_name(bytes) + (completes ? " " + token_name(text) : "");
  }

 private:
  TextStream stream_;
};

const char* reason_name(FinishReason reason) {
  check_finite(reason);
  switch (reason) {
    case FinishReason::kEnd:
      return "end";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kBudget:
      return "budget";
    case FinishReason::kCancelled:
      return "stop";
    case FinishReason::kNotFinite:
      break;
  }
  return "";
}

std::string top_names(const Tokenizer& tokenizer, const std::vector<TokenProbability>& top) {
  std::string names;
  for (const TokenProbability& entry : top) {
    names += fmt::format("  {} {:.3f}", token_name(tokenizer.decode({&entry.token, 1})),
                         std::exp(entry.log_probability));
  }
  return names;
}

// Nothing where the model is not calibrated, or does not think.
std::optional<double> certainty(const std::optional<Calibration>& calibration,
                                const TokenReport& report) {
  return calibration.has_value() && !report.states.empty()
             ? std::optional(calibration->certainty(report.energy()))
             : std::nullopt;
}

void print_trace(const Tokenizer& tokenizer, const TokenReport& report, const std::string& name,
                 std::optional<double> certainty) {
  fmt::print("{:<10}  p {:.4f}", name, std::exp(report.log_probability));
  if (certainty.has_value()) {
    fmt::print("  certain {:.2f}", *certainty);
  }
  for (size_t step = 0; step < report.states.size(); ++step) {
    fmt::print("{}{:.4g}", step == 0 ? "  energy " : " -> ", report.states[step].energy);
  }
  fmt::print("\n");
  if (report.states.empty() && !report.top.empty()) {
    fmt::print("           {}\n", top_names(tokenizer, report.top));
  }
  for (size_t step = 0; step < report.states.size() && !report.top.empty(); ++step) {
    const ThinkingState& state = report.states[step];
    fmt::print("  step {:<4} entropy {:.3f}{}\n", step, state.entropy,
               top_names(tokenizer, state.top));
  }
}

Json top_json(const std::vector<TokenProbability>& top) {
  Json list = Json::array();
  for (const TokenProbability& entry : top) {
    list.push_back({{"token", entry.token}, {"log_probability", entry.log_probability}});
  }
  return list;
}

Json token_json(const TokenReport& report, std::optional<double> certainty, bool trace) {
  Json energy = Json::array();
  Json states = Json::array();
  for (const ThinkingState& state : report.states) {
    energy.push_back(state.energy);
    states.push_back({{"entropy", state.entropy}, {"top", top_json(state.top)}});
  }
  Json token = {{"token", report.token},
                {"from_prompt", report.from_prompt},
                {"log_probability", report.log_probability},
                {"energy", std::move(energy)},
                {"candidate_energies", report.candidate_energies},
                {"thinking_steps", report.thinking_steps},
                {"forward_passes", report.forward_passes}};
  if (certainty.has_value()) {
    token["certainty"] = *certainty;
  }
  if (!report.top.empty()) {
    token["top"] = top_json(report.top);
  }
  if (trace) {
    token["states"] = std::move(states);
  }
  return token;
}

GenerationRequest request_of(const GenerateFlags& flags, const ThinkOptions& think,
                             const SamplingOptions& sampling, const Tokenizer& tokenizer) {
  GenerationRequest request;
  request.prompt = tokenizer.encode(flags.prompt);
  if (request.prompt.empty()) {
    request.prompt = {tokenizer.document_separator()};
  }
  request.max_tokens = flags.tokens;
  request.score_from = flags.echo ? 1 : -1;
  request.end_token = tokenizer.document_separator();
  request.think = think;
  request.think.seed = sampling.seed;
  request.sampling = sampling;
  request.top_tokens = flags.top_tokens;
  request.trace = flags.trace;
  return request;
}

void run_generate(const Flags& command_flags) {
  GenerateFlags flags;
  ThinkOptions think;
  SamplingOptions sampling;
  command_flags.apply_to(flags);
  command_flags.apply_to(think);
  command_flags.apply_to(sampling);
  open_config(flags.model);
  check_counts({{"tokens", flags.tokens, 0}, {"top-tokens", flags.top_tokens, 0}});
  use_threads(flags.threads);
  const auto tokenizer = load_tokenizer(flags.model);
  const auto calibration = Calibration::load(flags.model);
  const auto generator = load_generator(flags.model, {.texts = 1, .precision = flags.precision});

  const bool show_text = !command_flags.json() && !flags.trace;
  TextStream stream(flags.stop.empty() ? std::vector<std::string>{}
                                       : std::vector<std::string>{flags.stop});
  TokenNames names;
  std::string text;
  const auto write = [&](const std::string& more) {
    text += more;
    if (show_text) {
      fmt::print("{}", more);
      flush_output();
    }
  };
  std::vector<TokenReport> reports;
  FinishReason reason = FinishReason::kLength;
  ProgressLine line;
  int64_t id = 0;
  const auto on_token = [&](const TokenReport& report) {
    const std::string bytes = tokenizer->decode({&report.token, 1});
    if (!report.from_prompt) {
      write(stream.feed(bytes));
    }
    reports.push_back(report);
    if (flags.trace && !command_flags.json()) {
      print_trace(*tokenizer, report, names.next(bytes), certainty(calibration, report));
      flush_output();
    }
    if (stream.stopped()) {
      generator->cancel(id);
    } else if (command_flags.json()) {
      line.update(fmt::format("{} tokens", reports.size()));
    }
  };
  if (show_text) {
    fmt::print("{}", flags.prompt);
    flush_output();
  }
  const auto begin = std::chrono::steady_clock::now();
  id = generator->submit(request_of(flags, think, sampling, *tokenizer),
                         {on_token, [&](FinishReason why) { reason = why; }});
  while (generator->step()) {
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  write(stream.finish());
  const std::string finish_reason = reason_name(reason);

  int64_t steps = 0;
  int64_t passes = 0;
  Json tokens = Json::array();
  for (const TokenReport& report : reports) {
    steps += report.thinking_steps;
    passes += report.forward_passes;
    tokens.push_back(token_json(report, certainty(calibration, report), flags.trace));
  }
  if (command_flags.json()) {
    const Json result = {{"model", flags.model},
                         {"prompt", flags.prompt},
                         {"text", replace_invalid_bytes(text)},
                         {"finish_reason", finish_reason},
                         {"seed", sampling.seed},
                         {"thinking", fields_to_json(think)},
                         {"thinking_steps", steps},
                         {"forward_passes", passes},
                         {"tokens", std::move(tokens)}};
    output_json(result);
    return;
  }
  if (show_text) {
    fmt::print("\n");
    flush_output();
  }
  if (!reports.empty()) {
    line.note(fmt::format("{} tokens in {}, {:.1f} ms each; {} thinking steps, {} forward passes",
                          reports.size(), format_duration(seconds),
                          1000 * seconds / static_cast<double>(reports.size()), steps, passes));
  }
}

}  // namespace

void register_generate(CLI::App& app) {
  add_command(
      app, "generate", "Let a model continue a text, thinking about every token.", kExamples,
      [](Flags& flags) {
        flags.bind(GenerateFlags{}, "Generation");
        flags.bind(SamplingOptions{}, "Sampling");
        flags.bind(ThinkOptions{}, "Thinking").only_where(where_it_thinks());
      },
      run_generate);
}

}  // namespace ebt
