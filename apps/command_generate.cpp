#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "commands.h"
#include "ebt/data/tokenizer.h"
#include "ebt/think/generate.h"
#include "evaluation.h"
#include "flags.h"

namespace ebt {
namespace {

struct GenerateFlags {
  std::string model;
  std::string prompt;
  int64_t tokens = 200;
  int64_t think_steps = 0;
  double temperature = 1.0;
  double top_p = 1.0;
  uint64_t seed = 0;
  int64_t threads = 0;
  bool trace = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    visit("prompt", prompt, "text to continue; without one, the start of a document");
    visit("tokens", tokens, "most tokens to write");
    visit("think-steps", think_steps, "thinking steps per token; 0 takes as many as in training");
    visit("temperature", temperature, "1 samples as predicted, 0 always takes the likeliest token");
    visit("top-p", top_p, "sample among the likeliest tokens that hold this probability together");
    visit("seed", seed, "seed of the samples; the same seed writes the same text");
    visit("threads", threads, "CPU threads; 0 uses all cores. Results do not depend on it");
    visit("trace", trace, "print every token on a line, with its energy at every thinking step");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt generate --model model --prompt 'The command '\n"
    "  ebt generate --model model --prompt 'The command ' --think-steps 4 --temperature 0.7\n"
    "  ebt generate --model model --tokens 40 --trace      # watch the energy fall\n"
    "A token whose energy stays high is one the model is unsure of.";

// A token as a trace shows it: 'e', '\n', \xff.
std::string token_name(const std::string& bytes) {
  std::string name;
  for (const char byte : bytes) {
    if (byte == '\n') {
      name += "\\n";
    } else if (byte >= 0x20 && byte < 0x7F) {
      name.push_back(byte);
    } else {
      name += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return name.starts_with("\\x") ? name : "'" + name + "'";
}

void print_trace(const Tokenizer& tokenizer, const GeneratedToken& token) {
  fmt::print("{:<10}  p {:.4f}", token_name(tokenizer.decode({&token.token, 1})),
             token.probability);
  for (size_t step = 0; step < token.energy.size(); ++step) {
    fmt::print("{}{:.4g}", step == 0 ? "  energy " : " -> ", token.energy[step]);
  }
  fmt::print("\n");
}

void print_json(const GenerateFlags& flags, const Tokenizer& tokenizer,
                const std::vector<GeneratedToken>& generated) {
  Json result;
  std::vector<int32_t> tokens;
  Json list = Json::array();
  for (const GeneratedToken& token : generated) {
    tokens.push_back(token.token);
    list.push_back(
        {{"token", token.token}, {"probability", token.probability}, {"energy", token.energy}});
  }
  result["model"] = flags.model;
  result["prompt"] = flags.prompt;
  result["text"] = tokenizer.decode(tokens);
  result["seed"] = flags.seed;
  result["tokens"] = std::move(list);
  // A model may write bytes that are no UTF-8, which JSON cannot hold: "token" has them exactly.
  fmt::print("{}\n", result.dump(2, ' ', false, Json::error_handler_t::replace));
}

void run_generate(const Flags& command_flags) {
  GenerateFlags flags;
  command_flags.apply_to(flags);
  open_config(flags.model);
  check_counts({{"tokens", flags.tokens, 0}, {"think-steps", flags.think_steps, 0}});
  use_threads(flags.threads);
  GenerateOptions options;
  options.tokens = flags.tokens;
  options.temperature = flags.temperature;
  options.top_p = flags.top_p;
  options.seed = flags.seed;
  options.think = PassOptions{.steps = flags.think_steps, .seed = flags.seed};
  options.check();
  const auto tokenizer = load_tokenizer(flags.model);
  options.document_separator = tokenizer->document_separator();
  const auto model = load_model<float>(flags.model, 1);
  const bool text = !command_flags.json() && !flags.trace;
  if (text) {
    fmt::print("{}", flags.prompt);
  }
  const auto on_token = [&](const GeneratedToken& token) {
    if (text) {
      fmt::print("{}", tokenizer->decode({&token.token, 1}));
      std::fflush(stdout);
    } else if (!command_flags.json()) {
      print_trace(*tokenizer, token);
    }
  };
  const std::vector<GeneratedToken> generated =
      generate(*model, tokenizer->encode(flags.prompt), options, on_token);
  if (command_flags.json()) {
    print_json(flags, *tokenizer, generated);
  } else if (text) {
    fmt::print("\n");
  }
}

}  // namespace

void register_generate(CLI::App& app) {
  add_command(
      app, "generate", "Let a model continue a text, thinking about every token.", kExamples,
      [](Flags& flags) { flags.bind(GenerateFlags{}, "Generation"); }, run_generate);
}

}  // namespace ebt
