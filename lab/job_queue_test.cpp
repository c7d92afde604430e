#include "lab/job_queue.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <new>
#include <thread>

#include "ebt/io/file.h"
#include "lab/draws.h"
#include "tests/support/error_text.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::FileSizeLimit;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

std::vector<Job> numbered_jobs(int64_t count) {
  std::vector<Job> jobs;
  for (int64_t i = 0; i < count; ++i) {
    jobs.push_back({fmt::format("job-{}", i), {{"number", i}}});
  }
  return jobs;
}

Json square_of(const Job& job) {
  const auto number = job.parameters["number"].get<int64_t>();
  return {{"square", number * number}};
}

std::optional<Json> square(const Job& job, const fs::path& /*folder*/,
                           const StopRequest& /*stop*/) {
  return square_of(job);
}

void expect_squares(const JobQueue& queue) {
  const auto results = queue.results();
  for (size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i].has_value()) << i;
    EXPECT_EQ((*results[i])["square"], i * i);
  }
}

// A process of its own that calls body() and ends, with status 0 if that threw nothing.
template <class Body>
pid_t process(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      body();
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  return child;
}
int status_of(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

void wait_for_file(const fs::path& path) {
  while (!fs::exists(path)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(JobQueue, DoesAllJobsInOrderAndNoneTwice) {
  const TemporaryFolder folder;
  std::vector<std::string> begun;
  const auto work = [&](const Job& job, const fs::path& job_folder, const StopRequest&) {
    EXPECT_EQ(job_folder, folder.path() / "jobs" / job.id);
    begun.push_back(job.id);
    return std::optional(square_of(job));
  };
  JobQueue queue(folder.path(), numbered_jobs(3));
  EXPECT_EQ(queue.states(), std::vector<JobState>(3, JobState::kWaiting));
  EXPECT_TRUE(queue.run(work));
  EXPECT_EQ(queue.states(), std::vector<JobState>(3, JobState::kDone));
  JobQueue again(folder.path(), numbered_jobs(4));
  EXPECT_EQ(again.states()[2], JobState::kDone);
  EXPECT_FALSE(again.results()[3]);
  EXPECT_TRUE(again.run(work));
  EXPECT_EQ(begun, (std::vector<std::string>{"job-0", "job-1", "job-2", "job-3"}));
  expect_squares(again);
}

TEST(JobQueue, IsSharedByProcessesWithoutDoingAJobTwice) {
  const TemporaryFolder folder;
  constexpr int64_t kJobs = 30;
  const auto work = [](const Job& job, const fs::path& job_folder, const StopRequest&) {
    std::ofstream(job_folder / "workers", std::ios::app) << getpid() << '\n';
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    return std::optional(square_of(job));
  };
  std::vector<pid_t> children;
  children.reserve(3);
  for (int i = 0; i < 3; ++i) {
    children.push_back(process([&] {
      JobQueue queue(folder.path(), numbered_jobs(kJobs));
      EBT_CHECK(queue.run(work), "not all were done");
      EBT_CHECK(queue.states() == std::vector<JobState>(kJobs, JobState::kDone),
                "run ended before the other processes");
    }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(status_of(child), 0);
  }
  const JobQueue queue(folder.path(), numbered_jobs(kJobs));
  expect_squares(queue);
  for (const Job& job : queue.jobs()) {
    const std::string workers = read_text_file(queue.folder_of(job) / "workers", 1000);
    EXPECT_EQ(std::count(workers.begin(), workers.end(), '\n'), 1) << job.id;
  }
}

TEST(JobQueue, TakesOverTheJobOfAKilledProcessWithItsFiles) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(2));
  const fs::path checkpoint = queue.folder_of(queue.jobs()[0]) / "checkpoint";
  const pid_t child = process([&] {
    JobQueue(folder.path(), numbered_jobs(2))
        .run([&](const Job&, const fs::path&, const StopRequest&) -> std::optional<Json> {
          write_file_atomically(checkpoint, "half of it");
          for (;;) {
            pause();
          }
        });
  });
  wait_for_file(checkpoint);
  EXPECT_EQ(queue.states(), (std::vector<JobState>{JobState::kRunning, JobState::kWaiting}));
  kill(child, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(status_of(child)));
  EXPECT_EQ(queue.states(), std::vector<JobState>(2, JobState::kWaiting));
  std::string found;
  EXPECT_TRUE(queue.run([&](const Job& job, const fs::path& job_folder, const StopRequest&) {
    if (fs::exists(job_folder / "checkpoint")) {
      found += job.id + ": " + read_text_file(job_folder / "checkpoint", 100);
    }
    return std::optional(square_of(job));
  }));
  EXPECT_EQ(found, "job-0: half of it");
  expect_squares(queue);
}

TEST(JobQueue, WaitsForTheJobsOfOtherProcesses) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(2));
  const fs::path begun = queue.folder_of(queue.jobs()[0]) / "begun";
  const fs::path leave = queue.folder_of(queue.jobs()[0]) / "leave";
  const pid_t child = process([&] {
    JobQueue(folder.path(), numbered_jobs(1))
        .run([&](const Job&, const fs::path&, const StopRequest&) {
          write_file_atomically(begun, "");
          wait_for_file(leave);
          return std::optional(Json{{"by", "the other"}});
        });
  });
  wait_for_file(begun);
  std::vector<std::string> here;
  QueueObserver observer;
  observer.on_progress = [&](const QueueProgress& progress) {
    if (progress.job != nullptr) {
      here.push_back(progress.job->id);
      EXPECT_EQ(progress.running, 2);
    } else if (progress.running == 1 && !fs::exists(leave)) {
      EXPECT_EQ(progress.done, 1);
      write_file_atomically(leave, "");
    }
  };
  EXPECT_TRUE(queue.run(square, observer));
  EXPECT_EQ(status_of(child), 0);
  EXPECT_EQ(here, std::vector<std::string>{"job-1"});
  EXPECT_EQ((*queue.results()[0])["by"], "the other");
}

TEST(JobQueue, SurvivesKillsAtAnyMoment) {
  const TemporaryFolder folder;
  constexpr int64_t kJobs = 12;
  const auto work_slowly = [](const Job& job, const fs::path&, const StopRequest&) {
    std::this_thread::sleep_for(std::chrono::microseconds(500));
    return std::optional(square_of(job));
  };
  Draws draws(1, LabPart::kPuzzles, 0);
  int kills = 0;
  for (int i = 0; i < 40; ++i) {
    const pid_t child =
        process([&] { JobQueue(folder.path(), numbered_jobs(kJobs)).run(work_slowly); });
    std::this_thread::sleep_for(std::chrono::microseconds(draws.below(6000)));
    kill(child, SIGKILL);
    kills += WIFSIGNALED(status_of(child)) ? 1 : 0;
  }
  EXPECT_GT(kills, 0);
  JobQueue queue(folder.path(), numbered_jobs(kJobs));
  EXPECT_TRUE(queue.run(square));
  expect_squares(queue);
}

TEST(JobQueue, NotesAFailureAndGoesOn) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(4));
  EXPECT_TRUE(
      queue.run([](const Job& job, const fs::path&, const StopRequest&) -> std::optional<Json> {
        EBT_CHECK(job.id != "job-0", "step 7: the loss is not finite");
        if (job.id == "job-1") {
          throw std::bad_alloc();
        }
        if (job.id == "job-2") {
          throw std::out_of_range("an index");
        }
        return square_of(job);
      }));
  EXPECT_EQ(queue.states(), (std::vector<JobState>{JobState::kFailed, JobState::kFailed,
                                                   JobState::kFailed, JobState::kDone}));
  EXPECT_EQ(queue.failures(),
            (std::vector<std::optional<std::string>>{"step 7: the loss is not finite",
                                                     "out of memory", "an index", std::nullopt}));
}

