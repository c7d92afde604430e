// Opens a model folder and thinks: for every token it writes, its text, the energy before the first
// thinking step and after each, and its log probability.
//   think MODEL [PROMPT]
#include <ebt/core/error.h>
#include <ebt/think/open_model.h>
#include <fmt/ranges.h>

#include <vector>

int main(int argc, char** argv) try {
  EBT_CHECK(argc == 2 || argc == 3, "usage: think MODEL [PROMPT]");
  const auto tokenizer = ebt::load_tokenizer(argv[1]);
  const auto generator = ebt::load_generator(argv[1], {});

  ebt::GenerationRequest request;
  request.prompt = tokenizer->encode(argc == 3 ? argv[2] : "");
  request.prompt.insert(request.prompt.begin(), tokenizer->document_separator());
  request.max_tokens = 20;
  request.think.steps = 4;
  request.sampling.temperature = 0;

  const auto show = [&](const ebt::TokenReport& report) {
    std::vector<double> energies;
    for (const ebt::ThinkingState& state : report.states) {
      energies.push_back(state.energy);
    }
    fmt::print("{:?}  energy {:.3f}  log probability {:.3f}\n",
               tokenizer->decode({&report.token, 1}), fmt::join(energies, " "),
               report.log_probability);
  };
  generator->submit(request, {.on_token = show, .on_finish = {}});
  while (generator->step()) {
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "think: {}\n", error.what());
  return 1;
}
