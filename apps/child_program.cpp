#include "child_program.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// A file without a name: unlike a pipe, it takes whatever is written while nobody reads.
class Scratch {
 public:
  Scratch() : file_(std::tmpfile()) {
    EBT_CHECK(file_ != nullptr, "cannot make a temporary file: {}",
              std::generic_category().message(errno));
  }
  ~Scratch() { std::fclose(file_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  int descriptor() const { return fileno(file_); }
  std::string text() const {
    std::string text;
    std::array<char, 4096> part{};
    std::rewind(file_);
    while (const size_t count = std::fread(part.data(), 1, part.size(), file_)) {
      text.append(part.data(), count);
    }
    return text;
  }

 private:
  std::FILE* file_;
};

std::string sentence_of(int status, const std::string& err) {
  constexpr const char* kPrefix = "ebt: ";
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGKILL ? "the system ended it, as it does when memory runs out"
                                       : fmt::format("signal {} ended it", WTERMSIG(status));
  }
  const std::string line = err.substr(0, err.find('\n'));
  return line.starts_with(kPrefix) ? line.substr(std::strlen(kPrefix)) : line;
}

}  // namespace

ChildOutcome run_child(const std::vector<std::string>& arguments) {
  const Scratch out;
  const Scratch err;
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), "ebt");
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.descriptor(), STDERR_FILENO);
  pid_t process = -1;
  const int error =
      posix_spawn(&process, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  EBT_CHECK(error == 0, "cannot start another 'ebt': {}", std::generic_category().message(error));

  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  ChildOutcome outcome;
  outcome.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  outcome.out = out.text();
  if (!outcome.succeeded) {
    outcome.sentence = sentence_of(status, err.text());
  }
  return outcome;
}

}  // namespace ebt
