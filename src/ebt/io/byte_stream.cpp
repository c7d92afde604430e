#include "ebt/io/byte_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/io/descriptor.h"

namespace ebt {
namespace {

constexpr size_t kBlock_bytes = 1 << 16;

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

// The descriptor that a path names, if it names one and not a file.
std::optional<int> named_descriptor(std::string_view path) {
  if (path == "-" || path == "/dev/stdin" || path == "/proc/self/fd/0") {
    return STDIN_FILENO;
  }
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (path.starts_with(folder)) {
      const std::string_view digits = path.substr(folder.size());
      int number = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error == std::errc() && end == digits.data() + digits.size()) {
        return number;
      }
    }
  }
  return std::nullopt;
}

bool is_same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

class DescriptorStream : public ByteStream {
 public:
  DescriptorStream(Descriptor descriptor, std::string name)
      : descriptor_(std::move(descriptor)), name_(std::move(name)) {
    EBT_CHECK(fstat(descriptor_.get(), &opened_) == 0, "cannot read {}: {}", name_,
              error_text(errno));
  }

  bool is_folder() const { return S_ISDIR(opened_.st_mode); }
  bool is_file() const { return S_ISREG(opened_.st_mode); }
  bool is_pipe() const { return S_ISFIFO(opened_.st_mode); }
  uint64_t file_bytes() const { return is_file() ? static_cast<uint64_t>(opened_.st_size) : 0; }

  size_t read(std::span<char> out) override {
    ssize_t count = 0;
    do {
      count = ::read(descriptor_.get(), out.data(), out.size());
    } while (count < 0 && errno == EINTR);
    EBT_CHECK(count >= 0, "cannot read {}: {}", name_, error_text(errno));
    if (count == 0 && is_file()) {
      struct stat now {};
      EBT_CHECK(fstat(descriptor_.get(), &now) == 0 && is_same_state(opened_, now),
                "{} changed while it was read: read it when it is complete", name_);
    }
    return static_cast<size_t>(count);
  }

 private:
  Descriptor descriptor_;
  std::string name_;
  struct stat opened_ {};
};

}  // namespace

bool is_stream(const std::string& path) {
  struct stat status {};
  return named_descriptor(path).has_value() ||
         (stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode));
}

std::string source_name(const std::string& path) {
  return named_descriptor(path) == STDIN_FILENO ? "standard input" : "'" + path + "'";
}

OpenedBytes open_bytes(const std::string& path) {
  const std::string name = source_name(path);
  const std::optional<int> open_already = named_descriptor(path);
  Descriptor descriptor(open_already ? fcntl(*open_already, F_DUPFD_CLOEXEC, 0)
                                     : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EBT_CHECK(descriptor.get() >= 0, "cannot read {}: {}", name, error_text(errno));
  auto stream = std::make_unique<DescriptorStream>(std::move(descriptor), name);
  EBT_CHECK(!stream->is_folder(), "cannot read {}: it is a folder, not a file", name);
  // Of a descriptor anything is taken: a terminal, a socket.
  EBT_CHECK(open_already || stream->is_file() || stream->is_pipe(),
            "cannot read {}: it is not a regular file", name);
  const uint64_t file_bytes = stream->file_bytes();
  return {std::move(stream), file_bytes};
}

void read_blocks(ByteStream& stream, const std::string& name,
                 const std::function<void(std::string_view block)>& sink) {
  // Of less, nobody needs to be told.
  constexpr uint64_t kMuch_bytes = 256 << 20;
  std::array<char, kBlock_bytes> block;
  std::optional<ProgressLine> progress;
  uint64_t done = 0;
  for (size_t count = 0; (count = stream.read(block)) > 0;) {
    sink({block.data(), count});
    done += count;
    if (done >= kMuch_bytes) {
      (progress ? *progress : progress.emplace())
          .update(fmt::format("reading {}: {}", name, format_bytes(static_cast<double>(done))));
    }
  }
  if (progress) {
    progress->finish();
  }
}

bool BufferedBytes::fill(size_t count) {
  while (end_ - at_ < count) {
    if (at_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
      end_ -= std::exchange(at_, 0);
    }
    if (end_ == buffer_.size()) {
      buffer_.resize(std::max(2 * buffer_.size(), kBlock_bytes));
    }
    const size_t more = source_->read(std::span(buffer_).subspan(end_));
    if (more == 0) {
      return false;
    }
    end_ += more;
  }
  return true;
}

std::string_view BufferedBytes::peek(size_t count) {
  fill(count);
  return {buffer_.data() + at_, std::min(count, end_ - at_)};
}

size_t BufferedBytes::read(std::span<char> out) {
  if (!fill(1)) {
    return 0;
  }
  const size_t count = std::min(out.size(), end_ - at_);
  std::copy_n(buffer_.data() + at_, count, out.data());
  at_ += count;
  return count;
}

bool BufferedBytes::read_line(std::string& line, size_t most_bytes) {
  line.clear();
  if (!fill(1)) {
    return false;
  }
  while (fill(1)) {
    const char* const begin = buffer_.data() + at_;
    const size_t held = end_ - at_;
    const auto* const line_end = static_cast<const char*>(std::memchr(begin, '\n', held));
    const size_t count = line_end == nullptr ? held : static_cast<size_t>(line_end - begin);
    line.append(begin, std::min(count, most_bytes + 1 - line.size()));
    at_ += count;
    if (line_end != nullptr) {
      ++at_;
      break;
    }
  }
  return true;
}

}  // namespace ebt
