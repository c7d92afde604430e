// Jobs in a folder, shared by any number of processes on one machine, none of which need survive.
//
//   FOLDER/lock                 held while the files of jobs are made or compared
//   FOLDER/jobs/ID/job.json     what is asked
//   FOLDER/jobs/ID/lock         held by the process that does the job; the system lets go of it
//                               when the process ends, however it ends
//   FOLDER/jobs/ID/result.json  what came of it; it appears whole, and the job is done
//   FOLDER/jobs/ID/failure.txt  what went wrong when the job was last tried
//
// A job belongs to who holds its lock (io/file_lock.h), so nothing has to be cleaned up after a
// process that was killed: its job is taken by whoever comes next, and finds the files that were
// left in its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"

namespace ebt {

struct Job {
  std::string id;   // a file name of letters, digits and "._+=-"
  Json parameters;  // an object: all that the result depends on
};

enum class JobState {
  kWaiting,
  kRunning,  // in this process or another
  kDone,
  kFailed,
};

using StopRequest = std::function<bool()>;

// Does a job, with its folder for the files of its own, and returns its result; or nothing where it
// stopped before its end because `stop_requested`, which long computations ask by themselves (they
// throw Stopped): then it is tried again by the next run.
using JobWork = std::function<std::optional<Json>(
    const Job& job, const std::filesystem::path& folder, const StopRequest& stop_requested)>;

struct QueueProgress {
  int64_t jobs = 0;
  int64_t done = 0;
  int64_t failed = 0;
  int64_t running = 0;       // in all processes
  const Job* job = nullptr;  // that begins in this process now; null: it waits for others, or ends
};

struct QueueObserver {
  // Told of every job that begins here, again and again while waiting for other processes, and at
  // the end. May be empty.
  std::function<void(const QueueProgress&)> on_progress = nullptr;
  // Asked between jobs and while waiting, and handed on to the work. May be empty.
  StopRequest stop_requested = nullptr;
};

// One process's view of the folder. Not thread-safe.
class JobQueue {
 public:
  // Makes the files of jobs that are new. Jobs of the folder that are not among `jobs` are left
  // alone. Throws Error for an id that is no file name or not unique, when a job of the folder has
  // other parameters, or files cannot be read or written.
  JobQueue(std::filesystem::path folder, std::vector<Job> jobs);

  const std::vector<Job>& jobs() const { return jobs_; }
  std::filesystem::path folder_of(const Job& job) const { return folder_ / "jobs" / job.id; }

  // All in the order of jobs().
  std::vector<JobState> states() const;
  // Of the jobs that are done. Throws Error when one is damaged.
  std::vector<std::optional<nlohmann::json>> results() const;
  // What went wrong, of the jobs that failed.
  std::vector<std::optional<std::string>> failures() const;

  // Does jobs that nobody else has, one after the other, until all are done or have failed: waits
  // for those of other processes, and takes over those of processes that die. What `work` throws
  // (of std::exception) is the job's failure and does not stop the rest. A job that had failed
  // before run() began is tried once more. Returns whether all are done or failed: false where it
  // was stopped. Throws Error when a result is damaged, or files cannot be read or written.
  bool run(const JobWork& work, const QueueObserver& observer = {});

 private:
  enum class Attempt { kFinished, kElsewhere, kStopped };
  // `old_failure` tells the failure from before run() began, if there was one.
  Attempt attempt(const Job& job, const std::string& old_failure, const JobWork& work,
                  const QueueObserver& observer) const;
  JobState state_of(const Job& job) const;
  QueueProgress progress(const Job* job) const;
  void make_files(const Job& job) const;

  std::filesystem::path folder_;
  std::vector<Job> jobs_;
};

}  // namespace ebt
