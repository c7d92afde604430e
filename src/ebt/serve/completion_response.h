// Answers to completion requests in OpenAI's forms: whole, or in the chunks of a stream.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/serve/completion_request.h"
#include "ebt/serve/text_writer.h"

namespace ebt {

// What was spent on a request.
struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t thinking_steps = 0;
  int64_t forward_passes = 0;

  // Adds a token that was written or scored.
  void add(const TokenReport& report);
  Json to_json() const;
};

// One choice as it grows: knows where its text stands, so that chunks and whole answers agree.
class ChoiceFormat {
 public:
  // All must outlive this. `text`: index of the text in the request.
  ChoiceFormat(const CompletionRequest& request, const ServedModel& model, size_t text);

  // What stands before anything written: the echo of the prompt.
  TextPiece echo() const;
  // The fields "text" (or "delta" / "message" of a chat), "logprobs" and "thinking" of a piece.
  // `finish_reason` is null while the text is being written.
  Json chunk(size_t index, const TextPiece& piece, const Json& finish_reason);
  // The same, for a whole text.
  Json choice(size_t index, const TextPiece& whole, const Json& finish_reason);

 private:
  Json fields(size_t index, const TextPiece& piece, const Json& finish_reason, const char* key);
  Json logprobs(const TextPiece& piece);
  Json completion_logprobs(const TextPiece& piece);
  Json chat_logprobs(const TextPiece& piece) const;
  Json thinking(const TextPiece& piece) const;
  Json thought(const TokenReport& report) const;

  const CompletionRequest& request_;
  const ServedModel& model_;
  size_t text_;
  int64_t offset_ = 0;       // characters before the next token
  bool first_token_ = true;  // nothing has been reported
  bool first_chunk_ = true;
};

// The object around choices: "id", "object", "created", "model".
class CompletionFormat {
 public:
  // `id` is unique for each answer.
  CompletionFormat(const CompletionRequest& request, const ServedModel& model,
                   const std::string& id, int64_t created);

  Json whole(Json choices, const Usage& usage) const;
  Json chunk(Json choices) const;
  // The last chunk of a stream that includes usage.
  Json usage_chunk(const Usage& usage) const;

 private:
  Json envelope(const char* chat, const char* completion) const;

  const CompletionRequest& request_;
  const ServedModel& model_;
  std::string id_;
  int64_t created_;
};

// GET /v1/models, and one of its entries.
Json model_json(const ServedModel& model);

}  // namespace ebt
