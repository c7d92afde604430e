#include "ebt/data/puzzle/addition_generator.h"

#include <algorithm>
#include <vector>

#include "ebt/core/printable.h"
#include "ebt/data/puzzle/square.h"

namespace ebt {
namespace {

constexpr int64_t kMostDigits = 100;
constexpr char kAsked = '?';
constexpr int kBase = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The rows of the carries and of the sum of two numbers of equally many digits.
struct Sum {
  std::string carries;
  std::string digits;
};
Sum add(std::string_view a, std::string_view b) {
  Sum sum{std::string(a.size(), '0'), std::string(a.size(), '0')};
  int carry = 0;
  for (size_t i = a.size(); i-- > 0;) {
    const int digits = a[i] - '0' + b[i] - '0' + carry;
    sum.carries[i] = static_cast<char>('0' + carry);
    sum.digits[i] = static_cast<char>('0' + digits % kBase);
    carry = digits / kBase;
  }
  return sum;
}

// A puzzle of which every row was found in its place.
struct Parts {
  bool has_carries = false;
  size_t columns = 0;  // marks among them
  std::string_view a, b;
};
std::optional<Parts> parts_of(std::string_view puzzle) {
  Parts parts;
  parts.has_carries = puzzle.starts_with('c');
  const std::string_view marks = parts.has_carries ? "c.+=" : ".+=";
  parts.columns = puzzle.size() / marks.size();
  if (parts.columns < 2 || puzzle.size() % marks.size() != 0) {
    return std::nullopt;
  }
  for (size_t row = 0; row < marks.size(); ++row) {
    if (puzzle[row * parts.columns] != marks[row]) {
      return std::nullopt;
    }
  }
  const auto number = [&](char mark) {
    return puzzle.substr(marks.find(mark) * parts.columns + 1, parts.columns - 1);
  };
  parts.a = number('.');
  parts.b = number('+');
  const bool are_numbers = std::all_of(parts.a.begin(), parts.a.end(), is_digit) &&
                           std::all_of(parts.b.begin(), parts.b.end(), is_digit);
  return are_numbers ? std::optional(parts) : std::nullopt;
}

class AdditionGenerator : public PuzzleGenerator {
 public:
  explicit AdditionGenerator(const AdditionConfig& config)
      : size_(framed_size("--digits", config.digits, config.frame, 1, kMostDigits)),
        carries_(config.carries) {}

  PuzzleRow draw(RandomDraws& draws) const override {
    const int64_t digits = draws.between(size_.sizes.least, size_.sizes.most);
    const std::string a = draw_number(digits, draws);
    const std::string b = draw_number(digits, draws);
    const Sum sum = add(a, b);
    const std::string given = "." + a + "+" + b + "=";
    const std::string asked(a.size(), kAsked);
    return {(carries_ ? "c" + asked : "") + given + asked,
            (carries_ ? "c" + sum.carries : "") + given + sum.digits};
  }
  std::string fault(std::string_view puzzle, std::string_view answer) const override {
    const std::optional<Parts> parts = parts_of(puzzle);
    if (!parts) {
      return "the puzzle is no addition: rows of '.', '+' and '=' are expected";
    }
    if (answer.size() != puzzle.size()) {
      return fmt::format("it has {} cells, and the addition {}", answer.size(), puzzle.size());
    }
    const Sum sum = add(parts->a, parts->b);
    std::string right =
        "." + std::string(parts->a) + "+" + std::string(parts->b) + "=" + sum.digits;
    if (parts->has_carries) {
      right.insert(0, "c" + sum.carries);
    }
    const auto place = static_cast<size_t>(
        std::mismatch(answer.begin(), answer.end(), right.begin()).first - answer.begin());
    return place == answer.size()
               ? ""
               : fmt::format("row {}, column {} holds '{}' where '{}' is right",
                             place / parts->columns + 1, place % parts->columns + 1,
                             printable(answer.substr(place, 1)), right[place]);
  }
  int64_t grid_rows() const override { return carries_ ? 4 : 3; }
  int64_t grid_columns() const override { return size_.frame + 2; }

 private:
  // With zeros before it: the sum may have a digit more.
  std::string draw_number(int64_t digits, RandomDraws& draws) const {
    std::string number(static_cast<size_t>(size_.frame + 1 - digits), '0');
    for (int64_t i = 0; i < digits; ++i) {
      number += static_cast<char>('0' + draws.between(i == 0 && digits > 1 ? 1 : 0, 9));
    }
    return number;
  }

  FramedSize size_;
  bool carries_;
};

}  // namespace

std::unique_ptr<PuzzleGenerator> make_addition_generator(const AdditionConfig& config) {
  return std::make_unique<AdditionGenerator>(config);
}

}  // namespace ebt
