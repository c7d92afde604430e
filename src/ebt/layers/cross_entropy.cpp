#include "ebt/layers/cross_entropy.h"

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
  kernels::cross_entropy<T>().vjp(saved.p.dim(0), saved.p.dim(1), saved.p.data, params.targets.data,
                                  params.smoothing, y_bar.data, write == Write::kAdd, x_bar.data);
}

template <class T>
void CrossEntropy<T>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                          Tensor<T> y_dot) {
  check_shape("cross-entropy", "x_dot", x_dot.shape, saved.p.shape);
  check_shape("cross-entropy", "y_dot", y_dot.shape, {saved.p.dim(0)});
  kernels::cross_entropy<T>().jvp(saved.p.dim(0), saved.p.dim(1), saved.p.data, params.targets.data,
                                  params.smoothing, x_dot.data, y_dot.data);
}

template <class T>
void CrossEntropy<T>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                                 Tensor<const T> delta, Tensor<T> x_bar, Write write,
                                 Grads* /*grads*/) {
  check_second_order("cross-entropy", x_dot, delta, x_bar, saved.p.shape, {saved.p.dim(0)});
  kernels::cross_entropy<T>().vjp_of_jvp(saved.p.dim(0), saved.p.dim(1), saved.p.data,
                                         params.targets.data, x_dot.data, delta.data,
                                         write == Write::kAdd, x_bar.data);
}

template struct CrossEntropy<float>;
template struct CrossEntropy<double>;

}  // namespace ebt
