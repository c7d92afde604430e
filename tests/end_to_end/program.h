// Runs the real `ebt` program as a user would, and looks at what it leaves behind.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace ebt::testing {

using Arguments = std::vector<std::string>;

struct Outcome {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  std::string out;         // standard output
  std::string err;         // standard error
  int64_t peak_bytes = 0;  // of memory, pages of files included
};

// What the program is denied, and what else it finds.
struct Limits {
  std::optional<uint64_t> file_bytes = {};  // larger files cannot be written, as on a full disk
  bool unprivileged = false;                // run as a user who owns nothing
  std::string in = {};                      // a file to read; empty: the standard input of the test
  std::string out = {}, err = {};           // files to write to; empty: those that an Outcome shows
  bool closed_streams = false;              // no standard input, output and error at all
  bool ignores_hangup = false;              // as under nohup
  bool own_session = false;                 // a terminal that is `out` or `err` is its own
  bool one_core = false;                    // as `taskset`
  Arguments environment = {};               // "NAME=value"
};

// A running `ebt`.
class Program {
 public:
  explicit Program(const Arguments& arguments, const Limits& limits = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const;
  pid_t id() const { return process_; }
  // What it has written until now.
  std::string out_so_far() const;
  std::string err_so_far() const;
  // Waits until it ends. To be called once.
  Outcome wait();

 private:
  TemporaryFolder folder_;
  pid_t process_ = -1;
};

Outcome run_ebt(const Arguments& arguments, const Limits& limits = {});
// Expects success; returns the JSON object that it printed.
nlohmann::json run_ebt_json(Arguments arguments);

// Expects exit code 1, no output, one sentence with `part`, and a hint.
void expect_refused(const Arguments& arguments, const std::string& part);

std::string read_file(const std::filesystem::path& path);

// A few ten thousand bytes of real text: the headers of this project.
std::string real_text();

// `ebt train` of a model so small that a step takes about a millisecond, into `out`.
Arguments tiny_training(const std::string& data, const std::filesystem::path& out,
                        const Arguments& more = {});

// `ebt train image`, or another `kind` of it, of a model as small on 8 x 8 pixels of dead leaves,
// into `out`.
Arguments tiny_image_training(const std::filesystem::path& out, const Arguments& more = {},
                              const std::string& kind = "image");

// The lines of a metrics.jsonl without what the clock measured.
std::vector<nlohmann::json> metrics_without_clock(const std::filesystem::path& run);

// A folder with a text in it, and models trained on that.
class TextRuns : public ::testing::Test {
 protected:
  // Expects that tiny_training() of folder_/`name` succeeds; returns that folder.
  std::string train(const std::string& name, const Arguments& more = {}) const;

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
};

// Expects that two runs left the same weights, training state and metrics, to the bit.
void expect_same_run(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace ebt::testing
