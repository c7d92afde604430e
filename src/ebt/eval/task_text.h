// Requests to a generator, built from the texts of tasks.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ebt/data/text/text_input.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/eval/scoring.h"

namespace ebt {

// A document's beginning, as tokens: a separator, and those of the text.
std::vector<int32_t> document_tokens(const Tokenizer& tokenizer, std::string_view text);

// `prompt` + `continuation`, tokenised as one text, of which the tokens that hold any of the
// continuation's bytes are scored: where a token spans the seam, it is one of them. At least the
// last token is scored. `continuation` must not be empty.
struct ScoredText {
  GenerationRequest request;  // writes nothing
  int64_t scored = 0;         // tokens
  int64_t bytes = 0;          // of the continuation
};
ScoredText scored_text(const Tokenizer& tokenizer, std::string_view prompt,
                       std::string_view continuation);

// A greedy continuation of `prompt`, of at most `max_tokens`, until `is_done` says so of the text
// written so far, or the document ends.
Query written_text(const Tokenizer& tokenizer, std::string_view prompt, int64_t max_tokens,
                   std::function<bool(const std::string&)> is_done);
// What an answer wrote, without the scored tokens of its prompt.
std::string written_by(const Tokenizer& tokenizer, const std::vector<TokenReport>& tokens);

// The text without white space at its ends.
std::string_view trimmed(std::string_view text);

// {"Once upon a", " time"}: what precedes the last white space, and the last word with it. White
// space at the end of the text is dropped first. None when there is no word before the last one.
std::optional<std::pair<std::string_view, std::string_view>> split_last_word(std::string_view text);

// The number that follows the first "####", in the one way of writing it: "$1,234.50 dollars" is
// "1234.5", "+007." is "7". None when there is none.
std::optional<std::string> final_number(std::string_view text);

// Calls visit(what, object) for the objects of a .jsonl, which must be one at least; `what` names
// the line in errors. Throws Error when one is bad.
void for_each_example(
    const std::string& path,
    const std::function<void(const std::string& what, const nlohmann::json& object)>& visit);

// "200 of the 5153 passages", or "all 5153 passages".
std::string some_of(int64_t count, int64_t available, const std::string& things);

}  // namespace ebt
