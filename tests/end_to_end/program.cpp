#include "tests/end_to_end/program.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/support/file_size_limit.h"

namespace ebt::testing {
namespace {

constexpr uid_t kNobody = 65534;

// What happens in the child between fork and exec.
[[noreturn]] void become_ebt(std::vector<char*> arguments, const std::string& out,
                             const std::string& err, const Limits& limits) {
  if (limits.own_session) {
    setsid();
  }
  // A terminal becomes the session's by being opened for reading too.
  const int out_file =
      open(out.c_str(), (limits.own_session ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC, 0666);
  const int err_file = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  dup2(out_file, STDOUT_FILENO);
  dup2(err_file, STDERR_FILENO);
  close(out_file);
  close(err_file);
  if (!limits.in.empty()) {
    const int in_file = open(limits.in.c_str(), O_RDONLY);
    dup2(in_file, STDIN_FILENO);
    close(in_file);
  }
  if (limits.closed_streams) {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
  }
  // A test itself may run under nohup.
  std::signal(SIGHUP, limits.ignores_hangup ? SIG_IGN : SIG_DFL);
  // Both outlive exec: the new program inherits the limit and the ignored signal.
  std::optional<FileSizeLimit> file_limit;
  if (limits.file_bytes.has_value()) {
    file_limit.emplace(*limits.file_bytes);
  }
  if (limits.unprivileged && geteuid() == 0 && setuid(kNobody) != 0) {
    _exit(126);
  }
  if (limits.one_core) {
    cpu_set_t cores;
    sched_getaffinity(0, sizeof(cores), &cores);
    for (int core = 0, kept = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &cores) && kept++ > 0) {
        CPU_CLR(core, &cores);
      }
    }
    sched_setaffinity(0, sizeof(cores), &cores);
  }
  for (const std::string& variable : limits.environment) {
    const size_t name = variable.find('=');
    setenv(variable.substr(0, name).c_str(), variable.c_str() + name + 1, 1);
  }
  execv(EBT_BINARY, arguments.data());
  _exit(127);
}

// A flag may be given once only: those of `more` replace those of `arguments`.
Arguments overridden(Arguments arguments, const Arguments& more) {
  for (const std::string& word : more) {
    for (size_t i = 0; i + 1 < arguments.size(); ++i) {
      if (word.starts_with("--") && arguments[i] == word) {
        arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i),
                        arguments.begin() + static_cast<std::ptrdiff_t>(i) + 2);
        break;
      }
    }
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

Program::Program(const Arguments& arguments, const Limits& limits) {
  Arguments words = arguments;
  words.insert(words.begin(), EBT_BINARY);
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  const std::string out = limits.out.empty() ? folder_.file("out") : limits.out;
  const std::string err = limits.err.empty() ? folder_.file("err") : limits.err;
  process_ = fork();
  if (process_ == 0) {
    become_ebt(pointers, out, err, limits);
  }
}

Program::~Program() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
}

void Program::send(int signal) const { kill(process_, signal); }

std::string Program::out_so_far() const { return read_file(folder_.file("out")); }

std::string Program::err_so_far() const { return read_file(folder_.file("err")); }

Outcome Program::wait() {
  int status = 0;
  rusage usage{};
  wait4(process_, &status, 0, &usage);
  process_ = -1;
  Outcome outcome;
  outcome.peak_bytes = usage.ru_maxrss * 1024;
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  outcome.out = read_file(folder_.file("out"));
  outcome.err = read_file(folder_.file("err"));
  return outcome;
}

Outcome run_ebt(const Arguments& arguments, const Limits& limits) {
  return Program(arguments, limits).wait();
}

nlohmann::json run_ebt_json(Arguments arguments) {
  arguments.emplace_back("--json");
  const Outcome outcome = run_ebt(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  nlohmann::json object = nlohmann::json::parse(outcome.out, nullptr, false);
  EXPECT_TRUE(object.is_object()) << outcome.out;
  return object;
}

void expect_refused(const Arguments& arguments, const std::string& part) {
  const Outcome outcome = run_ebt(arguments);
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("ebt: ", 0), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string real_text() {
  constexpr size_t kWanted_bytes = 40'000;
  std::set<std::filesystem::path> headers;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(EBT_SOURCE_DIR) + "/src/ebt")) {
    if (entry.path().extension() == ".h") {
      headers.insert(entry.path());
    }
  }
  std::string text;
  for (const auto& header : headers) {
    if (text.size() < kWanted_bytes) {
      text += read_file(header);
    }
  }
  return text;
}

Arguments tiny_training(const std::string& data, const std::filesystem::path& out,
                        const Arguments& more) {
  return overridden({"train",      "--data",
                     data,         "--out",
                     out.string(), "--layers",
                     "1",          "--width",
                     "16",         "--heads",
                     "2",          "--context",
                     "16",         "--batch",
                     "4",          "--steps",
                     "12",         "--checkpoint-every",
                     "5",          "--validate-every",
                     "6",          "--validation-windows",
                     "8",          "--seed",
                     "3",          "--threads",
                     "1"},
                    more);
}

Arguments tiny_image_training(const std::filesystem::path& out, const Arguments& more,
                              const std::string& kind) {
  return overridden({"train",
                     kind,
                     "--out",
                     out.string(),
                     "--layers",
                     "1",
                     "--width",
                     "16",
                     "--heads",
                     "2",
                     "--ffn-multiplier",
                     "1",
                     "--image-height",
                     "8",
                     "--image-width",
                     "8",
                     "--batch",
                     "4",
                     "--steps",
                     "12",
                     "--checkpoint-every",
                     "5",
                     "--validate-every",
                     "6",
                     "--validation-images",
                     "8",
                     "--seed",
                     "3",
                     "--threads",
                     "1",
                     "--loaders",
                     "1"},
                    more);
}

std::string TextRuns::train(const std::string& name, const Arguments& more) const {
  const Outcome outcome = run_ebt(tiny_training(text_, folder_.file(name), more));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return folder_.file(name);
}

std::vector<nlohmann::json> metrics_without_clock(const std::filesystem::path& run) {
  std::vector<nlohmann::json> lines;
  std::istringstream file(read_file(run / "metrics.jsonl"));
  for (std::string text; std::getline(file, text);) {
    nlohmann::json line = nlohmann::json::parse(text);
    line.erase("seconds");
    line.erase("tokens_per_second");
    line.erase("images_per_second");
    lines.push_back(std::move(line));
  }
  return lines;
}

void expect_same_run(const std::filesystem::path& a, const std::filesystem::path& b) {
  EXPECT_EQ(metrics_without_clock(a), metrics_without_clock(b));
  size_t states = 0;
  for (const auto& entry : std::filesystem::directory_iterator(a)) {
    if (entry.path().extension() == ".safetensors") {
      ++states;
      EXPECT_TRUE(read_file(entry.path()) == read_file(b / entry.path().filename()))
          << entry.path().filename() << " differs";
    }
  }
  EXPECT_EQ(states, 2U) << "expected weights and one training state in " << a;
}

}  // namespace ebt::testing
