#include "ebt/eval/infill_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "ebt/data/even_choice.h"
#include "ebt/eval/statistics.h"

namespace ebt {
namespace {

double share(double part, int64_t of) { return of > 0 ? part / static_cast<double>(of) : 0.0; }

// Adds value to sums[i].
void add_at(std::vector<double>& sums, size_t i, double value) {
  sums.resize(std::max(sums.size(), i + 1));
  sums[i] += value;
}

// Measures the solutions of some rows.
class Tally {
 public:
  Tally(const AnswerBatch& batch, const AnswerJudge& is_right, InfillScores& scores)
      : batch_(batch), is_right_(is_right), scores_(scores) {}

  bool right(int64_t row, Tensor<const int32_t> answer) const {
    const Tensor<const int32_t> truth = batch_.token_view().slice(row, 1);
    return is_right_ ? is_right_(truth, batch_.known_view().slice(row, 1), answer)
                     : std::equal(truth.begin(), truth.end(), answer.begin());
  }
  int64_t right_tokens(int64_t row, Tensor<const int32_t> answer) const {
    int64_t count = 0;
    for (int64_t i = 0; i < batch_.length; ++i) {
      const auto at = static_cast<size_t>(row * batch_.length + i);
      count += batch_.known[at] == 0 && batch_.tokens[at] == answer[i] ? 1 : 0;
    }
    return count;
  }
  void add_step(const SolverStep<float>& step) const {
    if (step.thought != 0) {
      return;
    }
    const auto at = static_cast<size_t>(step.step);
    add_at(scores_.solved_by_step, at, right(step.row, step.answer) ? 1 : 0);
    add_at(scores_.accuracy_by_step, at, static_cast<double>(right_tokens(step.row, step.answer)));
    add_at(scores_.energy_by_step, at, step.energy);
  }
  bool add_solution(int64_t row, const Solution& solution, const SolveOptions& options) const {
    const auto length = static_cast<int64_t>(solution.answer.size());
    const auto view = [&](const std::vector<int32_t>& answer) {
      return Tensor<const int32_t>{answer.data(), {length}};
    };
    const bool is_right = right(row, view(solution.answer));
    scores_.solved += is_right ? 1 : 0;
    scores_.accuracy += static_cast<double>(right_tokens(row, view(solution.answer)));
    scores_.agreed += share(static_cast<double>(solution.agreed), options.restarts);
    bool any = false;
    double least = 0;
    bool kept_right = false;
    int64_t passes = 0;
    for (size_t i = 0; i < solution.thoughts.size(); ++i) {
      const ThoughtResult& thought = solution.thoughts[i];
      passes += thought.steps;
      const bool thought_right = right(row, view(thought.answer));
      any = any || thought_right;
      if (i == 0 || thought.cost < least) {
        least = thought.cost;
        kept_right = thought_right;
      }
      scores_.by_passes.resize(std::max(scores_.by_passes.size(), i + 1));
      scores_.by_passes[i].passes += static_cast<double>(passes);
      scores_.by_passes[i].solved += kept_right ? 1 : 0;
    }
    scores_.any_solved += any ? 1 : 0;
    // A thought that ended early stays where it is.
    const ThoughtResult& first = solution.thoughts.front();
    for (int64_t step = first.steps; step < options.steps; ++step) {
      const auto at = static_cast<size_t>(step);
      add_at(scores_.solved_by_step, at, right(row, view(first.answer)) ? 1 : 0);
      add_at(scores_.accuracy_by_step, at,
             static_cast<double>(right_tokens(row, view(first.answer))));
      add_at(scores_.energy_by_step, at, first.energy);
    }
    return is_right;
  }

