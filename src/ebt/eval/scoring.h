// Runs many requests through a generator: as many at a time as it takes, answers in order.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "ebt/think/generator.h"

namespace ebt {

// A request, and when its writing is done before its limit.
struct Query {
  GenerationRequest request;
  // Asked after every token that was written, with all reports so far; true ends the request. May
  // be empty.
  std::function<bool(const std::vector<TokenReport>&)> is_done;
};

struct Answer {
  std::vector<TokenReport> tokens;              // scored ones of the prompt, then written ones
  FinishReason finish = FinishReason::kLength;  // kCancelled where Query::is_done ended it
};

// Runs what `next` gives, until it gives nothing, and calls `on_answer` once for each in the same
// order. A few times the generator's capacity are asked for ahead, so that it is never idle and
// memory is bounded. Both functions, and Query::is_done, may throw, but must not use the generator:
// requests that are still running are then cancelled.
void run_queries(Generator& generator, const std::function<std::optional<Query>()>& next,
                 const std::function<void(Answer&&)>& on_answer);

// The same for a few requests; answers in their order.
std::vector<Answer> run_queries(Generator& generator, std::vector<Query> queries);

}  // namespace ebt
