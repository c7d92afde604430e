// An experiment: a question, runs that answer it, and the page that tells the answer.
//
//   FOLDER/lab.json        which experiment it is, with all of its settings
//   FOLDER/jobs/           its runs (job_queue.h)
//   FOLDER/report.html     and summary.json, and a table and a figure for each section
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/job_queue.h"
#include "lab/lab_report.h"
#include "lab/learner.h"

namespace ebt {

inline constexpr char kLabFile[] = "lab.json";

// A run, and what came of it, if it is done.
struct LabResult {
  Job job;
  std::optional<nlohmann::json> result;
};

class Lab {
 public:
  virtual ~Lab() = default;

  virtual std::string name() const = 0;  // "think"
  // All settings, flat.
  virtual Json config() const = 0;
  virtual std::vector<Job> jobs() const = 0;
  // Does a run in a folder of its own, from where an earlier attempt stopped. `lab_folder` holds
  // what runs share. Nothing where it was asked to stop.
  virtual std::optional<Json> work(const Job& job, const std::filesystem::path& folder,
                                   const std::filesystem::path& lab_folder,
                                   const JobWatch& watch) const = 0;
  // What the results so far say. `commands` is left to run_lab.
  virtual LabReport report(const std::vector<LabResult>& results) const = 0;
};

struct LabRun {
  std::filesystem::path folder;
  std::string command;                             // that repeats it
  std::function<bool()> stop_requested = nullptr;  // may be empty
  bool quiet = false;                              // no progress on the standard error
};

struct LabOutcome {
  LabState state;
  LabReport report;
};

// Does the runs that are left, or helps other processes to, and writes the report whenever one is
// done. Runs that fail are told in it, and do not stop the others. Returns what is known then.
// Throws Error when the folder holds another experiment, or cannot be written.
LabOutcome run_lab(const Lab& lab, const LabRun& run);

}  // namespace ebt
