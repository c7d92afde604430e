#include "ebt/train/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/file.h"

namespace ebt {
namespace {

[[noreturn]] void fail_with_errno(const std::filesystem::path& path) {
  fail("cannot write '{}': {}", path.string(), std::generic_category().message(errno));
}

bool belongs_up_to(std::string_view line, int64_t step) {
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return false;
  }
  const auto entry = object.find("step");
  return entry != object.end() && entry->is_number_integer() && entry->get<int64_t>() <= step;
}

// Bytes of the leading lines that belong to steps up to `step`.
size_t kept_bytes(std::string_view text, int64_t step) {
  size_t kept = 0;
  while (true) {
    const size_t end = text.find('\n', kept);
    if (end == std::string_view::npos || !belongs_up_to(text.substr(kept, end - kept), step)) {
      return kept;
    }
    kept = end + 1;
  }
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path path, int64_t step) : path_(std::move(path)) {
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path_, ignored);
  const size_t kept = exists ? kept_bytes(MappedFile(path_).text(), step) : 0;
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    fail_with_errno(path_);
  }
  if (ftruncate(descriptor_, static_cast<off_t>(kept)) != 0) {
    close(descriptor_);
    fail_with_errno(path_);
  }
}

MetricsLog::~MetricsLog() { close(descriptor_); }

void MetricsLog::write(const Json& line) {
  const std::string text = line.dump() + '\n';
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  if (written < 0) {
    fail_with_errno(path_);
  }
  EBT_CHECK(static_cast<size_t>(written) == text.size(), "cannot write '{}': the disk is full",
            path_.string());
}

void MetricsLog::sync() {
  if (fsync(descriptor_) != 0) {
    fail_with_errno(path_);
  }
}

}  // namespace ebt
