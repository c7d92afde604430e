#include "suggestion.h"

#include <algorithm>
#include <utility>

namespace ebt {
namespace {

// Damerau-Levenshtein distance in its "optimal string alignment" form: a swap of neighbours counts
// as one change.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 40;  // no word that is known is longer
  constexpr size_t kShortestBeginning = 3;
  if (word.size() > kLongest) {
    return std::nullopt;
  }
  std::optional<std::string> best;
  size_t least = (word.size() + 4) / 3;  // one more than what a slip may change
  for (const std::string& candidate : candidates) {
    const bool begins = word.size() >= kShortestBeginning && candidate.starts_with(word);
    const size_t distance = begins ? 1 : edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates,
                         const std::string& prefix) {
  const std::optional<std::string> meant = nearest(word, candidates);
  if (!meant.has_value()) {
    return "";
  }
  const char* const quote = meant->starts_with('-') ? "" : "'";
  return ": did you mean " + (quote + prefix + *meant + quote) + "?";
}

}  // namespace ebt
