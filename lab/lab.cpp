#include "lab/lab.h"

#include <fmt/format.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/io/file.h"
#include "ebt/io/file_lock.h"
#include "ebt/io/folder.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"

namespace ebt {
namespace {

constexpr size_t kMaxLab_bytes = 1'000'000;

// A folder belongs to one experiment with one set of settings: results of two must not be mixed.
void claim_folder(const Lab& lab, const std::filesystem::path& folder) {
  make_folder(folder);
  const FileLock lock = FileLock::wait_for(folder / "lock");
  const std::filesystem::path path = folder / kLabFile;
  const Json wanted = {{"lab", lab.name()}, {"config", lab.config()}};
  if (!std::filesystem::exists(path)) {
    constexpr int kIndent = 2;
    write_file_atomically(path, json_text(wanted, kIndent) + '\n');
    return;
  }
  const std::string source = fmt::format("'{}'", path.string());
  const nlohmann::json held = parse_json(read_text_file(path, kMaxLab_bytes), source);
  EBT_CHECK(held.is_object() && held.value("lab", "") == lab.name(),
            "'{}' holds another experiment than 'ebt lab {}': choose another --out",
            folder.string(), lab.name());
  const std::string key = first_difference(held.value("config", nlohmann::json::object()),
                                           nlohmann::json::parse(json_text(wanted["config"])));
  EBT_CHECK(key.empty(),
            "'{}' holds this experiment with another --{}: choose another --out, or the same "
            "settings to go on",
            folder.string(), key);
}

std::vector<LabResult> results_of(const JobQueue& queue) {
  std::vector<LabResult> results;
  std::vector<std::optional<nlohmann::json>> done = queue.results();
  for (size_t i = 0; i < done.size(); ++i) {
    results.push_back({queue.jobs()[i], std::move(done[i])});
  }
  return results;
}

LabState state_of(const JobQueue& queue, const std::vector<LabResult>& results) {
  LabState state;
  state.jobs = static_cast<int64_t>(results.size());
  for (const LabResult& result : results) {
    state.done += result.result.has_value() ? 1 : 0;
  }
  const std::vector<std::optional<std::string>> failures = queue.failures();
  for (size_t i = 0; i < failures.size(); ++i) {
    if (failures[i].has_value()) {
      state.failures.push_back(fmt::format("{}: {}", queue.jobs()[i].id, *failures[i]));
    }
  }
  return state;
}

LabOutcome write_report(const Lab& lab, const LabRun& run, const JobQueue& queue) {
  // Processes that share the folder write one after the other, each from what is done by then.
  const FileLock lock = FileLock::wait_for(run.folder / "lock");
  const std::vector<LabResult> results = results_of(queue);
  LabState state = state_of(queue, results);
  LabReport report = lab.report(results);
  report.commands = {run.command};
  report.config = lab.config();
  write_lab_files(run.folder, report, state);
  return {std::move(state), std::move(report)};
}

// One line: which run, how far it is, and how long all of them may take.
class LabProgress {
 public:
  explicit LabProgress(bool quiet) {
    if (!quiet) {
      line_.emplace();
    }
  }
  void queue(const QueueProgress& progress) {
    if (progress.job != nullptr) {
      if (job_ == nullptr) {
        first_done_ = progress.done + progress.failed;
      }
      job_ = progress.job;
    }
    progress_ = progress;
    if (line_.has_value() && progress.job == nullptr && progress.running > 0) {
      line_->update(fmt::format("run {} of {} done, waiting for {} in other processes",
                                progress.done, progress.jobs, progress.running));
    }
  }
  void job(const std::string& what, double share) {
    if (line_.has_value()) {
      const double finished =
          static_cast<double>(progress_.done + progress_.failed - first_done_) + share;
      const double left = static_cast<double>(progress_.jobs - first_done_) - finished;
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
      line_->update(fmt::format(
          "{} of {} runs done; {}: {}, {:.0f} %{}", progress_.done, progress_.jobs, job_->id, what,
          100 * share,
          finished > 0 ? "; about " + format_duration(seconds / finished * left) + " left"
                       : std::string()));
    }
  }
  void failure(const std::string& text) {
    if (line_.has_value()) {
      line_->note(text);
    }
  }

 private:
  std::optional<ProgressLine> line_;
  QueueProgress progress_;
  const Job* job_ = nullptr;
  int64_t first_done_ = 0;  // before this process began
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

LabOutcome run_lab(const Lab& lab, const LabRun& run) {
  claim_folder(lab, run.folder);
  JobQueue queue(run.folder, lab.jobs());
  LabProgress progress(run.quiet);
  JobWatch watch;
  watch.on_progress = [&](const std::string& what, double share) { progress.job(what, share); };
  watch.stop_requested = [&] { return run.stop_requested && run.stop_requested(); };
  QueueObserver observer;
  observer.on_progress = [&](const QueueProgress& state) {
    const bool begins = state.job != nullptr;
    progress.queue(state);
    if (begins) {
      write_report(lab, run, queue);
    }
  };
  observer.stop_requested = watch.stop_requested;
  queue.run([&](const Job& job, const std::filesystem::path& folder,
                const StopRequest& /*stop*/) { return lab.work(job, folder, run.folder, watch); },
            observer);
  LabOutcome outcome = write_report(lab, run, queue);
  for (const std::string& failure : outcome.state.failures) {
    progress.failure("failed: " + failure);
  }
  return outcome;
}

}  // namespace ebt
