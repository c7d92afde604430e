#include "ebt/loss/cross_entropy.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct CrossEntropyCase : LayerCase {
  template <class T>
  using Layer = CrossEntropy<T>;
  int64_t vocab;
  double smoothing;
  std::vector<int32_t> targets;  // every fifth is ignored

  CrossEntropyCase(int64_t rows, int64_t v, double s) : vocab(v), smoothing(s) {
    for (int64_t n = 0; n < rows; ++n) {
      targets.push_back(n % 5 == 3 ? -1 : static_cast<int32_t>(n * n % vocab));
    }
  }
  static std::vector<CrossEntropyCase> all() {
    return {{6, 7, 0.0}, {6, 7, 0.25}, {1, 1, 0.0}, {1, 2, 0.5}, {0, 3, 0.0}, {140, 19, 0.125}};
  }
  int64_t rows() const { return static_cast<int64_t>(targets.size()); }
  Shape x_shape() const { return {rows(), vocab}; }
  Shape y_shape() const { return {rows()}; }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    saved.p = arena.take<std::remove_reference_t<decltype(saved.p[0])>>(x_shape());
  }
  template <class T>
  typename CrossEntropy<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return {{targets.data(), {rows()}}, static_cast<T>(smoothing)};
  }
  template <class T>
  typename CrossEntropy<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::cross_entropy(x, targets, smoothing);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(CrossEntropy, LayerContract, CrossEntropyCase);

}  // namespace
}  // namespace ebt::testing