TEST(JobQueue, TriesAFailedJobOnceMoreWhenItIsRunAgain) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(3));
  int tries = 0;
  const auto work = [&](const Job& job, const fs::path& job_folder,
                        const StopRequest&) -> std::optional<Json> {
    if (job.id == "job-1") {
      EXPECT_FALSE(fs::exists(job_folder / "failure.txt"));
      EBT_CHECK(++tries == 3, "try {}", tries);
    }
    return square_of(job);
  };
  EXPECT_TRUE(queue.run(work));
  EXPECT_EQ(tries, 1);
  EXPECT_TRUE(queue.run(work));
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(queue.failures()[1], "try 2");
  EXPECT_TRUE(queue.run(work));
  EXPECT_EQ(tries, 3);
  expect_squares(queue);
  EXPECT_EQ(queue.failures()[1], std::nullopt);
}

TEST(JobQueue, DoesNotRepeatWhatFailedInAnotherProcessMeanwhile) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(2));
  const auto fail_in_another_process = [&] {
    EXPECT_EQ(status_of(process([&] {
                JobQueue(folder.path(), {numbered_jobs(2)[1]})
                    .run([](const Job&, const fs::path&,
                            const StopRequest&) -> std::optional<Json> { fail("elsewhere"); });
              })),
              0);
  };
  fail_in_another_process();  // before: this one is tried again, did it not fail again meanwhile
  std::vector<std::string> here;
  EXPECT_TRUE(queue.run([&](const Job& job, const fs::path&, const StopRequest&) {
    here.push_back(job.id);
    fail_in_another_process();
    return std::optional(square_of(job));
  }));
  EXPECT_EQ(here, std::vector<std::string>{"job-0"});
  EXPECT_EQ(queue.failures()[1], "elsewhere");
}

