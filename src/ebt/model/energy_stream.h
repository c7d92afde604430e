// The energies of candidates, the gradient that thinking follows, and the second-order sweep that
// its training needs: a stack of blocks under an energy head.
//
// From embedded candidates e (B, N, D), with E the sum of all energies:
//   forward         energies, of every token or of every row
//   input_gradient  u      = dE/de, keeping every point's cotangent (delta)
//   sweep           e_bar  = d<u, e_dot>/de + J^T energy_bar, and all parameter gradients
#pragma once

#include "ebt/model/block_stack.h"

namespace ebt {

// What has an energy: every token (predictions of a sequence, which see no other prediction), or
// the row of them, of which it is the mean or the sum.
enum class Pooling { kNone, kMean, kSum };

template <class T, class S, class Attention, class Style>
class EnergyStream {
 public:
  using Stack = BlockStack<T, S, Attention, Style>;
  struct Params {
    typename Stack::Params stack;
    Tensor<const T> head;  // (1, D)
  };
  struct Grads {
    typename Stack::Grads stack;
    Tensor<T> head;
  };

  // `training` keeps the cotangents of every block for the sweep.
  EnergyStream(Arena& arena, const StackShape& shape, Pooling pooling, bool training);

  // e: the caller fills it; forward overwrites it.
  Tensor<T> embedded() const { return stack_.embedded(); }
  Tensor<const T> gradient() const { return stack_.gradient(); }                // u (B, N, D)
  Tensor<const S> gradient_stored() const { return stack_.gradient_stored(); }  // the same, rounded
  Tensor<const T> features() const { return features_; }                        // (B, N, D)
  Tensor<const T> token_energies() const { return token_energy_; }              // (B, N, 1)

  // Energies (B, N), or (B) of rows.
  Tensor<const T> forward(const Params& params);
  void input_gradient(const Params& params);
  // The ordinary vjp of the energies, with parameter gradients: returns e_bar = J^T energy_bar,
  // rounded. For a term of the loss on the energies of candidates that are not thought about.
  Tensor<const S> vjp(const Params& params, Tensor<const T> energy_bar, Grads& grads);
  // After input_gradient: the derivative of <u, e_dot> plus that of energy_bar (absent: none) with
  // respect to e, the weights and the context's keys and values, which are added to. Returns e_bar,
  // rounded; in T it is left in e_bar (B, N, D). e_dot is overwritten.
  Tensor<const S> sweep(const Params& params, Tensor<T> e_dot, Tensor<const T> energy_bar,
                        SweepSpace<T, S>& space, Grads& grads, Tensor<T> e_bar);

 private:
  // What a token's energy counts in that of its row.
  T share() const;
  // Cotangents of token energies, from those of energies.
  void to_tokens(Tensor<const T> energy_bar, Tensor<T> token_bar) const;

  Pooling pooling_;
  Stack stack_;
  Tensor<const T> features_;
  Tensor<T> token_energy_;  // (B, N, 1)
  Tensor<T> energy_;        // (B); of tokens absent
  Tensor<T> token_delta_, features_delta_;
};

template <class T, class S>
using PredictionStream = EnergyStream<T, S, PredictionAttention<T, S>, TextStyle>;
template <class T, class S>
using ImageEnergyStream = EnergyStream<T, S, BidirectionalAttention<T, S>, ImageStyle>;

}  // namespace ebt
