#include "ebt/layers/cross_entropy.h"

#include <algorithm>

#include "ebt/kernels/softmax.h"

namespace ebt {
namespace {

template <class T>
void check(const typename CrossEntropy<T>::Params& params, Tensor<const T> x) {
  EBT_CHECK(x.shape.rank() == 2 && params.targets.count() == x.dim(0),
            "cross-entropy: logits are {} but there are {} targets", x.shape.to_string(),
            params.targets.count());
  for (const int32_t target : params.targets) {
    EBT_CHECK(target < x.dim(1), "cross-entropy: target {} is outside the vocabulary of {}", target,
              x.dim(1));
  }
}

// Entry j of q in a row with this target.
template <class T>
T target_share(const typename CrossEntropy<T>::Params& params, int64_t vocab, int32_t target,
               int64_t j) {
  return params.smoothing / static_cast<T>(vocab) + (j == target ? T(1) - params.smoothing : T(0));
}

}  // namespace

template <class T>
void CrossEntropy<T>::loss_and_gradient(const Params& params, Tensor<const T> x, T scale,
                                        Tensor<T> loss, Tensor<T> x_bar) {
  check<T>(params, x);
  kernels::cross_entropy<T>().loss_and_gradient(x.dim(0), x.dim(1), x.data, params.targets.data,
                                                params.smoothing, scale, loss.data, x_bar.data);
}

template <class T>
void CrossEntropy<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
  check<T>(params, x);
  check_shape("cross-entropy", "y", y.shape, {x.dim(0)});
  kernels::softmax<T, T>().forward(x.dim(0), x.dim(1), x.data, saved.p.data);
  loss_and_gradient(params, x, T(0), y, {});
}

template <class T>
void CrossEntropy<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                          Tensor<T> x_bar, Write write, Grads* /*grads*/) {
  check_shape("cross-entropy", "y_bar", y_bar.shape, {saved.p.dim(0)});
  check_shape("cross-entropy", "x_bar", x_bar.shape, saved.p.shape);
  const int64_t vocab = saved.p.dim(1);
  for (int64_t i = 0; i < x_bar.count(); ++i) {
    const int64_t row = i / vocab;
    const int32_t target = params.targets[row];
    const T slope =
        target < 0 ? T(0) : saved.p[i] - target_share<T>(params, vocab, target, i % vocab);
    x_bar[i] = (write == Write::kAdd ? x_bar[i] : T(0)) + y_bar[row] * slope;
  }
}

template <class T>
void CrossEntropy<T>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                          Tensor<T> y_dot) {
  check_shape("cross-entropy", "x_dot", x_dot.shape, saved.p.shape);
  check_shape("cross-entropy", "y_dot", y_dot.shape, {saved.p.dim(0)});
  const int64_t vocab = saved.p.dim(1);
  std::fill(y_dot.begin(), y_dot.end(), T(0));
  for (int64_t i = 0; i < x_dot.count(); ++i) {
    const int32_t target = params.targets[i / vocab];
    if (target >= 0) {
      y_dot[i / vocab] +=
          (saved.p[i] - target_share<T>(params, vocab, target, i % vocab)) * x_dot[i];
    }
  }
}

template <class T>
void CrossEntropy<T>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                                 Tensor<const T> delta, Tensor<T> x_bar, Write write,
                                 Grads* /*grads*/) {
  check_second_order("cross-entropy", x_dot, delta, x_bar, saved.p.shape, {saved.p.dim(0)});
  const int64_t vocab = saved.p.dim(1);
  for (int64_t row = 0; row < saved.p.dim(0); ++row) {
    const T* p = saved.p.data + row * vocab;
    const T* dot = x_dot.data + row * vocab;
    T* bar = x_bar.data + row * vocab;
    T mean = 0;
    for (int64_t j = 0; j < vocab; ++j) {
      mean += p[j] * dot[j];
    }
    const T scale = params.targets[row] < 0 ? T(0) : delta[row];
    for (int64_t j = 0; j < vocab; ++j) {
      bar[j] = (write == Write::kAdd ? bar[j] : T(0)) + scale * p[j] * (dot[j] - mean);
    }
  }
}

template struct CrossEntropy<float>;
template struct CrossEntropy<double>;

}  // namespace ebt
