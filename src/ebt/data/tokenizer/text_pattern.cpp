#include "ebt/data/tokenizer/text_pattern.h"

#include <oniguruma.h>

#include <algorithm>
#include <array>
#include <optional>

#include "ebt/core/error.h"
#include "ebt/core/unicode.h"
#include "ebt/data/tokenizer/json_part.h"

namespace ebt {
namespace {

// What a search may take: about two seconds, and some hundred megabytes. Usual patterns need a few
// steps for each byte.
constexpr unsigned long kMostRetries = 100'000'000;
constexpr unsigned int kMostStackEntries = 10'000'000;
constexpr int kDeepestNesting = 256;

const OnigUChar* bytes_of(const char* text) { return reinterpret_cast<const OnigUChar*>(text); }

void initialize_library() {
  static const bool done = [] {
    OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
    onig_initialize(encodings, 1);
    onig_set_retry_limit_in_match(kMostRetries);
    onig_set_retry_limit_in_search(kMostRetries);
    onig_set_match_stack_limit_size(kMostStackEntries);
    onig_set_parse_depth_limit(kDeepestNesting);
    return true;
  }();
  static_cast<void>(done);
}

std::string message_of(int error, OnigErrorInfo* info = nullptr) {
  std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> text{};
  const int length = onig_error_code_to_str(text.data(), error, info);
  return {reinterpret_cast<const char*>(text.data()), static_cast<size_t>(length)};
}

// The name that a POSIX bracket "[:name:]" at the beginning of `text` has; none where none stands.
std::optional<std::string_view> posix_bracket(std::string_view text) {
  if (!text.starts_with("[:")) {
    return std::nullopt;
  }
  std::string_view name = text.substr(text.starts_with("[:^") ? 3 : 2);
  const size_t length = static_cast<size_t>(
      std::find_if(name.begin(), name.end(), [](char c) { return c < 'a' || c > 'z'; }) -
      name.begin());
  return length > 0 && name.substr(length).starts_with(":]") ? std::optional(name.substr(0, length))
                                                             : std::nullopt;
}

// Refuses what Oniguruma 6.9.8 reads in another way than 6.9.10: repeated \R, [:punct:], which has
// become larger, and brackets of an unknown name, which have become errors.
void refuse_what_versions_differ_in(std::string_view pattern, const std::string& what) {
  constexpr std::string_view kSameNames[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                             "digit", "graph", "lower", "print", "space",
                                             "upper", "word",  "xdigit"};
  for (size_t at = 0; at < pattern.size(); ++at) {
    const std::string_view rest = pattern.substr(at);
    EBT_CHECK(!rest.starts_with("\\R"),
              "{} has a regular expression with \\R, which is not supported", what);
    if (const auto name = posix_bracket(rest)) {
      EBT_CHECK(
          std::find(std::begin(kSameNames), std::end(kSameNames), *name) != std::end(kSameNames),
          "{} has a regular expression with [:{}:], which is not supported", what, *name);
    }
    at += rest[0] == '\\' ? 1 : 0;
  }
}

}  // namespace

struct TextPattern::Regex {
  ~Regex() { onig_free(compiled); }
  regex_t* compiled = nullptr;
};

TextPattern::TextPattern(const std::string& pattern, Kind kind, const std::string& what) {
  if (kind == Kind::kLiteral && !pattern.empty()) {
    literal_ = pattern;
    return;
  }
  refuse_what_versions_differ_in(pattern, what);
  initialize_library();
  const auto regex = std::make_shared<Regex>();
  OnigErrorInfo info{};
  const int error = onig_new(&regex->compiled, bytes_of(pattern.data()),
                             bytes_of(pattern.data() + pattern.size()), ONIG_OPTION_NONE,
                             ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info);
  EBT_CHECK(error == ONIG_NORMAL, "{} has a regular expression that is none: {}", what,
            message_of(error, &info));
  regex_ = regex;
}

namespace {

// Finds matches one after the other.
class Search {
 public:
  Search(regex_t* regex, std::string_view text)
      : regex_(regex), text_(text), region_(onig_region_new(), &free_region) {}

  // The next match at or behind `at`; false when there is none.
  bool next(size_t at, size_t& begin, size_t& end) {
    const OnigUChar* const text = bytes_of(text_.data());
    const int result = onig_search(regex_, text, text + text_.size(), text + at,
                                   text + text_.size(), region_.get(), ONIG_OPTION_NONE);
    if (result == ONIG_MISMATCH) {
      return false;
    }
    EBT_CHECK(result >= 0, "the tokenizer's regular expression fails on a text of {} bytes: {}",
              text_.size(), message_of(result));
    begin = static_cast<size_t>(region_->beg[0]);
    end = static_cast<size_t>(region_->end[0]);
    return true;
  }

 private:
  static void free_region(OnigRegion* region) { onig_region_free(region, 1); }

  regex_t* regex_;
  std::string_view text_;
  std::unique_ptr<OnigRegion, void (*)(OnigRegion*)> region_;
};

}  // namespace

void TextPattern::for_each_part(std::string_view text,
                                const std::function<void(std::string_view, bool)>& on_part) const {
  size_t done = 0;
  const auto on_match = [&](size_t begin, size_t end) {
    if (begin > done) {
      on_part(text.substr(done, begin - done), false);
    }
    on_part(text.substr(begin, end - begin), true);
    done = end;
  };
  if (regex_ == nullptr) {
    for (size_t at = 0; (at = text.find(literal_, at)) != text.npos; at += literal_.size()) {
      on_match(at, at + literal_.size());
    }
  } else {
    Search search(regex_->compiled, text);
    size_t begin = 0;
    size_t end = 0;
    bool matched = false;
    for (size_t at = 0; at <= text.size() && search.next(at, begin, end);) {
      if (begin == end && matched && end == done) {  // nothing, right behind a match
        at += at < text.size() ? first_character_bytes(text.substr(at)) : 1;
        continue;
      }
      // \K within a lookahead can move the beginning back.
      begin = std::max(begin, done);
      end = std::max(end, begin);
      on_match(begin, end);
      matched = true;
      at = end;
    }
  }
  if (done < text.size()) {
    on_part(text.substr(done), false);
  }
}

std::string TextPattern::replaced(std::string_view text, std::string_view content) const {
  std::string result;
  for_each_part(text,
                [&](std::string_view part, bool matched) { result += matched ? content : part; });
  return result;
}

TextPattern read_pattern(const JsonPart& pattern) {
  const bool is_regex = !pattern["Regex"].absent();
  return {pattern.text(is_regex ? "Regex" : "String"),
          is_regex ? TextPattern::Kind::kRegex : TextPattern::Kind::kLiteral, pattern.what()};
}

}  // namespace ebt
