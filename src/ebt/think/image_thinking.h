// Thinking about images: pixels move down the energy of the image.
//
// One step, from images x (B, C, H, W):
//   e = energies of patches (B, T)      E = mean of e      g = dE/dx      x' = x - alpha g
#pragma once

#include "ebt/core/arena.h"
#include "ebt/model/image_trunk.h"

namespace ebt {

// One step of some images, kept where it is differentiated later.
template <class T, class S>
struct ImageStep {
  ImageStep(Arena& arena, const ImageModelConfig& config, int64_t batch, TrunkUse use);

  ImageTrunk<T, S> trunk;
  Tensor<T> patch_energy;  // (B, T, 1)
  Tensor<T> energy;        // (B)
  Tensor<T> gradient;      // (B, C, H, W): g
  Tensor<T> next;          // (B, C, H, W): x'
  Tensor<T> features_bar;  // (B, T, D): the energy's cotangent of the features
};

// The energies of images, into step.patch_energy and step.energy.
template <class T, class S>
void image_energy(const ImageLandscape<T, S>& at, Tensor<const T> images, ImageStep<T, S>& step);

// One thinking step from `images`, which may be step.next, with the step sizes (B) of the images.
// Afterwards step.trunk holds what a sweep needs.
template <class T, class S>
void think_once(const ImageLandscape<T, S>& at, Tensor<const T> images, Tensor<const T> step_size,
                ImageStep<T, S>& step);

}  // namespace ebt
