#include "ebt/train/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/file.h"

namespace ebt {
namespace {

[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error_number) {
  fail("cannot write '{}': {}", path.string(), std::generic_category().message(error_number));
}

// The step of a line; absent where it is no line of metrics.
std::optional<int64_t> step_of(std::string_view line) {
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto entry = object.is_object() ? object.find("step") : object.end();
  return entry != object.end() && entry->is_number_integer() ? std::optional(entry->get<int64_t>())
                                                             : std::nullopt;
}

// The leading lines that belong to steps up to one.
struct Kept {
  size_t bytes = 0;
  int64_t lines_of_step = 0;  // of that one
};

Kept kept_of(std::string_view text, int64_t step) {
  Kept kept;
  while (true) {
    const size_t end = text.find('\n', kept.bytes);
    const std::optional<int64_t> line = end == std::string_view::npos
                                            ? std::nullopt
                                            : step_of(text.substr(kept.bytes, end - kept.bytes));
    if (!line.has_value() || *line > step) {
      return kept;
    }
    kept.bytes = end + 1;
    kept.lines_of_step += *line == step ? 1 : 0;
  }
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path path, int64_t step) : path_(std::move(path)) {
  std::error_code ignored;
  const Kept kept =
      std::filesystem::exists(path_, ignored) ? kept_of(MappedFile(path_).text(), step) : Kept{};
  lines_of_step_ = kept.lines_of_step;
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    fail_to_write(path_, errno);
  }
  if (ftruncate(descriptor_, static_cast<off_t>(kept.bytes)) != 0) {
    const int error_number = errno;
    close(descriptor_);
    fail_to_write(path_, error_number);
  }
}

MetricsLog::~MetricsLog() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

void MetricsLog::write(const Json& line) {
  if (descriptor_ < 0) {
    return;
  }
  pending_ += line.dump() + '\n';
  write_pending();
}

int MetricsLog::write_pending() {
  while (!pending_.empty()) {
    const ssize_t written = ::write(descriptor_, pending_.data(), pending_.size());
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    pending_.erase(0, written < 0 ? 0 : static_cast<size_t>(written));
  }
  return 0;
}

void MetricsLog::sync() {
  if (descriptor_ < 0) {
    return;
  }
  if (const int error_number = write_pending(); error_number != 0) {
    fail_to_write(path_, error_number);
  }
  if (fsync(descriptor_) != 0) {
    fail_to_write(path_, errno);
  }
}

}  // namespace ebt
