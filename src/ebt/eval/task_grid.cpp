#include "ebt/eval/task_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/eval/statistics.h"

namespace ebt {
namespace {

constexpr int64_t kJournalVersion = 1;
constexpr char kThinkSteps[] = "think_steps";

// "4 steps, 2 candidates, stop 0.01"
std::string in_words(const std::optional<ThinkOptions>& think) {
  if (!think.has_value()) {
    return "baseline";
  }
  std::string words = think->steps == 0   ? "steps as in training"
                      : think->steps == 1 ? "1 step"
                                          : fmt::format("{} steps", think->steps);
  if (think->candidates > 1) {
    words += fmt::format(", {} candidates", think->candidates);
  }
  if (think->stop_change > 0) {
    words += fmt::format(", stop {}", think->stop_change);
  }
  return words;
}

std::string journal_name(const Contender& contender, const std::string& task,
                         const std::optional<ThinkOptions>& think) {
  if (!think.has_value()) {
    return fmt::format("{}-{}.jsonl", contender.name, task);
  }
  return fmt::format("{}-{}-steps-{}-candidates-{}-stop-{}.jsonl", contender.name, task,
                     think->steps, think->candidates, think->stop_change);
}

// One line that says how far a row is, and how long it still takes.
class RowProgress {
 public:
  RowProgress(ProgressLine& line, std::string words, int64_t examples, int64_t measured_before)
      : line_(line),
        words_(std::move(words)),
        examples_(examples),
        measured_before_(measured_before) {}

  void operator()(int64_t done) {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double left = seconds * static_cast<double>(examples_ - done) /
                        static_cast<double>(done - measured_before_);
    line_.update(fmt::format("{}: {} of {} examples, {} left", words_, done, examples_,
                             format_duration(left)));
  }

 private:
  using Clock = std::chrono::steady_clock;
  ProgressLine& line_;
  std::string words_;
  int64_t examples_;
  int64_t measured_before_;  // examples that a journal held
  Clock::time_point begin_ = Clock::now();
};

// A column of the table and of the CSV; without a value where a row has none.
struct Cell {
  std::string name;   // in files
  std::string words;  // in the table
  std::optional<double> value;
};

// What was asked for.
std::vector<Cell> settings(const GridRow& row) {
  std::vector<Cell> cells;
  const auto of_thinking = [&](const char* name, const char* words, double value) {
    cells.push_back({name, words, row.think ? std::optional(value) : std::nullopt});
  };
  const ThinkOptions think = row.think.value_or(ThinkOptions{});
  of_thinking(kThinkSteps, "steps", static_cast<double>(think.steps));
  of_thinking("candidates", "candidates", static_cast<double>(think.candidates));
  of_thinking("stop_change", "stop", think.stop_change);
  return cells;
}

// What came of it.
std::vector<Cell> measures(const GridRow& row) {
  std::vector<Cell> cells;
  cells.push_back({"thinking_steps_per_token", "steps/token",
                   row.think ? std::optional(row.totals.steps_per_token()) : std::nullopt});
  cells.push_back({"forward_passes_per_token", "passes/token", row.totals.passes_per_token()});
  for (const Metric& metric : row.metrics) {
    cells.push_back({metric.name, metric.words, metric.value});
  }
  const auto of_energy = [&](const char* name, const char* words, auto value) {
    cells.push_back(
        {name, words, row.has_energies() ? std::optional((row.*value)()) : std::nullopt});
  };
  of_energy("energy", "energy", &GridRow::mean_energy);
  of_energy("energy_loss_pearson", "Pearson", &GridRow::pearson);
  of_energy("energy_loss_spearman", "Spearman", &GridRow::spearman);
  return cells;
}

std::vector<Cell> columns(const GridRow& row) {
  std::vector<Cell> cells = settings(row);
  const std::vector<Cell> more = measures(row);
  cells.insert(cells.end(), more.begin(), more.end());
  return cells;
}

// A column of the table as it is printed: its head, and a text for every row.
struct TableColumn {
  std::vector<std::string> texts;
  bool is_setting = false;

