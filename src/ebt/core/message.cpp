#include "ebt/core/message.h"

#include <cstdio>

#include "ebt/core/printable.h"

namespace ebt {

std::string message(const std::string& sentence, const std::string& hint) {
  std::string text = "ebt: " + printable(sentence);
  if (!hint.empty()) {
    text += "\nhint: " + printable(hint);
  }
  return text;
}

void tell(const std::string& sentence, const std::string& hint) {
  std::fputs((message(sentence, hint) + '\n').c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace ebt
