#include "lab/addition.h"

#include <algorithm>

namespace ebt {
namespace {

// Of two decimal numbers of any length.
std::string sum_of(std::string_view a, std::string_view b) {
  constexpr int kBase = 10;
  std::string result;
  int carry = 0;
  for (size_t i = 0; i < std::max(a.size(), b.size()) || carry > 0; ++i) {
    const int digits = carry + (i < a.size() ? a[a.size() - 1 - i] - '0' : 0) +
                       (i < b.size() ? b[b.size() - 1 - i] - '0' : 0);
    result += static_cast<char>('0' + digits % kBase);
    carry = digits / kBase;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

class Addition : public Puzzle {
 public:
  explicit Addition(std::vector<PuzzleLevel> levels) : Puzzle("addition", std::move(levels)) {}

  bool is_right(std::string_view prompt, std::string_view answer) const override {
    const size_t plus = prompt.find('+');
    if (plus == prompt.npos || !prompt.ends_with('=')) {
      return false;
    }
    const std::string_view a = prompt.substr(0, plus);
    const std::string_view b = prompt.substr(plus + 1, prompt.size() - plus - 2);
    return is_number(a) && is_number(b) && answer == sum_of(a, b);
  }

 private:
  static std::string draw_number(int64_t digits, Draws& draws) {
    std::string number;
    for (int64_t i = 0; i < digits; ++i) {
      number += static_cast<char>('0' + draws.between(i == 0 && digits > 1 ? 1 : 0, 9));
    }
    return number;
  }
  // The smaller number first.
  std::string draw_subject(int64_t size, Draws& draws) const override {
    const std::string a = draw_number(size, draws);
    const std::string b = draw_number(size, draws);
    return std::min(a, b) + '+' + std::max(a, b);
  }
  PuzzleExample ask(int64_t size, const std::string& subject, Draws& draws) const override {
    const std::string a = subject.substr(0, static_cast<size_t>(size));
    const std::string b = subject.substr(static_cast<size_t>(size) + 1);
    const bool swapped = draws.below(2) == 1;
    return {(swapped ? b + '+' + a : a + '+' + b) + '=', sum_of(a, b)};
  }
  // Two numbers, '+', '=', and an answer of at most a digit more.
  int64_t longest_of_size(int64_t size) const override { return 3 * size + 3; }
};

}  // namespace

std::unique_ptr<Puzzle> make_addition(const PuzzleConfig& config) {
  constexpr int64_t kDefault = 3;
  constexpr int64_t kLongest = 200;
  const int64_t most = config.trained_size == 0 ? kDefault : config.trained_size;
  return std::make_unique<Addition>(puzzle_levels("digits", 1, most, kLongest));
}

}  // namespace ebt
