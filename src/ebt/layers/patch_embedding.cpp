#include "ebt/layers/patch_embedding.h"

#include <cmath>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/patches.h"
#include "ebt/kernels/rows.h"
#include "ebt/layers/linear.h"

namespace ebt {
namespace {

using Grid = kernels::PatchGrid;

template <class T>
Grid checked_grid(const typename PatchEmbedding<T>::Params& params, Shape x, Shape y) {
  const int64_t patch = params.patch;
  EBT_CHECK(x.rank() == 4 && patch > 0 && x[2] % patch == 0 && x[3] % patch == 0,
            "patch embedding: x is {}, which is not made of patches of {} by {}", x.to_string(),
            patch, patch);
  const Grid grid{x[0], x[1], x[2], x[3], patch};
  const int64_t width = params.bias.count();
  check_shape("patch embedding", "the weight", params.weight.shape,
              {width, grid.channels, patch, patch});
  check_shape("patch embedding", "the table of positions", params.positions.shape,
              {grid.patches(), width});
  check_shape("patch embedding", "y", y, {grid.images, grid.patches(), width});
  return grid;
}

template <class T>
Tensor<T> flat(Tensor<T> weight) {
  return weight.reshape({weight.dim(0), weight.dim(1) * weight.dim(2) * weight.dim(3)});
}

}  // namespace

template <class T>
typename PatchEmbedding<T>::Saved PatchEmbedding<T>::take(Arena& arena, int64_t patches,
                                                          int64_t patch_size) {
  const Shape shape{patches, patch_size};
  return {arena.take<T>(shape), arena.take<T>(shape), arena.take<T>(shape)};
}

template <class T>
void PatchEmbedding<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                Saved& saved) {
  const Grid grid = checked_grid<T>(params, x.shape, y.shape);
  kernels::patches<T>().gather(grid, x.data, saved.patches.data);
  const int64_t width = params.bias.count();
  kernels::rows<T>().repeat(grid.images, grid.patches() * width, T(1), params.positions.data,
                            y.data);
  typename Linear<T>::Saved unused;
  Linear<T>::forward({flat(params.weight), params.bias}, saved.patches,
                     y.reshape({grid.images * grid.patches(), width}), unused, Write::kAdd);
}

template <class T>
void PatchEmbedding<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                            Tensor<T> x_bar, Write write, Grads* grads) {
  const int64_t width = params.bias.count();
  EBT_CHECK(y_bar.shape.rank() == 3 && y_bar.dim(2) == width &&
                y_bar.dim(0) * y_bar.dim(1) == saved.patches.dim(0),
            "patch embedding: y_bar is {}, but there are {} patches in {} channels",
            y_bar.shape.to_string(), saved.patches.dim(0), width);
  typename Linear<T>::Grads linear;
  if (grads != nullptr) {
    linear = {flat(grads->weight), grads->bias};
  }
  Linear<T>::vjp({flat(params.weight), params.bias}, {saved.patches},
                 y_bar.reshape({y_bar.dim(0) * y_bar.dim(1), width}),
                 x_bar ? saved.patches_bar : Tensor<T>{}, Write::kReplace,
                 grads == nullptr ? nullptr : &linear);
  if (x_bar) {
    const Grid grid = checked_grid<T>(params, x_bar.shape, y_bar.shape);
    kernels::patches<T>().scatter(grid, saved.patches_bar.data, write == Write::kAdd, x_bar.data);
  }
}

template <class T>
void PatchEmbedding<T>::jvp(const Params& params, Saved& saved, Tensor<const T> x_dot,
                            Tensor<T> y_dot) {
  const Grid grid = checked_grid<T>(params, x_dot.shape, y_dot.shape);
  kernels::patches<T>().gather(grid, x_dot.data, saved.patches_dot.data);
  Linear<T>::jvp({flat(params.weight), {}}, {}, saved.patches_dot,
                 y_dot.reshape({grid.images * grid.patches(), params.bias.count()}));
}

template <class T>
void PatchEmbedding<T>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                                   Tensor<const T> delta, Tensor<T> x_bar, Write write,
                                   Grads* grads) {
  const Grid grid = checked_grid<T>(params, x_dot.shape, delta.shape);
  if (x_bar) {
    check_shape("patch embedding", "x_bar", x_bar.shape, x_dot.shape);
    if (write == Write::kReplace) {
      kernels::elementwise<T>().fill(x_bar.count(), T(0), x_bar.data);
    }
  }
  if (grads != nullptr) {
    typename Linear<T>::Grads linear{flat(grads->weight), {}};
    Linear<T>::vjp_of_jvp({}, {}, saved.patches_dot,
                          delta.reshape({grid.images * grid.patches(), params.bias.count()}), {},
                          Write::kReplace, &linear);
  }
}

template <class T>
void image_positions(int64_t rows, int64_t columns, Tensor<T> positions) {
  const int64_t width = positions.dim(1);
  check_shape("image positions", "the table", positions.shape, {rows * columns, width});
  EBT_CHECK(width % 4 == 0, "image positions: a width of {} is not a multiple of 4", width);
  const int64_t frequencies = width / 4;
  for (int64_t t = 0; t < rows * columns; ++t) {
    const int64_t row = t / columns;
    for (int64_t i = 0; i < frequencies; ++i) {
      const double omega =
          std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(frequencies));
      const double angles[2] = {static_cast<double>(t % columns) * omega,
                                static_cast<double>(row) * omega};
      for (int64_t axis = 0; axis < 2; ++axis) {
        T* out = positions.data + t * width + axis * 2 * frequencies + i;
        out[0] = static_cast<T>(static_cast<float>(std::sin(angles[axis])));
        out[frequencies] = static_cast<T>(static_cast<float>(std::cos(angles[axis])));
      }
    }
  }
}

#define EBT_INSTANTIATE(T)           \
  template struct PatchEmbedding<T>; \
  template void image_positions(int64_t, int64_t, Tensor<T>);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
