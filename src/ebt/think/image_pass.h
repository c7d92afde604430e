// The gradient of training through thinking, for images.
//
// With v the loss's derivative by a step's new image, t = -alpha v is the tangent along which the
// step's gradient g is differentiated: the step's share of every gradient is that of <g, t>, and
// what it passes on to the image it started from is v + d<g, t>/dx. The modes are those of text
// (training_pass.h). Images do not see each other: they are thought about and learned from in
// chunks, one after the other in the same memory.
#pragma once

#include <functional>
#include <vector>

#include "ebt/model/image_model.h"
#include "ebt/think/image_thinking.h"

namespace ebt {

// The random numbers of one training step, as functions that make those of n images from `first`
// on where they are needed.
template <class T>
struct ImageDraws {
  std::function<void(int64_t first, Tensor<T>)> noisy;  // (n, C, H, W) where thinking starts
  std::function<void(int64_t step, int64_t first, Tensor<T>)> langevin;  // standard normal
  std::function<void(int64_t first, Tensor<T>)> step_size;               // (n) uniform in [0, 1)
  int64_t steps = 1;
};

// Sees every thinking step of a pass: its number, the first of n images, the images it ended in,
// and the energies (n) it started from.
template <class T>
using ImageStepObserver = std::function<void(int64_t, int64_t, Tensor<const T>, Tensor<const T>)>;

// The buffers of a chunk of n images.
template <class T, class S>
struct ImageSpace {
  int64_t images;
  std::vector<ImageStep<T, S>> steps;  // one, or one per thinking step where all are kept
  std::vector<Tensor<T>> slopes;       // (n, C, H, W) per kept step: derivative of the loss by it
  Tensor<T> start, noisy, tangent;     // (n, C, H, W)
  Tensor<T> step_size, row_loss, row_error;  // (n)
  ImageSweepSpace<T, S> sweep;

  // What is not there is not wanted: `training` false leaves what a single step needs.
  ImageSpace(Arena& arena, const ImageModelConfig& model, const ImageThinkingConfig& thinking,
             int64_t n, bool training);
};

// What a model lends to a pass.
template <class T, class S>
struct ImageEbtParts {
  const ImageModelConfig& config;
  const ImageThinkingConfig& thinking;
  const ImageLandscape<T, S>& at;
  const ImageWeights<T>& gradients;
};

// Thinks about one chunk of the rows' images, `first` being its first image, adds the gradients of
// everything but the modulation's parameters, and returns the losses. Without `learns` there are no
// gradients.
template <class T, class S>
LossSums image_pass(const ImageEbtParts<T, S>& model, const ImageRows<T>& rows, int64_t first,
                    const ImageDraws<T>& draws, const ImageStepObserver<T>& observe, bool learns,
                    ImageSpace<T, S>& space);

}  // namespace ebt
