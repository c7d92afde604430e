// The tokenizer of the served model, in the forms of vLLM's server, whose clients count and cut
// prompts with it: POST /tokenize and /detokenize, GET /tokenizer_info.
#pragma once

#include <string_view>

#include "ebt/serve/api_error.h"
#include "ebt/serve/served_model.h"

namespace ebt {

// {"prompt"} or {"messages"} to {"count", "max_model_len", "tokens", "token_strs"}: the tokens that
// a completion or a chat would begin with. Throws ApiError.
Json tokenize(std::string_view body, const ServedModel& model);

// {"tokens"} to {"prompt"}. Throws ApiError.
Json detokenize(std::string_view body, const ServedModel& model);

Json tokenizer_info(const ServedModel& model);

}  // namespace ebt
