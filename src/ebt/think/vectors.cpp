#include "ebt/think/vectors.h"

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rows.h"
#include "ebt/kernels/vector_descent.h"

namespace ebt {

template <class T>
void descend_vectors(Tensor<const T> x, Tensor<const T> step_size, Tensor<const T> g,
                     Tensor<T> next) {
  kernels::vector_descent<T>().descend(step_size.count(), x.count() / step_size.count(), x.data,
                                       step_size.data, g.data, next.data);
}

template <class T>
void descent_tangent(Tensor<const T> step_size, Tensor<const T> v, Tensor<const T> g, Tensor<T> t,
                     Tensor<T> row_sums) {
  const int64_t rows = step_size.count();
  const int64_t size = v.count() / rows;
  kernels::vector_descent<T>().vjp(rows, size, v.data, step_size.data, t.data);
  kernels::rows<T>().dot(rows, size, t.data, g.data, row_sums.data);
}

template <class T, class S>
void Embedded<T, S>::embed(Tensor<const T> x, Step& /*step*/, Tensor<T> e) const {
  kernels::elementwise<T>().copy(x.count(), x.data, e.data);
}

template <class T, class S>
void Embedded<T, S>::add(Tensor<const T> e_bar, Tensor<T> v) {
  kernels::elementwise<T>().add(v.count(), T(1), e_bar.data, v.data);
}

#define EBT_INSTANTIATE(T)                                                                     \
  template void descend_vectors(Tensor<const T>, Tensor<const T>, Tensor<const T>, Tensor<T>); \
  template void descent_tangent(Tensor<const T>, Tensor<const T>, Tensor<const T>, Tensor<T>,  \
                                Tensor<T>);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE
template struct Embedded<float, float>;
template struct Embedded<float, Bfloat16>;
template struct Embedded<double, double>;

}  // namespace ebt
