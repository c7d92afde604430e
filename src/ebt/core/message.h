// Errors, warnings and notes on stderr, all in one form.
#pragma once

#include <string>

namespace ebt {

// "ebt: SENTENCE", and on a second line "hint: HINT" if there is one; without a line end behind it,
// as ProgressLine::note() takes it. Each is one line, whatever it quotes (see printable()).
std::string message(const std::string& sentence, const std::string& hint = "");

// Prints the message to stderr. Where that cannot be written, nothing is said.
void tell(const std::string& sentence, const std::string& hint = "");

}  // namespace ebt
