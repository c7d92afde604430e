#include "lab/sorting.h"

#include <algorithm>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr std::string_view kSymbols = "0123456789abcdefghijklmnopqrstuvwxyz";

class Sorting : public Puzzle {
 public:
  Sorting(int64_t symbols, std::vector<PuzzleLevel> levels)
      : Puzzle("sorting", std::move(levels)),
        symbols_(kSymbols.substr(0, static_cast<size_t>(symbols))) {}

  bool is_right(std::string_view prompt, std::string_view answer) const override {
    if (!prompt.ends_with('=')) {
      return false;
    }
    prompt.remove_suffix(1);
    return prompt.find_first_not_of(symbols_) == prompt.npos && answer == sorted(prompt);
  }

 private:
  static std::string sorted(std::string_view symbols) {
    std::string result(symbols);
    std::sort(result.begin(), result.end());
    return result;
  }
  std::string draw_subject(int64_t size, Draws& draws) const override {
    std::string subject;
    for (int64_t i = 0; i < size; ++i) {
      const int64_t symbol = draws.below(static_cast<int64_t>(symbols_.size()));
      subject += symbols_[static_cast<size_t>(symbol)];
    }
    return subject;
  }
  PuzzleExample ask(int64_t /*size*/, const std::string& subject, Draws& /*draws*/) const override {
    return {subject + '=', sorted(subject)};
  }
  int64_t longest_of_size(int64_t size) const override { return 2 * size + 1; }

  std::string_view symbols_;
};

}  // namespace

std::unique_ptr<Puzzle> make_sorting(const PuzzleConfig& config) {
  constexpr int64_t kDefault = 12;
  constexpr int64_t kLongest = 200;
  const auto most_symbols = static_cast<int64_t>(kSymbols.size());
  EBT_CHECK(config.symbols >= 2 && config.symbols <= most_symbols,
            "--symbols: {} is not between 2 and {}", config.symbols, most_symbols);
  const int64_t most = config.trained_size == 0 ? kDefault : config.trained_size;
  return std::make_unique<Sorting>(config.symbols, puzzle_levels("symbols", 2, most, kLongest));
}

}  // namespace ebt