 private:
  const AnswerBatch& batch_;
  const AnswerJudge& is_right_;
  InfillScores& scores_;
};

}  // namespace

InfillScores measure_answers(InfillModel<float>& model, const AnswerSet& answers,
                             const SolveOptions& options, int64_t wanted, int64_t batch_rows,
                             const AnswerJudge& is_right,
                             const std::function<void(double)>& progress) {
  const int64_t total = limited(wanted, answers.count());
  EBT_CHECK(total > 0, "there are no rows to measure");
  InfillScores scores;
  scores.rows = total;
  std::vector<double> confidences;
  std::vector<bool> kept_right;
  AnswerBatch batch;
  for (int64_t first = 0; first < total; first += batch_rows) {
    const int64_t count = std::min(batch_rows, total - first);
    answers.fill_evenly(batch, first, count, total);
    scores.unknown_tokens += std::count(batch.known.begin(), batch.known.end(), uint8_t{0});
    const Tally tally(batch, is_right, scores);
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<Solution> solutions =
        solve<float>(model, {batch.token_view(), batch.known_view(), first}, options,
                     [&](const SolverStep<float>& step) { tally.add_step(step); });
    scores.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    for (int64_t row = 0; row < count; ++row) {
      const Solution& solution = solutions[static_cast<size_t>(row)];
      confidences.push_back(-solution.thoughts[static_cast<size_t>(solution.kept)].cost);
      kept_right.push_back(tally.add_solution(row, solution, options));
    }
    progress(static_cast<double>(first + count) / static_cast<double>(total));
  }
  const auto to_means = [](std::vector<double>& sums, int64_t of) {
    for (double& sum : sums) {
      sum = share(sum, of);
    }
  };
  to_means(scores.solved_by_step, total);
  to_means(scores.accuracy_by_step, scores.unknown_tokens);
  to_means(scores.energy_by_step, total);
  if (model.config().arch != InfillArchitecture::kEbt) {
    scores.energy_by_step.clear();
  }
  for (InfillScores::Point& point : scores.by_passes) {
    point.passes = share(point.passes, total);
    point.solved = share(point.solved, total);
  }
  scores.solved = share(scores.solved, total);
  scores.accuracy = share(scores.accuracy, scores.unknown_tokens);
  scores.any_solved = share(scores.any_solved, total);
  scores.agreed = share(scores.agreed, total);
  scores.auroc = area_under_roc(confidences, kept_right);
  return scores;
}

Json InfillScores::to_json() const {
  Json json = {{"rows", rows},
               {"solved", solved},
               {"by_step", solved_by_step},
               {"accuracy", accuracy},
               {"accuracy_by_step", accuracy_by_step},
               {"any_solved", any_solved},
               {"agreed", agreed},
               {"auroc", auroc}};
  if (!energy_by_step.empty()) {
    json["energy_by_step"] = energy_by_step;
  }
  Json points = Json::array();
  for (const Point& point : by_passes) {
    points.push_back({{"passes", point.passes}, {"solved", point.solved}});
  }
  json["by_passes"] = points;
  json["seconds"] = seconds;
  return json;
}

std::string InfillScores::to_csv() const {
  std::string text = "passes,solved\n";
  for (size_t i = 0; i < solved_by_step.size(); ++i) {
    text += fmt::format("{},{}\n", i + 1, solved_by_step[i]);
  }
  for (size_t i = 1; i < by_passes.size(); ++i) {
    text += fmt::format("{},{}\n", by_passes[i].passes, by_passes[i].solved);
  }
  return text;
}

std::string InfillScores::to_table() const {
  std::string text = fmt::format("{} rows: {:.1f} % solved, {:.2f} % of what was asked for right\n",
                                 rows, 100 * solved, 100 * accuracy);
  text += "  passes   solved   what\n";
  for (size_t step = 1; step <= solved_by_step.size(); step *= 2) {
    text += fmt::format("{:8}  {:5.1f} %   one thought\n", step, 100 * solved_by_step[step - 1]);
  }
  for (size_t count = 2; count <= by_passes.size(); count *= 2) {
    const Point& point = by_passes[count - 1];
    text += fmt::format("{:8.0f}  {:5.1f} %   the best of {} thoughts\n", point.passes,
                        100 * point.solved, count);
  }
  if (by_passes.size() > 1) {
    text +=
        fmt::format("any thought right {:.1f} %, restarts that agree with the answer {:.1f} %\n",
                    100 * any_solved, 100 * agreed);
  }
  return text;
}

}  // namespace ebt
