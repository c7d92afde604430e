// The buffers of a text EBT.
#pragma once

#include <optional>
#include <vector>

#include "ebt/think/text_thinking.h"

namespace ebt {

// Whether a step's logits carry gradient to the step before. Not when steps are detached; and when
// only the last step counts, earlier ones matter to nothing but alpha, and so not if that is fixed.
inline bool gradient_crosses_steps(const ThinkingConfig& thinking) {
  return !thinking.detach && (!thinking.truncate || thinking.step_size_learnable);
}

// The buffers of one shape of work. Laid out anew, in the same memory, when the shape changes.
template <class T>
struct TextWorkspace {
  int64_t batch, context, queries;
  bool training;
  std::vector<TextContext<T>> contexts;  // one, or one per landscape where all are kept
  std::vector<TextStep<T>> steps;        // one, or one per thinking step where all are kept
  std::vector<Tensor<T>> slopes;  // (N, V) per kept step: derivative of the loss by its logits
  Tensor<T> initial;              // (N, V) logits before the first step
  Tensor<T> work;                 // (N, V), where steps are kept
  Tensor<T> step_size, bound, row_loss, energy_bar;  // (N)
  Tensor<T> tangent, embedding_bar;                  // (B, Q, D)
  SweepSpace<T> sweep;
  std::optional<TextStep<T>> truth;  // the contrastive term's stream

  bool fits(int64_t b, int64_t s, int64_t q, bool train) const {
    return batch == b && context == s && queries == q && training == train;
  }

  TextWorkspace(Arena& arena, const ModelConfig& model, const ThinkingConfig& thinking, int64_t b,
                int64_t s, int64_t q, bool train)
      : batch(b), context(s), queries(q), training(train) {
    const bool keep_all = train && gradient_crosses_steps(thinking);
    const bool many_contexts = keep_all && model.type != EbtType::kDefault;
    const bool keep_gradient = keep_all || thinking.clamp_gradient > 0;
    for (int64_t i = 0; i < (many_contexts ? model.landscapes : 1); ++i) {
      contexts.emplace_back(arena, model, b, s, train);
    }
    const Shape logits{b * q, model.vocab_size};
    for (int64_t i = 0; i < (keep_all ? model.landscapes * thinking.steps_max : 1); ++i) {
      steps.emplace_back(arena, model, b, q, train, keep_gradient);
      if (train) {
        slopes.push_back(arena.take<T>(logits));
      }
    }
    initial = keep_all ? arena.take<T>(logits) : steps.front().next;
    step_size = arena.take<T>({b * q});
    bound = thinking.clamp_gradient > 0 ? arena.take<T>({b * q}) : Tensor<T>{};
    row_loss = arena.take<T>({b * q});
    if (!train) {
      return;
    }
    work = keep_all || thinking.contrastive > 0 ? arena.take<T>(logits) : Tensor<T>{};
    energy_bar = arena.take<T>({b, q});
    tangent = arena.take<T>({b, q, model.width});
    embedding_bar = arena.take<T>(tangent.shape);
    sweep = SweepSpace<T>::take(arena, model, b, q);
    if (thinking.contrastive > 0) {
      truth.emplace(arena, model, b, q, false, false);
    }
  }
};

}  // namespace ebt
