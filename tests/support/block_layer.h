// A transformer block under the contract of a layer.
#pragma once

#include <algorithm>
#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/block.h"

namespace ebt::testing {

template <class T>
void copy_tensor(Tensor<const T> from, Tensor<T> to) {
  EBT_CHECK(from.shape == to.shape, "block: {} is not {}", from.shape.to_string(),
            to.shape.to_string());
  std::copy(from.begin(), from.end(), to.begin());
}

// A block as a layer: the stream's input and output are x and y.
template <class T, class Attention, class Style>
struct BlockLayer {
  using Scalar = T;
  using Rules = Block<T, T, Attention, Style>;
  using Params = typename Rules::Params;
  using Grads = typename Rules::Grads;
  struct Saved {
    BlockTrace<T, T> trace;
    BlockValues<T> dot;
    BlockCotangents<T> delta, bar;
    BlockWork<T> work;
    Tensor<T> stream, below;
  };

  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
    copy_tensor(x, y);
    Rules::forward(params, y, saved.trace, saved.work);
  }
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads) {
    descend(params, saved, saved.bar, y_bar, grads);
    give(saved.stream, x_bar, write);
  }
  static void jvp(const Params& params, Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot) {
    copy_tensor(x_dot, y_dot);
    Rules::jvp(params, y_dot, saved.trace, saved.dot, saved.work);
  }
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads) {
    const std::vector<T> zeros(static_cast<size_t>(delta.count()), T(0));
    second_order(params, saved, x_dot, delta, {zeros.data(), delta.shape}, x_bar, write, grads);
  }
  static void second_order(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                           Tensor<const T> delta, Tensor<const T> y_bar, Tensor<T> x_bar,
                           Write write, Grads* grads) {
    check_shape("block", "x_dot", x_dot.shape, saved.stream.shape);
    descend(params, saved, saved.delta, delta, nullptr);
    copy_tensor(y_bar, saved.bar.output);
    copy_tensor(y_bar, saved.stream);
    Rules::second_order(params, saved.trace, saved.dot, saved.delta, saved.bar,
                        {saved.stream, saved.below}, saved.work, *grads);
    give(saved.stream, x_bar, write);
  }

 private:
  static void descend(const Params& params, const Saved& saved, const BlockCotangents<T>& bar,
                      Tensor<const T> y_bar, Grads* grads) {
    copy_tensor(y_bar, bar.output);
    copy_tensor(y_bar, saved.stream);
    Rules::vjp(params, saved.trace, bar, {saved.stream, saved.below}, saved.work, grads);
    for (int64_t i = 0; i < saved.below.count(); ++i) {
      EBT_CHECK(saved.below[i] == saved.stream[i], "block: the stored cotangent differs");
    }
  }
  static void give(Tensor<const T> value, Tensor<T> x_bar, Write write) {
    if (write == Write::kReplace) {
      copy_tensor(value, x_bar);
      return;
    }
    EBT_CHECK(x_bar.shape == value.shape, "block: x_bar is {}", x_bar.shape.to_string());
    for (int64_t i = 0; i < value.count(); ++i) {
      x_bar[i] += value[i];
    }
  }
};

// The memory of a block for (batch, tokens) of a model.
template <class Saved, class Config>
void take_block(Arena& arena, const Config& config, int64_t batch, int64_t tokens, Saved& saved) {
  using T = std::remove_reference_t<decltype(saved.stream[0])>;
  const Shape stream{batch, tokens, config.width};
  saved.trace = BlockTrace<T, T>::take(arena, config, batch, tokens,
                                       BlockValues<T>::take(arena, config, batch, tokens));
  saved.dot = BlockValues<T>::take(arena, config, batch, tokens);
  for (BlockCotangents<T>* bar : {&saved.delta, &saved.bar}) {
    *bar = BlockCotangents<T>::take(arena, config, batch, tokens);
    bar->output = arena.take<T>(stream);
  }
  saved.work = BlockWork<T>::take(arena, config, batch, tokens);
  saved.stream = arena.take<T>(stream);
  saved.below = arena.take<T>(stream);
}

}  // namespace ebt::testing
