// The Generator of a model whose weights are in memory. Which text is where; what a pass computes
// is thoughts.h.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/parameters.h"
#include "ebt/think/thoughts.h"

namespace ebt {

template <class T, class S = T>
class TextGenerator : public Generator {
 public:
  // Takes the weights, under text_model_layout(model). Throws Error for an impossible configuration
  // and where memory is refused.
  TextGenerator(const TextModelConfig& model, const TextThinkingConfig& trained,
                std::unique_ptr<ParameterLayout> layout, ParameterBlock<T> weights, int64_t texts,
                ThinkingNoise<T> noise = counter_based_noise<T>());
  ~TextGenerator() override;

  const TextModelConfig& config() const override { return config_; }
  int64_t capacity() const override { return static_cast<int64_t>(slots_.size()); }
  int64_t submit(GenerationRequest request, GenerationCallbacks callbacks) override;
  void cancel(int64_t id) override;
  bool step() override;
  int64_t running() const override;
  int64_t waiting() const override { return static_cast<int64_t>(waiting_.size()); }

  // Bytes that one pass reads of the blocks' weights, and of one cached token under one landscape.
  int64_t block_bytes() const { return weights_.block_bytes(); }
  int64_t token_bytes() const { return cache_.token_bytes(); }
  // Sees the thoughts of all texts before every step and after the last.
  void observe(std::function<void(const ThoughtView<T>&)> observer) {
    thoughts_.observe = std::move(observer);
  }

 private:
  struct Question;
  struct Text;
  // Whose candidate a lane holds.
  struct LaneOwner {
    Text* text = nullptr;
    Question* question = nullptr;
    int64_t candidate = 0;
  };
  // A row of the next pass after which a baseline's logits are wanted.
  struct WantedLogits {
    Text* text;
    int64_t position;
    int64_t row;
  };

  // First token that the context of the token at `position` holds.
  int64_t window_start(int64_t position) const;
  void admit();
  // The running texts, each in turn the first.
  std::vector<Text*> in_turn() const;
  // Context tokens for the next pass, as many as fit, by landscape.
  std::vector<ContextRow> take_context();
  bool take_token(Text& text, std::vector<std::vector<ContextRow>>& rows);
  bool ask(Text& text);
  // False when all lanes are taken.
  bool start_candidates(Text& text, Question& question);
  void take_event(const ThoughtEvent& event);
  void take_baseline_logits();
  void keep_candidate(Question& question, const LaneOwner& owner, int64_t lane);
  void choose_token(Text& text, Question& question, Tensor<const T> logits);
  void report(Text& text);
  void finish(Text& text, FinishReason reason);

  TextModelConfig config_;
  TextThinkingConfig trained_;
  std::unique_ptr<ParameterLayout> layout_;
  ParameterBlock<T> parameters_;
  RowWeights<T, S> weights_;
  PassRows most_;
  Arena arena_;
  KeyCache<S> cache_;
  Thoughts<T, S> thoughts_;
  std::vector<std::unique_ptr<Text>> slots_;
  std::deque<std::unique_ptr<Text>> waiting_;
  std::vector<LaneOwner> owners_;     // by lane
  std::vector<WantedLogits> wanted_;  // of the next pass
  int64_t next_id_ = 1;
  int64_t passes_ = 0;
  bool stepping_ = false;
};

}  // namespace ebt
