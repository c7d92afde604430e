// The decoder of a tokenizer.json: it turns the names of tokens into text.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ebt/data/tokenizer/json_part.h"

namespace ebt {

// Every token has a text of its own, whatever stands beside it, so that a running text can be
// decoded token by token. What the file asks for beyond that, to drop a space from the beginning of
// the whole, is passed over.
class TokenDecoder {
 public:
  // Throws Error when the "decoder" asks for what is not supported, or does not fit a model that
  // is, or is not, of bytes.
  TokenDecoder(const JsonPart& decoder, bool byte_level);

  // The bytes of the token of this name.
  std::string operator()(const std::string& name) const;

 private:
  void add(const JsonPart& decoder);

  std::vector<std::function<std::string(const std::string&)>> steps_;
  bool has_byte_level_ = false;
  bool fused_ = false;  // what comes next is done to the whole text
};

}  // namespace ebt
