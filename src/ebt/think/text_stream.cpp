#include "ebt/think/text_stream.h"

#include <algorithm>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

unsigned char byte_at(std::string_view text, size_t index) {
  return static_cast<unsigned char>(text[index]);
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Bytes of the character that begins with this one; 1 where none can.
size_t character_bytes(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) {
    return 2;
  }
  if ((first & 0xF0) == 0xE0) {
    return 3;
  }
  return first >= 0xF0 && first <= 0xF4 ? 4 : 1;
}

// Whether the second byte of a character is one that may follow the first: no overlong forms, no
// surrogates, nothing beyond U+10FFFF.
bool may_follow(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

}  // namespace

size_t unfinished_utf8_bytes(std::string_view text) {
  constexpr size_t kLongestBeginning = 3;
  for (size_t length = 1; length <= std::min(kLongestBeginning, text.size()); ++length) {
    const size_t start = text.size() - length;
    const unsigned char first = byte_at(text, start);
    if (is_continuation(first)) {
      continue;
    }
    const bool possible = length < 2 || may_follow(first, byte_at(text, start + 1));
    return possible && length < character_bytes(first) ? length : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const unsigned char first = byte_at(text, at);
    const size_t length = character_bytes(first);
    if ((length == 1 && first >= 0x80) || text.size() - at < length) {
      return false;
    }
    for (size_t i = 1; i < length; ++i) {
      const unsigned char byte = byte_at(text, at + i);
      if (!is_continuation(byte) || (i == 1 && !may_follow(first, byte))) {
        return false;
      }
    }
    at += length;
  }
  return true;
}

TextStream::StopString::StopString(std::string stop) : text(std::move(stop)), border(text.size()) {
  EBT_CHECK(!text.empty(), "stop: a stop string is empty");
  for (size_t i = 1; i < text.size(); ++i) {
    size_t length = border[i - 1];
    while (length > 0 && text[length] != text[i]) {
      length = border[length - 1];
    }
    border[i] = static_cast<uint32_t>(text[length] == text[i] ? length + 1 : 0);
  }
}

void TextStream::StopString::feed(char byte) {
  while (matched > 0 && text[matched] != byte) {
    matched = border[matched - 1];
  }
  matched += text[matched] == byte ? 1 : 0;
}

TextStream::TextStream(const std::vector<std::string>& stop_strings)
    : stop_strings_(stop_strings.begin(), stop_strings.end()) {}

std::string TextStream::feed(std::string_view bytes) {
  for (const char byte : bytes) {
    if (stopped_) {
      break;
    }
    held_.push_back(byte);
    if (const size_t length = find_stop_string(byte); length > 0) {
      stopped_ = true;
      held_.resize(held_.size() - length);
    }
  }
  return release(stopped_ ? held_.size() : held_.size() - waiting_bytes());
}

std::string TextStream::finish() { return release(held_.size()); }

size_t TextStream::find_stop_string(char byte) {
  size_t longest = 0;
  for (StopString& stop : stop_strings_) {
    stop.feed(byte);
    longest = std::max(longest, stop.is_complete() ? stop.text.size() : 0);
  }
  return longest;
}

size_t TextStream::waiting_bytes() const {
  // A character may be unfinished before what may be a stop string, and is then spoilt by it: only
  // one at the very end can still be finished.
  size_t waiting = unfinished_utf8_bytes(held_);
  for (const StopString& stop : stop_strings_) {
    waiting = std::max(waiting, stop.matched);
  }
  return waiting;
}

std::string TextStream::release(size_t bytes) {
  std::string text = held_.substr(0, bytes);
  held_.erase(0, bytes);
  released_bytes_ += static_cast<int64_t>(bytes);
  return text;
}

}  // namespace ebt
