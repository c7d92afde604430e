// The bodies of POST /v1/completions and /v1/chat/completions, read strictly: what would change the
// meaning of an answer and is not supported is refused, never ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/serve/limits.h"
#include "ebt/serve/served_model.h"
#include "ebt/think/generator.h"

namespace ebt {

enum class Endpoint { kCompletions, kChat };

inline constexpr int64_t kMostTop = 20;  // logprobs, top_logprobs and trace

// What a client asked for. Its answer has prompts.size() * n choices; for each prompt best_of texts
// are written.
struct CompletionRequest {
  Endpoint endpoint = Endpoint::kCompletions;
  std::vector<std::vector<int32_t>> prompts;  // at least one token each
  std::vector<std::string> prompt_texts;      // by prompt; bytes of the tokens
  int64_t n = 1;
  int64_t best_of = 1;
  int64_t max_tokens = 16;
  std::vector<std::string> stop;
  std::optional<uint64_t> seed;
  uint64_t drawn_seed = 0;  // of samples where the request names no seed
  SamplingOptions sampling;
  ThinkOptions think;
  bool echo = false;
  bool logprobs = false;
  int64_t top_logprobs = 0;
  int64_t trace = 0;
  bool stream = false;
  bool include_usage = false;

  int64_t texts() const { return static_cast<int64_t>(prompts.size()) * best_of; }
  size_t prompt_of(size_t text) const { return text / static_cast<size_t>(best_of); }
  // What the generator is asked for the text of this index. Thinking depends on the seed alone, 0
  // without one, so that a text has the same scores in every company. Sample i of a prompt is drawn
  // with seed + i; without a seed every text of every request is drawn with another.
  GenerationRequest generation(size_t text, const ServedModel& model) const;
};

// Throws ApiError (400, or 404 for another model's name), naming the field.
CompletionRequest parse_completion_request(std::string_view body, Endpoint endpoint,
                                           const ServedModel& model, const RequestLimits& limits);

}  // namespace ebt
