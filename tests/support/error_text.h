// What a user is told: the text of the Error that some code throws.
#pragma once

#include <string>

#include "ebt/core/error.h"

namespace ebt::testing {

// Any other exception passes through and fails the test.
template <class Function>
std::string error_text(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace ebt::testing
