#include "ebt/model/energy_stream.h"

#include "ebt/core/phase.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rows.h"
#include "ebt/layers/linear.h"

namespace ebt {

template <class T, class S, class Attention, class Style>
EnergyStream<T, S, Attention, Style>::EnergyStream(Arena& arena, const StackShape& shape,
                                                   Pooling pooling, bool training)
    : pooling_(pooling),
      stack_(arena, shape, training ? StackUse::kSecondOrder : StackUse::kGradient),
      token_energy_(arena.take<T>({shape.batch, shape.tokens, 1})),
      energy_(pooling == Pooling::kNone ? Tensor<T>{} : arena.take<T>({shape.batch})),
      token_delta_(arena.take<T>(token_energy_.shape)),
      features_delta_(arena.take<T>(shape.stream())) {}

template <class T, class S, class Attention, class Style>
T EnergyStream<T, S, Attention, Style>::share() const {
  return pooling_ == Pooling::kMean ? T(1) / static_cast<T>(token_energy_.dim(1)) : T(1);
}

template <class T, class S, class Attention, class Style>
Tensor<const T> EnergyStream<T, S, Attention, Style>::forward(const Params& params) {
  features_ = stack_.forward(params.stack);
  typename Linear<T>::Saved unused;
  Linear<T>::forward({params.head, {}}, features_, token_energy_, unused);
  const int64_t batch = token_energy_.dim(0);
  const int64_t tokens = token_energy_.dim(1);
  if (pooling_ == Pooling::kNone) {
    return token_energy_.reshape({batch, tokens});
  }
  kernels::rows<T>().mean(batch, tokens, token_energy_.data, energy_.data);
  if (pooling_ == Pooling::kSum) {
    kernels::elementwise<T>().scale(batch, static_cast<T>(tokens), energy_.data);
  }
  return energy_;
}

template <class T, class S, class Attention, class Style>
void EnergyStream<T, S, Attention, Style>::input_gradient(const Params& params) {
  kernels::elementwise<T>().fill(token_delta_.count(), share(), token_delta_.data);
  Linear<T>::vjp({params.head, {}}, {features_}, token_delta_, features_delta_, Write::kReplace,
                 nullptr);
  stack_.vjp(params.stack, features_delta_, nullptr);
}

template <class T, class S, class Attention, class Style>
void EnergyStream<T, S, Attention, Style>::to_tokens(Tensor<const T> energy_bar,
                                                     Tensor<T> token_bar) const {
  if (pooling_ == Pooling::kNone) {
    kernels::elementwise<T>().copy(energy_bar.count(), energy_bar.data, token_bar.data);
    return;
  }
  const int64_t each = token_bar.count() / energy_bar.count();
  for (int64_t row = 0; row < energy_bar.count(); ++row) {
    kernels::rows<T>().repeat(each, 1, share(), energy_bar.data + row, token_bar.data + row * each);
  }
}

template <class T, class S, class Attention, class Style>
Tensor<const S> EnergyStream<T, S, Attention, Style>::vjp(const Params& params,
                                                          Tensor<const T> energy_bar,
                                                          Grads& grads) {
  to_tokens(energy_bar, token_delta_);
  typename Linear<T>::Grads head{grads.head, {}};
  Linear<T>::vjp({params.head, {}}, {features_}, token_delta_, features_delta_, Write::kReplace,
                 &head);
  stack_.vjp(params.stack, features_delta_, &grads.stack);
  return stack_.gradient_stored();
}

template <class T, class S, class Attention, class Style>
Tensor<const S> EnergyStream<T, S, Attention, Style>::sweep(const Params& params, Tensor<T> e_dot,
                                                            Tensor<const T> energy_bar,
                                                            SweepSpace<T, S>& space, Grads& grads,
                                                            Tensor<T> e_bar) {
  const PhaseScope scope(Phase::kSecondOrder);
  const Tensor<const T> features_dot = stack_.jvp(params.stack, e_dot, space);
  const typename Linear<T>::Params linear{params.head, {}};
  typename Linear<T>::Grads head{grads.head, {}};
  if (energy_bar) {
    to_tokens(energy_bar, space.token_bar);
    Linear<T>::vjp(linear, {features_}, space.token_bar, space.features_bar, Write::kReplace,
                   &head);
  }
  Linear<T>::vjp_of_jvp(linear, {features_}, features_dot, token_delta_, {}, Write::kReplace,
                        &head);
  return stack_.second_order(params.stack, e_dot,
                             energy_bar ? space.features_bar : Tensor<const T>{}, space,
                             grads.stack, e_bar);
}

#define EBT_INSTANTIATE(T, S)                                                 \
  template class EnergyStream<T, S, PredictionAttention<T, S>, TextStyle>;    \
  template class EnergyStream<T, S, BidirectionalAttention<T, S>, TextStyle>; \
  template class EnergyStream<T, S, BidirectionalAttention<T, S>, ImageStyle>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
