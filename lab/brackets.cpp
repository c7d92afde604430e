#include "lab/brackets.h"

#include <algorithm>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr std::string_view kOpening = "([{<";
constexpr std::string_view kClosing = ")]}>";

// Turns each bracket round.
char partner(char opening) { return kClosing[kOpening.find(opening)]; }

class Brackets : public Puzzle {
 public:
  Brackets(int64_t kinds, std::vector<PuzzleLevel> levels)
      : Puzzle("brackets", std::move(levels)), kinds_(kinds) {}

  bool is_right(std::string_view prompt, std::string_view answer) const override {
    if (!prompt.ends_with('=')) {
      return false;
    }
    prompt.remove_suffix(1);
    std::string open;
    for (const char bracket : prompt) {
      if (kOpening.find(bracket) != kOpening.npos) {
        open += bracket;
      } else if (!open.empty() && bracket == partner(open.back())) {
        open.pop_back();
      } else {
        return false;
      }
    }
    return answer == closing(open);
  }

 private:
  static std::string closing(const std::string& open) {
    std::string result;
    std::transform(open.rbegin(), open.rend(), std::back_inserter(result), partner);
    return result;
  }
  // Whether no bracket is closed before it is opened.
  static bool never_falls_below_zero(const std::vector<bool>& opens) {
    int64_t depth = 0;
    return std::all_of(opens.begin(), opens.end(),
                       [&](bool opening) { return (depth += opening ? 1 : -1) >= 0; });
  }
  std::string draw_subject(int64_t size, Draws& draws) const override {
    const int64_t pairs = draws.below(size + 1);
    std::vector<bool> opens(static_cast<size_t>(size + pairs), true);
    opens.insert(opens.end(), static_cast<size_t>(pairs), false);
    // More than half of all orders will do: (size + 1) of (size + pairs + 1), the ballot theorem.
    do {
      shuffle(opens, draws);
    } while (!never_falls_below_zero(opens));
    std::string subject;
    std::string open;
    for (const bool opening : opens) {
      if (opening) {
        open += kOpening[static_cast<size_t>(draws.below(kinds_))];
        subject += open.back();
      } else {
        subject += partner(open.back());
        open.pop_back();
      }
    }
    return subject;
  }
  static void shuffle(std::vector<bool>& bits, Draws& draws) {
    for (size_t last = bits.size(); last > 1; --last) {
      const auto other = static_cast<size_t>(draws.below(static_cast<int64_t>(last)));
      const bool bit = bits[last - 1];
      bits[last - 1] = bits[other];
      bits[other] = bit;
    }
  }
  PuzzleExample ask(int64_t /*size*/, const std::string& subject, Draws& /*draws*/) const override {
    std::string open;
    for (const char bracket : subject) {
      if (kOpening.find(bracket) != kOpening.npos) {
        open += bracket;
      } else {
        open.pop_back();
      }
    }
    return {subject + '=', closing(open)};
  }
  // Open brackets and as many pairs, '=', and the answer.
  int64_t longest_of_size(int64_t size) const override { return 4 * size + 1; }

  int64_t kinds_;
};

}  // namespace

std::unique_ptr<Puzzle> make_brackets(const PuzzleConfig& config) {
  constexpr int64_t kDefault = 12;
  constexpr int64_t kLongest = 200;
  EBT_CHECK(config.kinds >= 1 && config.kinds <= static_cast<int64_t>(kOpening.size()),
            "--kinds: {} is not between 1 and {}", config.kinds, kOpening.size());
  const int64_t most = config.trained_size == 0 ? kDefault : config.trained_size;
  return std::make_unique<Brackets>(config.kinds, puzzle_levels("brackets", 1, most, kLongest));
}

}  // namespace ebt
