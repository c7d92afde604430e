// The normalizer of a tokenizer.json: what it changes in a text before that is cut into words.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/tokenizer/json_part.h"

namespace ebt {

// Immutable and thread-safe.
class TextNormalizer {
 public:
  // Throws Error when the "normalizer" asks for what is not supported.
  explicit TextNormalizer(const JsonPart& normalizer);

  // Whether it leaves every text as it is.
  bool empty() const { return steps_.empty(); }
  // What it makes of valid UTF-8.
  std::string operator()(std::string_view text) const;

 private:
  using Step = std::function<std::string(std::string_view)>;
  void add(const JsonPart& normalizer);

  std::vector<Step> steps_;
};

}  // namespace ebt
