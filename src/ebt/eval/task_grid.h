// A task over a grid of ways of thinking, beside a baseline: the table, and its files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ebt/eval/task.h"
#include "ebt/eval/task_run.h"

namespace ebt {

// What one way of thinking gave. A baseline has none.
struct GridRow {
  std::optional<ThinkOptions> think;
  TaskTotals totals;
  std::vector<Metric> metrics;

  bool has_energies() const { return !totals.sums.energies.empty(); }
  // Over the scored tokens: mean final energy, and its correlations with the loss.
  double mean_energy() const;
  double pearson() const;
  double spearman() const;
};

struct TaskGrid {
  std::string task;         // "lambada"
  std::string description;  // Task::description()
  std::vector<GridRow> rows;

  // A table for people, ending in a line break. Where it is wider than `width` columns, it comes in
  // parts, each with the settings of the rows before it.
  std::string to_table(size_t width = 100) const;
  // One object; "points" has a member for each row.
  Json to_json() const;
  // A header and a line for each row. What a row does not have is empty.
  std::string to_csv() const;
};

// A model to measure.
struct Contender {
  Generator* generator = nullptr;
  std::string name;  // of its journals: "model", "baseline"
  Json identity;     // what its numbers depend on: a journal is only continued with the same
};

// Measures `task` with every way of thinking, or once where the contender does not think, and adds
// the rows. Shows progress on the standard error. With a folder, there is a journal for each row in
// it, `NAME-TASK-steps-S-candidates-C-stop-T.jsonl`, and what these hold is not measured again.
void measure_grid(const Contender& contender, const Task& task,
                  const std::vector<ThinkOptions>& options,
                  const std::optional<std::filesystem::path>& journals, TaskGrid& grid);

}  // namespace ebt