TEST(JobQueue, StopsBetweenJobsAndWithinThem) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(3));
  int asked = 0;
  QueueObserver observer;
  observer.stop_requested = [&] { return ++asked > 2; };
  // Asked before the first job, before the second, and within it.
  const auto work = [&](const Job& job, const fs::path&,
                        const StopRequest& stop) -> std::optional<Json> {
    if (job.id == "job-1" && stop()) {
      return std::nullopt;
    }
    return square_of(job);
  };
  EXPECT_FALSE(queue.run(work, observer));
  EXPECT_EQ(queue.states(),
            (std::vector<JobState>{JobState::kDone, JobState::kWaiting, JobState::kWaiting}));
  EXPECT_FALSE(queue.run(work, observer));
  EXPECT_EQ(queue.states()[1], JobState::kWaiting);
  observer.stop_requested = nullptr;
  EXPECT_TRUE(queue.run(square, observer));
  expect_squares(queue);
}

TEST(JobQueue, StopsWhileItWaits) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(1));
  bool waited = false;
  // This process has the job, so a second view of the folder has to wait for it.
  EXPECT_TRUE(queue.run([&](const Job& job, const fs::path&, const StopRequest&) {
    QueueObserver observer;
    observer.on_progress = [&](const QueueProgress& progress) {
      EXPECT_EQ(progress.job, nullptr);
      waited = true;
    };
    observer.stop_requested = [&] { return waited; };
    EXPECT_FALSE(JobQueue(folder.path(), numbered_jobs(1)).run(square, observer));
    return std::optional(square_of(job));
  }));
  EXPECT_TRUE(waited);
}

