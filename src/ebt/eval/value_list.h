// Parsing of flags that list values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ebt {

// The values of a text like "1,2,8", in its order. Throws Error naming `flag` when they are not
// whole numbers (or numbers) from `least` with commas between them, or repeat one.
std::vector<int64_t> read_whole_numbers(const std::string& text, const char* flag, int64_t least);
std::vector<double> read_numbers(const std::string& text, const char* flag, double least);

}  // namespace ebt
