// Suggestions for mistyped words.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ebt {

// The candidate that is closest to `word`: by the letters to insert, delete, replace or swap with
// their neighbour, or because `word` is its beginning. Absent where none is close. The first of
// several wins.
std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates);

// ": did you mean --flag?" or ": did you mean 'PREFIXword'?", or "" where nothing is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates,
                         const std::string& prefix = "");

}  // namespace ebt