  // With the space before it.
  size_t width() const {
    size_t widest = 7;  // as "-0.0123"
    for (const std::string& text : texts) {
      widest = std::max(widest, text.size());
    }
    return widest + 2;
  }
};

std::string text_of(const Cell& cell) {
  if (cell.name == kThinkSteps && cell.value == 0.0) {
    return "trained";
  }
  return cell.value ? fmt::format("{:.5g}", *cell.value) : "-";
}

// All columns, less those of settings that no row changes; first the kinds of the models.
std::vector<TableColumn> table_columns(const std::vector<GridRow>& rows) {
  std::vector<TableColumn> table = {{{""}, true}};
  for (const GridRow& row : rows) {
    table.front().texts.emplace_back(row.think ? "EBT" : "Transformer++");
  }
  if (rows.empty()) {
    return table;
  }
  GridRow unchanged;
  unchanged.think.emplace();
  const std::vector<Cell> usual = settings(unchanged);
  const size_t count = columns(rows.front()).size();
  for (size_t i = 0; i < count; ++i) {
    TableColumn column;
    column.is_setting = i < usual.size();
    column.texts.push_back(columns(rows.front())[i].words);
    bool differs = !column.is_setting || i == 0;  // the steps are always told
    for (const GridRow& row : rows) {
      const Cell cell = columns(row)[i];
      column.texts.push_back(text_of(cell));
      differs = differs || (cell.value.has_value() && cell.value != usual[i].value);
    }
    if (differs) {
      table.push_back(std::move(column));
    }
  }
  return table;
}

size_t settings_in(const std::vector<TableColumn>& table) {
  return static_cast<size_t>(
      std::count_if(table.begin(), table.end(), [](const auto& one) { return one.is_setting; }));
}

size_t width_of(const std::vector<TableColumn>& table) {
  size_t width = 0;
  for (const TableColumn& column : table) {
    width += column.width();
  }
  return width - 2;  // the first has no space before it
}

std::string line_of(const std::vector<TableColumn>& table, size_t line) {
  std::string text = fmt::format("{:<{}}", table.front().texts[line], table.front().width() - 2);
  for (size_t i = 1; i < table.size(); ++i) {
    text += fmt::format("{:>{}}", table[i].texts[line], table[i].width());
  }
  return text;
}

}  // namespace

double GridRow::mean_energy() const {
  const std::vector<double>& energies = totals.sums.energies;
  return std::accumulate(energies.begin(), energies.end(), 0.0) /
         static_cast<double>(energies.size());
}

double GridRow::pearson() const {
  return pearson_correlation(totals.sums.energies, totals.sums.losses);
}

double GridRow::spearman() const {
  return spearman_correlation(totals.sums.energies, totals.sums.losses);
}

std::string TaskGrid::to_table(size_t width) const {
  std::vector<TableColumn> table = table_columns(rows);
  std::string text = fmt::format("{}: {}\n", task, description);
  // The columns that say which row it is, before those of every part.
  const size_t kept = settings_in(table);
  for (size_t next = kept; next < table.size();) {
    std::vector<TableColumn> part(table.begin(), table.begin() + static_cast<ptrdiff_t>(kept));
    do {
      part.push_back(table[next++]);
    } while (next < table.size() && width_of(part) + table[next].width() <= width);
    text += '\n';
    for (size_t line = 0; line < rows.size() + 1; ++line) {
      text += line_of(part, line) + '\n';
    }
  }
  return text +
         "\nsteps, passes: per token that was scored or written; Pearson, Spearman: of energy and "
         "loss\n";
}

Json TaskGrid::to_json() const {
  Json object = {{"task", task}, {"description", description}};
  object["points"] = Json::array();
  for (const GridRow& row : rows) {
    Json point;
    point["arch"] = row.think ? "ebt" : "transformer_pp";
    for (const Cell& cell : measures(row)) {
      if (cell.value.has_value()) {
        point[cell.name] = *cell.value;
      }
    }
    if (row.totals.asked > 0) {
      point["asked"] = row.totals.asked;
      point["right"] = row.totals.right;
    }
    point["examples"] = row.totals.examples;
    point["tokens"] = row.totals.sums.tokens;
    point["bytes"] = row.totals.sums.bytes;
    if (row.think.has_value()) {
      point["thinking"] = fields_to_json(*row.think);
    }
    object["points"].push_back(std::move(point));
  }
  return object;
}

std::string TaskGrid::to_csv() const {
  std::string csv;
  for (const GridRow& row : rows) {
    std::string head = "arch";
    std::string line = row.think ? "ebt" : "transformer_pp";
    for (const Cell& cell : columns(row)) {
      head += "," + cell.name;
      line += "," + (cell.value ? fmt::format("{}", *cell.value) : std::string());
    }
    csv += csv.empty() ? head + ",examples,tokens\n" : "";
    csv += fmt::format("{},{},{}\n", line, row.totals.examples, row.totals.sums.tokens);
  }
  return csv;
}

void measure_grid(const Contender& contender, const Task& task,
                  const std::vector<ThinkOptions>& options,
                  const std::optional<std::filesystem::path>& journals, TaskGrid& grid) {
  const bool thinks = contender.generator->config().arch == Architecture::kEbt;
  EBT_CHECK(!options.empty(), "evaluation: there is no way of thinking to measure");
  ProgressLine line;
  for (size_t i = 0; i < (thinks ? options.size() : 1); ++i) {
    GridRow row;
    row.think = thinks ? std::optional(options[i]) : std::nullopt;
    std::unique_ptr<TaskJournal> journal;
    if (journals.has_value()) {
      Json subject = {{"format_version", kJournalVersion},
                      {"task", task_fingerprint(task)},
                      {"seed", options[i].seed}};
      subject.update(contender.identity);
      if (thinks) {
        subject.update(fields_to_json(options[i]));
      }
      journal = std::make_unique<TaskJournal>(
          *journals / journal_name(contender, grid.task, row.think), subject);
    }
    const auto before = journal ? static_cast<int64_t>(journal->results().size()) : 0;
    std::string words = in_words(row.think);
    if (thinks && options.size() > 1) {
      words = fmt::format("{} ({} of {})", words, i + 1, options.size());
    }
    RowProgress progress(line, std::move(words), task.examples(), before);
    row.totals = run_task(*contender.generator, task, options[i], journal.get(),
                          [&](int64_t done) { progress(done); });
    row.metrics = task.metrics(row.totals);
    grid.rows.push_back(std::move(row));
  }
}

}  // namespace ebt
