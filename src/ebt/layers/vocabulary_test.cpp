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

// Values of the rows by vocabulary, and by width.
struct Rows {
  static constexpr int64_t kRows = 3, kVocab = 5, kWidth = 2;
  std::vector<double> logits, embedding, weight;

  explicit Rows(uint32_t seed)
      : logits(normal_draws(kRows * kVocab, seed)),
        embedding(normal_draws(kRows * kWidth, seed + 1)),
        weight(normal_draws(kVocab * kWidth, seed + 2)) {}
  Tensor<double> by_vocab() { return {logits.data(), {kRows, kVocab}}; }
  Tensor<double> by_width() { return {embedding.data(), {kRows, kWidth}}; }
  EmbedPrediction<double>::Matrix matrix() {
    return {Tensor<const double>{weight.data(), {kVocab, kWidth}}, true};
  }
};

TEST(EmbedPrediction, WorksInTheMemoryOfItsLogits) {
  for (const bool normalize : {false, true}) {
    Rows given(1);
    Rows tangent(10);
    Rows in_place(1);
    Rows p(20);
    Rows work(30);
    Rows y(40);
    Rows bar(50);
    const EmbedPrediction<double>::Params params{given.matrix(), normalize};
    EmbedPrediction<double>::Saved apart{p.by_vocab(), work.by_vocab()};
    EmbedPrediction<double>::forward(params, given.by_vocab(), y.by_width(), apart);
    Rows y_in_place(60);
    EmbedPrediction<double>::Saved shared{in_place.by_vocab(), bar.by_vocab()};
    EmbedPrediction<double>::forward(params, in_place.by_vocab(), y_in_place.by_width(), shared);
    EXPECT_EQ(y_in_place.embedding, y.embedding);

    Rows expected(70);
    EmbedPrediction<double>::vjp(params, apart, given.by_width(), expected.by_vocab(),
                                 Write::kReplace, nullptr);
    EmbedPrediction<double>::vjp(params, shared, given.by_width(), bar.by_vocab(), Write::kReplace,
                                 nullptr);
    EXPECT_EQ(bar.logits, expected.logits);
    EmbedPrediction<double>::vjp_of_jvp(params, apart, tangent.by_vocab(), given.by_width(),
                                        expected.by_vocab(), Write::kReplace, nullptr);
    EmbedPrediction<double>::vjp_of_jvp(params, shared, tangent.by_vocab(), given.by_width(),
                                        bar.by_vocab(), Write::kReplace, nullptr);
    EXPECT_EQ(bar.logits, expected.logits);
  }
}

TEST(EmbedPrediction, WeightGradientCanBeHadAlone) {
  Rows given(1);
  Rows p(10);
  Rows whole(20);
  Rows alone(20);
  Rows work(30);
  const EmbedPrediction<double>::Params params{given.matrix(), false};
  EmbedPrediction<double>::Grads whole_grads{{whole.weight.data(), {5, 2}}};
  EmbedPrediction<double>::Grads alone_grads{{alone.weight.data(), {5, 2}}};
  EmbedPrediction<double>::vjp(params, {p.by_vocab(), work.by_vocab()}, given.by_width(),
                               work.by_vocab(), Write::kReplace, &whole_grads);
  EmbedPrediction<double>::vjp_of_weight(params, p.by_vocab(), given.by_width(), &alone_grads);
  EXPECT_EQ(alone.weight, whole.weight);
}

TEST(DescendLogits, WorksInTheMemoryOfItsOutputAndItsCotangent) {
  Rows given(1);
  Rows p(10);
  Rows g(20);
  Rows work(30);
  Rows next(40);
  const std::vector<double> step{0.5, 1.0, 2.0};
  const DescendLogits<double>::Params params{given.matrix(), p.by_vocab(), {step.data(), {3}}, {}};
  DescendLogits<double>::Saved apart{{}, g.by_vocab(), work.by_vocab()};
  DescendLogits<double>::forward(params, given.by_width(), next.by_vocab(), apart);
  Rows in_place(50);
  DescendLogits<double>::Saved shared{{}, in_place.by_vocab(), given.by_vocab()};
  DescendLogits<double>::forward(params, given.by_width(), in_place.by_vocab(), shared);
  EXPECT_EQ(in_place.logits, next.logits);

  Rows expected(60);
  Rows bar(70);
  DescendLogits<double>::vjp(params, apart, given.by_vocab(), expected.by_width(), Write::kReplace,
                             nullptr);
  DescendLogits<double>::vjp(params, shared, given.by_vocab(), bar.by_width(), Write::kReplace,
                             nullptr);
  EXPECT_EQ(bar.embedding, expected.embedding);
}

TEST(Vocabulary, NamesWhatDoesNotFit) {
  Rows given(1);
  EmbedPrediction<double>::Saved embed{given.by_vocab(), given.by_vocab()};
  EXPECT_EQ(error_text([&] {
              EmbedPrediction<double>::forward({given.matrix(), true}, given.by_width(),
                                               given.by_width(), embed);
            }),
            "vocabulary: predictions are (3,2) but the vocabulary is 5");
  DescendLogits<double>::Saved descend{{}, given.by_vocab(), given.by_vocab()};
  const std::vector<double> step(2);
  EXPECT_EQ(error_text([&] {
              DescendLogits<double>::forward(
                  {given.matrix(), given.by_vocab(), {step.data(), {2}}, {}}, given.by_width(),
                  given.by_vocab(), descend);
            }),
            "vocabulary: a step of 2 sizes from (3,5) does not give (3,5)");
}

}  // namespace
}  // namespace ebt::testing
