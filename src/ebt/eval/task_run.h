// A task measured with a model, one way of thinking at a time, and the journal that lets an
// interrupted measurement go on.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ebt/eval/task.h"

namespace ebt {

// The results of the first examples of a measurement, one a line, under a line that says what is
// measured. A line is written as soon as its example is judged; one that a killed process left
// incomplete is measured again.
class TaskJournal {
 public:
  // Opens the journal, and makes it if it is missing. Throws Error when it is the journal of
  // something other than `subject`, a later line is damaged, or it cannot be written.
  TaskJournal(std::filesystem::path path, const Json& subject);
  TaskJournal(const TaskJournal&) = delete;
  TaskJournal& operator=(const TaskJournal&) = delete;
  ~TaskJournal();

  // Of the examples that the journal held when it was opened, in order.
  const std::vector<ExampleResult>& results() const { return results_; }
  // Appends the result of the next example. Throws Error when it cannot be written whole.
  void write(const ExampleResult& result);

 private:
  void append(const std::string& line);

  std::filesystem::path path_;
  std::vector<ExampleResult> results_;
  int descriptor_ = -1;
};

// A fingerprint of all that a task asks: of its examples as tokens, and how much may be written.
std::string task_fingerprint(const Task& task);

// Makes a task's request think so, name the likeliest token and always write it. `number` tells the
// requests of a task apart: each has noise of its own, whatever runs at the same time.
void set_thinking(Query& query, const ThinkOptions& think, uint64_t number);

// Measures every example, with answers that are always the likeliest tokens. What `journal` (may be
// null) holds is not measured again. `on_example` (may be empty) is told how many examples are
// done. Results do not depend on interruptions. Throws Error when `think` limits the steps of a
// text.
TaskTotals run_task(Generator& generator, const Task& task, const ThinkOptions& think,
                    TaskJournal* journal, const std::function<void(int64_t done)>& on_example);

}  // namespace ebt