TEST(JobQueue, SaysThatAResultIsDamagedBeforeItBegins) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(2));
  const std::string path = folder.write("jobs/job-1/result.json", "{\"square\": ");
  const std::string sentence =
      "'" + path +
      "' is not valid JSON: column 12: syntax error while parsing value - unexpected end of input; "
      "expected '[', '{', or a literal; delete the file, and the job is done again";
  EXPECT_EQ(error_text([&] { queue.results(); }), sentence);
  EXPECT_EQ(error_text([&] { queue.run(square); }), sentence);
  EXPECT_EQ(queue.states()[0], JobState::kWaiting);
  fs::remove(path);
  EXPECT_TRUE(queue.run(square));
  expect_squares(queue);
}

TEST(JobQueue, RefusesAFolderInWhichSomethingElseIsAsked) {
  const TemporaryFolder folder;
  const auto job_of = [](const char* parameters) {
    return std::vector<Job>{{"a", Json::parse(parameters)}};
  };
  const JobQueue first(folder.path(), job_of(R"({"seed": 1, "rate": 0.1})"));
  const JobQueue same(folder.path(), job_of(R"({"rate": 0.1, "seed": 1})"));
  const std::string path = folder.file("jobs/a/job.json");
  EXPECT_EQ(
      error_text([&] { JobQueue(folder.path(), job_of(R"({"seed": 1, "rate": 0.2})")); }),
      "'" + path + "' asks with another \"rate\": use the same settings, or choose another folder");
  EXPECT_EQ(
      error_text([&] { JobQueue(folder.path(), job_of(R"({"rate": 0.1})")); }),
      "'" + path + "' asks with another \"seed\": use the same settings, or choose another folder");
  folder.write("jobs/a/job.json", "3");
  EXPECT_EQ(error_text([&] { JobQueue(folder.path(), job_of(R"({"rate": 0.1})")); }),
            "'" + path +
                "' asks with another \"(all)\": use the same settings, or choose another folder");
}

TEST(JobQueue, RefusesIdsThatAreNoFileNames) {
  const TemporaryFolder folder;
  const auto error_of = [&](const std::vector<std::string>& ids) {
    std::vector<Job> jobs;
    jobs.reserve(ids.size());
    for (const std::string& id : ids) {
      jobs.push_back({id, Json::object()});
    }
    return error_text([&] { JobQueue(folder.path(), jobs); });
  };
  const std::string rule =
      ": an id has 1 to 100 letters, digits and characters of \"._+=-\", and does not begin with a "
      "dot";
  EXPECT_EQ(error_of({"../a"}), "job \"../a\"" + rule);
  EXPECT_EQ(error_of({""}), "job \"\"" + rule);
  EXPECT_EQ(error_of({"a b"}), "job \"a b\"" + rule);
  EXPECT_EQ(error_of({std::string(101, 'a')}), "job \"" + std::string(101, 'a') + "\"" + rule);
  EXPECT_EQ(error_of({"a", "b", "a"}), "job \"a\": there are two of this id");
  EXPECT_EQ(error_of({"ebt_size=4xs.seed-1+x"}), "no error");
}

TEST(JobQueue, SaysThatItsFolderCannotBeMade) {
  const TemporaryFolder folder;
  const std::string file = folder.write("file", "");
  EXPECT_EQ(error_text([&] { JobQueue(file, {}); }),
            "cannot make the folder '" + file + "/jobs': Not a directory");
}

TEST(JobQueue, DoesNotTakeAFullDiskForAFailureOfTheJob) {
  const TemporaryFolder folder;
  JobQueue queue(folder.path(), numbered_jobs(1));
  const std::string path = folder.file("jobs/job-0/result.json");
  {
    const FileSizeLimit limit(1000);
    EXPECT_EQ(error_text([&] {
                queue.run([](const Job&, const fs::path&, const StopRequest&) {
                  return std::optional(Json{{"text", std::string(5000, 'x')}});
                });
              }),
              "cannot write '" + path + "': File too large");
  }
  EXPECT_EQ(queue.states()[0], JobState::kWaiting);
  EXPECT_TRUE(queue.run(square));
}

}  // namespace
}  // namespace ebt
