#include "ebt/layers/smooth_l1.h"

#include <algorithm>
#include <cmath>

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
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    double loss = 0;
    double squares = 0;
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      const T d = x[i] - target[i];
      const T size = std::abs(d);
      loss += static_cast<double>(size < T(1) ? d * d / T(2) : size - T(0.5));
      squares += static_cast<double>(d * d);
      if (x_bar) {
        x_bar[i] = slope * std::clamp(d, T(-1), T(1));
      }
    }
    row_loss[row] = static_cast<T>(loss / static_cast<double>(width));
    row_error[row] = static_cast<T>(squares / static_cast<double>(width));
  }
}

template void smooth_l1(Tensor<const float>, Tensor<const float>, float, Tensor<float>,
                        Tensor<float>, Tensor<float>);
template void smooth_l1(Tensor<const double>, Tensor<const double>, double, Tensor<double>,
                        Tensor<double>, Tensor<double>);

}  // namespace ebt
