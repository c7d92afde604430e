#include "ebt/data/text_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "ebt/core/error.h"
#include "ebt/data/unicode.h"

namespace ebt {
namespace {

constexpr size_t kJitStack_bytes = 32 * 1024;
constexpr size_t kMaxJitStack_bytes = 8 * 1024 * 1024;

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

template <class T, void (*free_it)(T*)>
struct Freed {
  void operator()(T* it) const { free_it(it); }
};
template <class T, void (*free_it)(T*)>
using Owned = std::unique_ptr<T, Freed<T, free_it>>;

// What one thread needs to match.
struct MatchState {
  explicit MatchState(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(kJitStack_bytes, kMaxJitStack_bytes, nullptr)) {
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
  Owned<pcre2_match_data, pcre2_match_data_free> data;
  Owned<pcre2_match_context, pcre2_match_context_free> context;
  Owned<pcre2_jit_stack, pcre2_jit_stack_free> stack;
};

}  // namespace

struct TextPattern::Code {
  Owned<pcre2_code, pcre2_code_free> compiled;
};

TextPattern::TextPattern(const std::string& pattern, Kind kind, const std::string& what) {
  // PCRE2_LITERAL forbids UCP, which would mean nothing there.
  const uint32_t options = kind == Kind::kLiteral ? PCRE2_UTF | PCRE2_LITERAL
                                                  : PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
  int error = 0;
  size_t offset = 0;
  auto code = std::make_shared<Code>();
  code->compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                     options, &error, &offset, nullptr));
  EBT_CHECK(code->compiled != nullptr, "{} has a regular expression that is none: {} at offset {}",
            what, message_of(error), offset);
  // Without machine code for this CPU, PCRE2 interprets the pattern: slower, and the same.
  pcre2_jit_compile(code->compiled.get(), PCRE2_JIT_COMPLETE);
  code_ = std::move(code);
}

void TextPattern::split(std::string_view text,
                        const std::function<void(std::string_view, bool)>& on_part) const {
  const pcre2_code* const code = code_->compiled.get();
  const MatchState state(code);
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const size_t* const match = pcre2_get_ovector_pointer(state.data.get());
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    // The text is known to be valid; checking it again for every match would take quadratic time.
    const int result = pcre2_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK,
                                   state.data.get(), state.context.get());
    if (result == PCRE2_ERROR_NOMATCH) {
      break;
    }
    EBT_CHECK(result > 0, "the tokenizer's regular expression fails on a text of {} bytes: {}",
              text.size(), message_of(result));
    const size_t begin = match[0];
    const size_t end = match[1];
    if (end <= begin || begin < done) {  // empty, or \K within a lookahead moved it back
      at = std::max(at, begin) + first_character_bytes(text.substr(std::max(at, begin)));
      continue;
    }
    if (begin > done) {
      on_part(text.substr(done, begin - done), false);
    }
    on_part(text.substr(begin, end - begin), true);
    done = at = end;
  }
  if (done < text.size()) {
    on_part(text.substr(done), false);
  }
}

}  // namespace ebt
