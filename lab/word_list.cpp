#include "lab/word_list.h"

#include <algorithm>

#include "ebt/core/error.h"

namespace ebt {

std::vector<std::string> read_words(const std::string& text, const char* flag) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string word = text.substr(begin, end - begin);
    EBT_CHECK(!word.empty(), "--{}: '{}' is not a list of words with commas between them", flag,
              text);
    EBT_CHECK(std::find(words.begin(), words.end(), word) == words.end(),
              "--{}: '{}' stands there twice", flag, word);
    words.push_back(std::move(word));
    begin = end + 1;
  }
  return words;
}

}  // namespace ebt
