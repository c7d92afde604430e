#include "ebt/layers/vocabulary.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

template <class S>
Array<S> by_token(const Array<S>& matrix, bool tied) {
  return tied ? matrix : reference::transposed(matrix);
}

// Rows and sizes of a vocabulary, and in which form its matrix is stored.
struct VocabularyCase : LayerCase {
  int64_t rows, vocab, width;
  bool tied;
  bool option;  // what else the layer can be told: to normalise, to clamp

  VocabularyCase(int64_t n, int64_t v, int64_t d, bool is_tied, bool optional)
      : rows(n), vocab(v), width(d), tied(is_tied), option(optional) {}
  template <class Case>
  static std::vector<Case> cases() {
    std::vector<Case> all;
    for (const bool tied : {false, true}) {
      for (const bool option : {false, true}) {
        all.push_back({5, 7, 3, tied, option});
        all.push_back({1, 1, 1, tied, option});
        all.push_back({0, 4, 3, tied, option});
        all.push_back({140, 19, 2, tied, option});
      }
    }
    return all;
  }
  Shape matrix_shape() const { return tied ? Shape{vocab, width} : Shape{width, vocab}; }
  std::vector<Shape> parameters() const { return {matrix_shape()}; }
};

struct EmbedPredictionCase : VocabularyCase {
  template <class T>
  using Layer = EmbedPrediction<T>;
  using VocabularyCase::VocabularyCase;

  static std::vector<EmbedPredictionCase> all() { return cases<EmbedPredictionCase>(); }
  Shape x_shape() const { return {rows, vocab}; }
  Shape y_shape() const { return {rows, width}; }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    using T = std::remove_reference_t<decltype(saved.p[0])>;
    saved.p = arena.take<T>(x_shape());
    saved.p_work = arena.take<T>(x_shape());
  }
  template <class T>
  typename EmbedPrediction<T>::Params params(const Tensors<const T>& theta) const {
    return {{theta[0], tied}, option};
  }
  template <class T>
  typename EmbedPrediction<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0]};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference::embed_prediction(x, by_token(theta[0], tied), option);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(EmbedPrediction, LayerContract, EmbedPredictionCase);

struct DescendLogitsCase : VocabularyCase {
  template <class T>
  using Layer = DescendLogits<T>;
  using VocabularyCase::VocabularyCase;

  static std::vector<DescendLogitsCase> all() { return cases<DescendLogitsCase>(); }
  Shape x_shape() const { return {rows, width}; }
  Shape y_shape() const { return {rows, vocab}; }
  // p, step, bound
  std::vector<Shape> constants() const { return {{rows, vocab}, {rows}, {rows}}; }
  // Bounds are positive, and about as large as what they bound.
  void condition(Arrays<double>& theta) const {
    for (double& bound : theta[3].values) {
      bound = std::abs(bound);
    }
  }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    using T = std::remove_reference_t<decltype(saved.g[0])>;
    saved.g = arena.take<T>(y_shape());
    saved.g_work = arena.take<T>(y_shape());
  }
  template <class T>
  typename DescendLogits<T>::Params params(const Tensors<const T>& theta) const {
    return {{theta[0], tied}, theta[1], theta[2], option ? theta[3] : Tensor<const T>{}};
  }
  template <class T>
  typename DescendLogits<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0]};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference::descend_logits(x, by_token(theta[0], tied), theta[1], theta[2],
                                     option ? &theta[3] : nullptr);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(DescendLogits, LayerContract, DescendLogitsCase);

}  // namespace
}  // namespace ebt::testing
