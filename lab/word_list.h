// Parsing of settings that list words.
#pragma once

#include <string>
#include <vector>

namespace ebt {

// The words of a text like "s1,s2", in its order. Throws Error naming `flag` when there is none, or
// one is empty or stands there twice.
std::vector<std::string> read_words(const std::string& text, const char* flag);

}  // namespace ebt
