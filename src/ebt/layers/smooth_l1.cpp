#include "ebt/layers/smooth_l1.h"

#include <algorithm>

#include "ebt/kernels/smooth_l1.h"

namespace ebt {

template <class T>
void smooth_l1(Tensor<const T> x, Tensor<const T> target, T scale, Tensor<T> row_loss,
               Tensor<T> row_error, Tensor<T> x_bar) {
  const int64_t rows = row_loss.count();
  EBT_CHECK(x.count() == target.count() && row_error.count() == rows &&
                (rows == 0 ? x.count() == 0 : x.count() % rows == 0) &&
                (!x_bar || x_bar.count() == x.count()),
            "smooth L1: x is {}, its target {}, for {} rows", x.shape.to_string(),
            target.shape.to_string(), rows);
  const int64_t width = rows == 0 ? 0 : x.count() / rows;
  const T slope = scale / static_cast<T>(std::max<int64_t>(width, 1));
  kernels::smooth_l1<T>().loss_and_gradient(rows, width, x.data, target.data, slope, row_loss.data,
                                            row_error.data, x_bar.data);
}

template void smooth_l1(Tensor<const float>, Tensor<const float>, float, Tensor<float>,
                        Tensor<float>, Tensor<float>);
template void smooth_l1(Tensor<const double>, Tensor<const double>, double, Tensor<double>,
                        Tensor<double>, Tensor<double>);

}  // namespace ebt
