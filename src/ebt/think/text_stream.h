// From tokens to text that can be shown while more of it is being written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

// Takes a text as its bytes come and gives them back as soon as nothing that may still come can
// change how they are to be shown. Held back are the beginning of an unfinished UTF-8 character and
// whatever may be the beginning of a stop string. Bytes that can be no UTF-8 pass through as they
// are. What is given back in all depends on the bytes, not on how they are cut into pieces.
class TextStream {
 public:
  // The text ends before the first stop string that is complete; where several end at the same
  // byte, before the longest. Throws Error for an empty stop string.
  explicit TextStream(const std::vector<std::string>& stop_strings = {});

  // Adds bytes; returns those that are now safe to send. Once stopped, bytes are ignored.
  std::string feed(std::string_view bytes);
  // To be called when the text ends, once: returns what was held back.
  std::string finish();

  // Whether a stop string was reached.
  bool stopped() const { return stopped_; }
  // Bytes given back so far: at the end, the length of the text.
  int64_t released_bytes() const { return released_bytes_; }

 private:
  // A stop string, looked for as Knuth, Morris and Pratt do: a byte costs the same however long the
  // string is.
  struct StopString {
    explicit StopString(std::string stop);
    void feed(char byte);
    bool is_complete() const { return matched == text.size(); }

    std::string text;
    std::vector<uint32_t> border;  // of its first i + 1 bytes: the longest beginning that ends them
    size_t matched = 0;  // bytes of it that the text ends with; fewer than all before feed
  };

  // Takes one byte; returns the length of the longest stop string that it completes, or 0.
  size_t find_stop_string(char byte);
  // Number of held bytes, from their end, that must wait.
  size_t waiting_bytes() const;
  std::string release(size_t bytes);

  std::vector<StopString> stop_strings_;
  std::string held_;
  int64_t released_bytes_ = 0;
  bool stopped_ = false;
};

// Number of bytes at the end of `text` that begin a UTF-8 character without finishing it.
size_t unfinished_utf8_bytes(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace ebt
