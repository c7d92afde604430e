#include "ebt/layers/embedding.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct LandscapeTokenCase : LayerCase {
  template <class T>
  using Layer = LandscapeToken<T>;
  Shape x;

  explicit LandscapeTokenCase(Shape shape) : x(shape) {}
  static std::vector<LandscapeTokenCase> all() {
    return {LandscapeTokenCase({2, 3, 5}), LandscapeTokenCase({1, 1, 1}),
            LandscapeTokenCase({0, 2, 4}), LandscapeTokenCase({3, 0, 4}),
            LandscapeTokenCase({40, 3, 7})};
  }
  Shape x_shape() const { return x; }
  Shape y_shape() const { return {x[0], x[1] + 1, x[2]}; }
  std::vector<Shape> parameters() const { return {{x[2]}}; }
  template <class T>
  typename LandscapeToken<T>::Params params(const Tensors<const T>& theta) const {
    return {theta[0]};
  }
  template <class T>
  typename LandscapeToken<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0]};
  }
  template <class S>
  Array<S> reference(const Array<S>& input, const Arrays<S>& theta) const {
    return reference::landscape_token(input, theta[0]);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(LandscapeToken, LayerContract, LandscapeTokenCase);

// Tokens, weights and cotangents of some size; every token is used more than once.
template <class T>
struct EmbeddingProblem {
  int64_t vocab, width;
  std::vector<int32_t> tokens;
  std::vector<T> weight, y_bar;

  EmbeddingProblem(int64_t vocabulary, int64_t columns, int64_t count)
      : vocab(vocabulary), width(columns) {
    for (int64_t n = 0; n < count; ++n) {
      tokens.push_back(static_cast<int32_t>(n * n % vocab));
    }
    for (const double value : normal_draws(vocab * width, 1)) {
      weight.push_back(static_cast<T>(value));
    }
    for (const double value : normal_draws(count * width, 2)) {
      y_bar.push_back(static_cast<T>(value));
    }
  }
  int64_t count() const { return static_cast<int64_t>(tokens.size()); }
  Tensor<const int32_t> token_view() const { return {tokens.data(), {count()}}; }
  std::vector<T> forward() const {
    std::vector<T> y(tokens.size() * static_cast<size_t>(width));
    Embedding<T>::forward({weight.data(), {vocab, width}}, token_view(),
                          {y.data(), {count(), width}});
    return y;
  }
  std::vector<T> vjp(T start) const {
    std::vector<T> bar(weight.size(), start);
    Embedding<T>::vjp(token_view(), {y_bar.data(), {count(), width}}, {bar.data(), {vocab, width}});
    return bar;
  }
};

TEST(Embedding, ForwardCopiesTheRowsOfItsTokens) {
  const EmbeddingProblem<double> problem(5, 3, 11);
  const std::vector<double> y = problem.forward();
  for (size_t i = 0; i < y.size(); ++i) {
    EXPECT_EQ(y[i], problem.weight[static_cast<size_t>(problem.tokens[i / 3]) * 3 + i % 3]);
  }
}

TEST(Embedding, VjpAddsEveryCotangentToItsTokensRow) {
  const EmbeddingProblem<double> problem(5, 3, 11);
  std::vector<double> expected(15, 2.0);
  for (size_t i = 0; i < problem.y_bar.size(); ++i) {
    expected[static_cast<size_t>(problem.tokens[i / 3]) * 3 + i % 3] += problem.y_bar[i];
  }
  EXPECT_LE(relative_error(problem.vjp(2.0), expected), kDoubleBound);
}

TEST(Embedding, TakesNoTokensAtAll) {
  const EmbeddingProblem<float> problem(4, 3, 0);
  EXPECT_TRUE(problem.forward().empty());
  EXPECT_EQ(problem.vjp(1.0F), std::vector<float>(12, 1.0F));
}

TEST(Embedding, ResultsDoNotDependOnTheNumberOfThreads) {
  const EmbeddingProblem<float> problem(7, 200, 300);
  expect_same_for_any_threads([&] { return problem.vjp(0.0F); });
}

TEST(Embedding, NamesATokenOutsideTheVocabulary) {
  EmbeddingProblem<float> problem(4, 3, 5);
  problem.tokens[2] = 4;
  EXPECT_EQ(error_text([&] { problem.forward(); }),
            "embedding: token 4 is outside the vocabulary of 4");
  problem.tokens[2] = -1;
  EXPECT_EQ(error_text([&] { problem.forward(); }),
            "embedding: token -1 is outside the vocabulary of 4");
}

TEST(LandscapeToken, NamesWhatDoesNotFit) {
  std::vector<double> values(12);
  LandscapeToken<double>::Saved saved;
  EXPECT_EQ(error_text([&] {
              LandscapeToken<double>::forward({{values.data(), {2}}}, {values.data(), {1, 2, 2}},
                                              {values.data(), {1, 2, 2}}, saved);
            }),
            "landscape token: x is (1,2,2) but y is (1,2,2)");
}

}  // namespace
}  // namespace ebt::testing
