// The words that stand for the values of an enum in flags and files.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ebt {

// The header of an enum that configs hold declares `const EnumNames<E>& enum_names(E)` beside it.
template <class Enum>
using EnumNames = std::vector<std::pair<std::string, Enum>>;

}  // namespace ebt
