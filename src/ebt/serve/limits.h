// The limits of one request.
#pragma once

#include <cstdint>

namespace ebt {

struct RequestLimits {
  int64_t max_body_bytes = 1 << 20;
  int64_t max_prompt_tokens = 16'384;
  int64_t max_tokens = 4096;
  int64_t max_texts = 16;
  int64_t max_thinking_steps = 256;
  int64_t max_candidates = 64;
  int64_t max_image_body_bytes = 16 << 20;
  int64_t max_image_pixels = 1 << 22;
  int64_t max_image_history = 1 << 25;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("max-body", max_body_bytes, "bytes of the body of a request");
    visit("max-prompt", max_prompt_tokens, "tokens of a prompt");
    visit("max-tokens", max_tokens, "tokens that a text may ask to be written");
    visit("max-texts", max_texts,
          "texts of one request: prompts times the larger of n and best_of");
    visit("max-steps", max_thinking_steps,
          "thinking steps of a token on a landscape, or of an image; forward passes of DiT");
    visit("max-candidates", max_candidates, "candidates for each token");
    visit("max-image-body", max_image_body_bytes, "bytes of the body of a request with an image");
    visit("max-image-pixels", max_image_pixels, "pixels of an image");
    visit("max-image-history", max_image_history,
          "pixels times steps of an image that is kept after every step: streamed, or given noise");
  }
};

}  // namespace ebt
