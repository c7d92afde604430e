// Bytes that come one after the other: of files, of standard input, of decoders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebt {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills the beginning of `out`, which must not be empty, and returns how much of it: 0 at the
  // end. Throws Error when the source cannot be read or decoded.
  virtual size_t read(std::span<char> out) = 0;
};

// Whether the path names what can be read only once, and by this process only: "-" and /dev/stdin
// are standard input, /dev/fd/N what the shell's <(command) makes; or a named pipe.
bool is_stream(const std::string& path);

// How messages call what the path names: "standard input", or the path in quotes.
std::string source_name(const std::string& path);

// A source that was opened to be read once, from its beginning.
struct OpenedBytes {
  std::unique_ptr<ByteStream> stream;
  uint64_t file_bytes = 0;  // of a regular file; 0: the source is none, or empty
};
// Opens a regular file or what is_stream() names. A regular file that changes before its end is
// read is an Error. Throws Error when the path names neither, or cannot be read.
OpenedBytes open_bytes(const std::string& path);

// Hands all that is left of a stream to `sink`, a block at a time. Of much, a progress line tells
// what `name` is being read.
void read_blocks(ByteStream& stream, const std::string& name,
                 const std::function<void(std::string_view block)>& sink);

// A stream that can be looked at before it is read.
class BufferedBytes : public ByteStream {
 public:
  explicit BufferedBytes(std::unique_ptr<ByteStream> source) : source_(std::move(source)) {}

  // The next `count` bytes, or all that are left; they stay to be read, and the view is valid until
  // then.
  std::string_view peek(size_t count);
  size_t read(std::span<char> out) override;
  // The next byte, 0 to 255; -1 at the end.
  int get() { return at_ < end_ || fill(1) ? static_cast<unsigned char>(buffer_[at_++]) : -1; }
  // The next line without its '\n'; of a longer one than `most_bytes` so many bytes and one more.
  // False: there is none.
  bool read_line(std::string& line, size_t most_bytes);

 private:
  // Tries to hold `count` bytes at least; returns whether it does.
  bool fill(size_t count);

  std::unique_ptr<ByteStream> source_;
  std::vector<char> buffer_;
  size_t at_ = 0;
  size_t end_ = 0;
};

}  // namespace ebt
