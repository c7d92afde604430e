// Texts from a model, many at a time: thoughts about the next token of every text share passes
// through the weights, whichever step each of them is at.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ebt/model/config.h"
#include "ebt/think/options.h"

namespace ebt {

// How a token is drawn from softmax(final logits / temperature).
struct SamplingOptions {
  double temperature = 1.0;  // 0 always takes the likeliest token
  int64_t top_k = 0;         // draw among so many likeliest tokens; 0: all
  double top_p = 1.0;        // draw among the likeliest tokens that hold this probability together
  uint64_t seed = 0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("temperature", temperature, "1 samples as predicted, 0 always takes the likeliest token");
    visit("top-k", top_k, "sample among so many likeliest tokens; 0 is all");
    visit("top-p", top_p, "sample among the likeliest tokens that hold this probability together");
    visit("seed", seed, "seed of noise and samples; the same seed writes the same text");
  }
};

// What a generator is prepared for.
struct GeneratorOptions {
  int64_t texts = 1;               // running at the same time
  std::string precision = "auto";  // what weights and cached keys are stored as (precision_of)
};

// A text longer than the model's context is continued from its last tokens: whenever the context is
// full, its older half is dropped.
struct GenerationRequest {
  std::vector<int32_t> prompt;  // at least one token: a document separator starts a document
  int64_t max_tokens = 200;     // written at most; 0: only score the prompt
  // Tokens of the prompt from this index on (at least 1) are thought about too and reported before
  // what is written, each predicted from those before it; -1: none.
  int64_t score_from = -1;
  // The token that ends a text, and is not part of it; -1: none.
  int32_t end_token = -1;
  ThinkOptions think;
  SamplingOptions sampling;
  int64_t top_tokens = 0;  // likeliest tokens reported with every token
  bool trace = false;      // report entropy and the likeliest tokens after every step too

  // Throws Error naming the first impossible field.
  void check(const TextModelConfig& model) const;
};

struct TokenProbability {
  int32_t token = 0;
  double log_probability = 0;  // nats, before temperature, top_k and top_p
};

// A prediction on its way: before the first step, or after some.
struct ThinkingState {
  double energy = 0;                  // on the landscape that is descended next, or the last one
  double entropy = 0;                 // nats; only with `trace`
  std::vector<TokenProbability> top;  // likeliest first; only with `trace`
};

// A token that was written, or a scored one of the prompt.
struct TokenReport {
  int32_t token = 0;
  bool from_prompt = false;
  double log_probability = 0;         // of the token under the final prediction, in nats
  std::vector<TokenProbability> top;  // `top_tokens` likeliest under the final prediction
  std::vector<ThinkingState> states;  // of the kept candidate: K + 1 for K steps; empty: a baseline
  std::vector<double> candidate_energies;  // final, of every candidate
  int64_t thinking_steps = 0;              // spent on it, over all candidates
  int64_t forward_passes = 0;  // rows that went through the model for it, context included
  double energy() const { return states.empty() ? 0 : states.back().energy; }
};

// kNotFinite: the model's prediction was not a finite number; such a token is not reported.
enum class FinishReason { kEnd, kLength, kBudget, kCancelled, kNotFinite };
// Throws Error for kNotFinite, and for a prediction that is not finite: what may be wrong with the
// model.
void check_finite(FinishReason reason);
void check_prediction(bool is_finite);

// Called from within step(), in order. None may call the generator, except for cancel().
struct GenerationCallbacks {
  std::function<void(const TokenReport&)> on_token;
  std::function<void(FinishReason)> on_finish;
  // The end token that was written instead of another one; kEnd follows.
  std::function<void(const TokenReport&)> on_end = nullptr;
};

// Not thread-safe: one thread owns it. Texts do not influence each other: a request gives the same
// tokens and the same numbers, bit for bit, whatever else runs beside it, on any number of threads.
class Generator {
 public:
  virtual ~Generator() = default;

  virtual const TextModelConfig& config() const = 0;
  // Texts that can run at the same time; others wait in the order of their submission.
  virtual int64_t capacity() const = 0;
  // Queues a request and returns its id. Throws Error for an impossible one.
  virtual int64_t submit(GenerationRequest request, GenerationCallbacks callbacks) = 0;
  // Ends a request with kCancelled, at once if called from outside step(), else when step()
  // returns. Unknown and finished ids are ignored.
  virtual void cancel(int64_t id) = 0;
  // One pass through the model for all running texts. False when there was nothing to do.
  virtual bool step() = 0;
  virtual int64_t running() const = 0;
  virtual int64_t waiting() const = 0;
};

}  // namespace ebt
