#include "ebt/eval/task_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <optional>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/file.h"
#include "ebt/io/fingerprint.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"

namespace ebt {
namespace {

[[noreturn]] void fail_with_errno(const std::filesystem::path& path) {
  fail("cannot write '{}': {}", path.string(), std::generic_category().message(errno));
}

}  // namespace

TaskJournal::TaskJournal(std::filesystem::path path, const Json& subject) : path_(std::move(path)) {
  std::error_code ignored;
  size_t kept = 0;
  if (std::filesystem::exists(path_, ignored)) {
    const MappedFile file(path_);
    const std::string_view text = file.text();
    int64_t line_number = 1;
    for (size_t end = 0; (end = text.find('\n', kept)) != std::string_view::npos; ++line_number) {
      const std::string source = fmt::format("line {} of '{}'", line_number, path_.string());
      const nlohmann::json line = parse_json(text.substr(kept, end - kept), source);
      if (line_number == 1) {
        const std::string key = first_difference(line, nlohmann::json::parse(json_text(subject)));
        EBT_CHECK(line.is_object() && key.empty(),
                  "'{}' measures with another {}: continue with the same settings, or name another "
                  "folder",
                  path_.string(), line.is_object() ? "\"" + key + "\"" : "program");
      } else {
        results_.push_back(ExampleResult::from_json(line, source));
      }
      kept = end + 1;
    }
  }
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    fail_with_errno(path_);
  }
  if (ftruncate(descriptor_, static_cast<off_t>(kept)) != 0) {
    close(descriptor_);
    fail_with_errno(path_);
  }
  if (kept == 0) {
    append(json_text(subject));
  }
}

TaskJournal::~TaskJournal() { close(descriptor_); }

void TaskJournal::write(const ExampleResult& result) {
  // A model may write bytes that are not UTF-8.
  append(result.to_json().dump(-1, ' ', false, Json::error_handler_t::replace));
}

void TaskJournal::append(const std::string& line) {
  const std::string text = line + '\n';
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  if (written < 0) {
    fail_with_errno(path_);
  }
  EBT_CHECK(static_cast<size_t>(written) == text.size(), "cannot write '{}': the disk is full",
            path_.string());
}

std::string task_fingerprint(const Task& task) {
  std::string all;
  for (int64_t example = 0; example < task.examples(); ++example) {
    for (const Query& query : task.queries(example)) {
      const GenerationRequest& request = query.request;
      const std::string_view prompt(reinterpret_cast<const char*>(request.prompt.data()),
                                    request.prompt.size() * sizeof(int32_t));
      all = fingerprint(fmt::format("{} {} {} {}", all, request.score_from, request.max_tokens,
                                    fingerprint(prompt)));
    }
  }
  return all;
}

void set_thinking(Query& query, const ThinkOptions& think, uint64_t number) {
  query.request.think = think;
  query.request.think.seed = think.seed * 0x9E3779B97F4A7C15U + number;
  query.request.sampling.temperature = 0;
  query.request.top_tokens = 1;
}

TaskTotals run_task(Generator& generator, const Task& task, const ThinkOptions& think,
                    TaskJournal* journal, const std::function<void(int64_t done)>& on_example) {
  EBT_CHECK(think.budget == 0,
            "think-budget: a text that is not thought about to its end cannot be measured");
  constexpr uint64_t kExampleStride = 1U << 16U;  // more requests than an example has
  TaskTotals totals;
  if (journal != nullptr) {
    EBT_CHECK(static_cast<int64_t>(journal->results().size()) <= task.examples(),
              "the journal of the evaluation has {} examples, and the task {}",
              journal->results().size(), task.examples());
    for (const ExampleResult& result : journal->results()) {
      totals.add(result);
    }
  }
  int64_t asked = totals.examples;  // examples whose requests were made
  std::deque<Query> waiting;        // requests of the last of them
  std::deque<size_t> sizes;         // numbers of requests of examples that are not judged yet
  std::vector<Answer> answers;      // of the first of these
  const auto next = [&]() -> std::optional<Query> {
    if (waiting.empty()) {
      if (asked == task.examples()) {
        return std::nullopt;
      }
      uint64_t number = static_cast<uint64_t>(asked) * kExampleStride;
      for (Query& query : task.queries(asked++)) {
        set_thinking(query, think, number++);
        waiting.push_back(std::move(query));
      }
      sizes.push_back(waiting.size());
    }
    Query query = std::move(waiting.front());
    waiting.pop_front();
    return query;
  };
  const auto on_answer = [&](Answer&& answer) {
    answers.push_back(std::move(answer));
    if (answers.size() < sizes.front()) {
      return;
    }
    const ExampleResult result = task.judge(totals.examples, answers);
    totals.add(result);
    if (journal != nullptr) {
      journal->write(result);
    }
    if (on_example) {
      on_example(totals.examples);
    }
    answers.clear();
    sizes.pop_front();
  };
  run_queries(generator, next, on_answer);
  return totals;
}

}  // namespace ebt
