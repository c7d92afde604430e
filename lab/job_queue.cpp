#include "lab/job_queue.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/work_watch.h"
#include "ebt/io/file.h"
#include "ebt/io/file_lock.h"
#include "ebt/io/folder.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

constexpr auto kPollInterval = std::chrono::milliseconds(100);
constexpr size_t kMostText_bytes = 1'000'000;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Differs between any two files that were ever written under a name; empty if there is none.
std::string mark_of(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0
             ? fmt::format("{} {} {}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
             : "";
}

void check_ids(const std::vector<Job>& jobs) {
  constexpr size_t kLongest = 100;
  std::set<std::string> seen;
  for (const Job& job : jobs) {
    const bool is_name = std::all_of(job.id.begin(), job.id.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("._+=-").find(c) != std::string_view::npos;
    });
    EBT_CHECK(is_name && !job.id.empty() && job.id.size() <= kLongest && job.id.front() != '.',
              "job {:?}: an id has 1 to {} letters, digits and characters of \"._+=-\", and does "
              "not begin with a dot",
              job.id, kLongest);
    EBT_CHECK(seen.insert(job.id).second, "job {:?}: there are two of this id", job.id);
  }
}

std::string text_of(const Json& json) {
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + '\n';
}

nlohmann::json read_json(const fs::path& path) {
  return parse_json(MappedFile(path).text(), fmt::format("'{}'", path.string()));
}

}  // namespace

JobQueue::JobQueue(fs::path folder, std::vector<Job> jobs)
    : folder_(std::move(folder)), jobs_(std::move(jobs)) {
  check_ids(jobs_);
  make_folder(folder_ / "jobs");
  const FileLock lock = FileLock::wait_for(folder_ / "lock");
  for (const Job& job : jobs_) {
    make_files(job);
  }
}

void JobQueue::make_files(const Job& job) const {
  const fs::path path = folder_of(job) / "job.json";
  if (!is_there(path)) {
    make_folder(folder_of(job));
    write_file_atomically(path, text_of(job.parameters));
    return;
  }
  const std::string key =
      first_difference(read_json(path), nlohmann::json::parse(text_of(job.parameters)));
  EBT_CHECK(key.empty(),
            "'{}' asks with another {:?}: use the same settings, or choose another folder",
            path.string(), key);
}

JobState JobQueue::state_of(const Job& job) const {
  const fs::path folder = folder_of(job);
  // Asked first: who holds the lock may write the result and let go at any time.
  const bool locked = FileLock::is_held(folder / "lock");
  if (is_there(folder / "result.json")) {
    return JobState::kDone;
  }
  if (locked) {
    return JobState::kRunning;
  }
  return is_there(folder / "failure.txt") ? JobState::kFailed : JobState::kWaiting;
}

std::vector<JobState> JobQueue::states() const {
  std::vector<JobState> states;
  for (const Job& job : jobs_) {
    states.push_back(state_of(job));
  }
  return states;
}

std::vector<std::optional<nlohmann::json>> JobQueue::results() const {
  std::vector<std::optional<nlohmann::json>> results;
  for (const Job& job : jobs_) {
    const fs::path path = folder_of(job) / "result.json";
    results.emplace_back();
    if (is_there(path)) {
      try {
        results.back() = read_json(path);
      } catch (const Error& error) {
        fail("{}; delete the file, and the job is done again", error.what());
      }
    }
  }
  return results;
}

std::vector<std::optional<std::string>> JobQueue::failures() const {
  std::vector<std::optional<std::string>> failures;
  for (const Job& job : jobs_) {
    failures.emplace_back();
    if (state_of(job) == JobState::kFailed) {
      std::string text = read_text_file(folder_of(job) / "failure.txt", kMostText_bytes);
      failures.back() = text.substr(0, text.find_last_not_of('\n') + 1);
    }
  }
  return failures;
}

QueueProgress JobQueue::progress(const Job* job) const {
  QueueProgress progress;
  progress.jobs = static_cast<int64_t>(jobs_.size());
  for (const JobState state : states()) {
    progress.done += state == JobState::kDone ? 1 : 0;
    progress.failed += state == JobState::kFailed ? 1 : 0;
    progress.running += state == JobState::kRunning ? 1 : 0;
  }
  progress.job = job;
  return progress;
}

JobQueue::Attempt JobQueue::attempt(const Job& job, const std::string& old_failure,
                                    const JobWork& work, const QueueObserver& observer) const {
  const fs::path folder = folder_of(job);
  const fs::path failure = folder / "failure.txt";
  const auto is_finished = [&] {
    return is_there(folder / "result.json") ||
           (is_there(failure) && mark_of(failure) != old_failure);
  };
  if (is_finished()) {
    return Attempt::kFinished;
  }
  const std::optional<FileLock> lock = FileLock::try_take(folder / "lock");
  if (!lock) {
    return Attempt::kElsewhere;
  }
  if (is_finished()) {  // by the process that had the lock until now
    return Attempt::kFinished;
  }
  std::error_code error;
  fs::remove(failure, error);
  EBT_CHECK(!error, "cannot remove '{}': {}", failure.string(), error.message());
  if (observer.on_progress) {
    observer.on_progress(progress(&job));
  }
  std::optional<Json> result;
  try {
    const WorkWatch watch{observer.stop_requested, nullptr};
    const WatchedWork watched(watch);
    result = work(job, folder, observer.stop_requested);
  } catch (const Stopped&) {
    return Attempt::kStopped;
  } catch (const std::bad_alloc&) {
    write_file_atomically(failure, "out of memory\n");
    return Attempt::kFinished;
  } catch (const std::exception& thrown) {
    write_file_atomically(failure,
                          std::string(thrown.what()).substr(0, kMostText_bytes - 1) + '\n');
    return Attempt::kFinished;
  }
  if (!result) {
    return Attempt::kStopped;
  }
  write_file_atomically(folder / "result.json", text_of(*result));
  return Attempt::kFinished;
}

bool JobQueue::run(const JobWork& work, const QueueObserver& observer) {
  results();  // a damaged one should not be found after hours of work on others
  std::vector<std::string> old_failures;
  for (const Job& job : jobs_) {
    old_failures.push_back(mark_of(folder_of(job) / "failure.txt"));
  }
  for (bool elsewhere = true; elsewhere;) {
    elsewhere = false;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      if (observer.stop_requested && observer.stop_requested()) {
        return false;
      }
      const Attempt attempt = this->attempt(jobs_[i], old_failures[i], work, observer);
      if (attempt == Attempt::kStopped) {
        return false;
      }
      elsewhere = elsewhere || attempt == Attempt::kElsewhere;
    }
    if (elsewhere) {
      if (observer.on_progress) {
        observer.on_progress(progress(nullptr));
      }
      std::this_thread::sleep_for(kPollInterval);
    }
  }
  if (observer.on_progress) {
    observer.on_progress(progress(nullptr));
  }
  return true;
}

}  // namespace ebt
