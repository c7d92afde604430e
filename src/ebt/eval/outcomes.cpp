#include "ebt/eval/outcomes.h"

#include <cmath>
#include <optional>

#include "ebt/core/error.h"
#include "ebt/eval/scoring.h"
#include "ebt/eval/task_run.h"

namespace ebt {

TextOutcomes predict_outcomes(Generator& generator, const Task& text, const ThinkOptions& think,
                              const std::function<void(int64_t done)>& on_example) {
  EBT_CHECK(generator.config().arch == Architecture::kEbt,
            "calibration: the model is a Transformer++, which has no energy");
  TextOutcomes outcomes;
  int64_t asked = 0;
  int64_t done = 0;
  const auto next = [&]() -> std::optional<Query> {
    if (asked == text.examples()) {
      return std::nullopt;
    }
    Query query = text.queries(asked).at(0);
    set_thinking(query, think, static_cast<uint64_t>(asked++));
    return query;
  };
  const auto on_answer = [&](Answer&& answer) {
    std::vector<TokenOutcome>& half = done % 2 == 0 ? outcomes.fit : outcomes.held_out;
    for (const TokenReport& token : answer.tokens) {
      const TokenProbability& likeliest = token.top.at(0);
      half.push_back(
          {token.energy(), std::exp(likeliest.log_probability), likeliest.token == token.token});
    }
    ++done;
    if (on_example) {
      on_example(done);
    }
  };
  run_queries(generator, next, on_answer);
  return outcomes;
}

}  // namespace ebt
