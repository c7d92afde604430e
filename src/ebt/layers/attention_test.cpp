#include "ebt/layers/attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

// Memory that either attention wants beside its output.
template <class T>
void take_saved(Arena& arena, int64_t batch, int64_t queries, int64_t heads,
                AttentionSaved<T>& saved) {
  saved.log_sum = arena.take<T>({batch, queries, heads});
  saved.mean_dot = arena.take<T>({batch, queries, heads});
}

// Sequences around the sizes of the kernels' tiles, 64 queries by 64 keys in blocks of 16, and head
// widths around the sizes of their registers. From 16 heads on, work is split in another way.
struct ContextAttentionCase : LayerCase {
  template <class T>
  using Layer = ContextAttention<T>;
  int64_t batch, tokens, heads, head_width;

  ContextAttentionCase(int64_t b, int64_t s, int64_t h, int64_t d)
      : batch(b), tokens(s), heads(h), head_width(d) {}
  static std::vector<ContextAttentionCase> all() {
    return {{2, 7, 2, 2},   {1, 1, 1, 1},   {3, 1, 2, 2},  {2, 0, 2, 2},
            {0, 5, 1, 2},   {1, 6, 1, 37},  {1, 64, 2, 2}, {1, 65, 1, 3},
            {2, 130, 2, 2}, {1, 17, 1, 16}, {8, 4, 2, 3}};
  }
  Shape x_shape() const { return {batch, tokens, 3 * heads * head_width}; }
  Shape y_shape() const { return {batch, tokens, heads * head_width}; }
  template <class T>
  void prepare(Arena& arena, AttentionSaved<T>& saved) const {
    take_saved(arena, batch, tokens, heads, saved);
  }
  template <class T>
  typename ContextAttention<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return {heads};
  }
  template <class T>
  typename ContextAttention<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::context_attention(x, heads);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(ContextAttention, LayerContract, ContextAttentionCase);

// The same sizes, without the order.
struct BidirectionalAttentionCase : ContextAttentionCase {
  template <class T>
  using Layer = BidirectionalAttention<T>;

  explicit BidirectionalAttentionCase(const ContextAttentionCase& other)
      : ContextAttentionCase(other) {}
  static std::vector<BidirectionalAttentionCase> all() {
    std::vector<BidirectionalAttentionCase> cases;
    for (const ContextAttentionCase& other : ContextAttentionCase::all()) {
      cases.emplace_back(other);
    }
    return cases;
  }
  template <class T>
  typename BidirectionalAttention<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return {heads};
  }
  template <class T>
  typename BidirectionalAttention<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::bidirectional_attention(x, heads);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(BidirectionalAttention, LayerContract, BidirectionalAttentionCase);

struct PredictionAttentionCase : LayerCase {
  template <class T>
  using Layer = PredictionAttention<T>;
  static constexpr bool kSecondOrderWithoutGrads = false;
  int64_t batch, queries, heads, head_width, lead, first_query;
  int64_t unseen;     // context tokens after the last one that any query sees
  int64_t first_row;  // context sequences before those of the queries; one more follows them

  PredictionAttentionCase(int64_t b, int64_t q, int64_t h, int64_t d, int64_t l, int64_t first,
                          int64_t more, int64_t row = 0)
      : batch(b),
        queries(q),
        heads(h),
        head_width(d),
        lead(l),
        first_query(first),
        unseen(more),
        first_row(row) {}
  int64_t tokens() const { return first_query + queries + lead + unseen; }
  int64_t rows() const { return first_row == 0 ? batch : first_row + batch + 1; }
  static std::vector<PredictionAttentionCase> all() {
    return {{2, 5, 2, 2, 0, 0, 0},    {2, 4, 2, 2, 1, 0, 0},       {1, 3, 1, 2, 1, 4, 2},
            {1, 1, 1, 1, 0, 0, 0},    {3, 1, 2, 2, 0, 6, 0},       {2, 0, 1, 2, 1, 0, 0},
            {0, 3, 1, 2, 0, 0, 0},    {1, 3, 1, 37, 1, 0, 1},      {1, 48, 1, 2, 1, 15, 0},
            {1, 65, 2, 3, 1, 0, 0},   {2, 130, 1, 2, 0, 0, 0},     {1, 2, 1, 2, 1, 127, 0},
            {2, 9, 2, 3, 1, 2, 0, 1}, {1, 17, 1, 16, 0, 62, 3, 2}, {9, 3, 2, 2, 1, 0, 0}};
  }
  Shape x_shape() const { return {batch, queries, 3 * heads * head_width}; }
  Shape y_shape() const { return {batch, queries, heads * head_width}; }
  std::vector<Shape> parameters() const { return {{rows(), tokens(), 3 * heads * head_width}}; }
  std::vector<Shape> gradients() const { return {{rows(), tokens(), 2 * heads * head_width}}; }
  size_t differentiated_entry(size_t /*which*/, size_t index) const {
    return entry_of_context(index, heads * head_width);
  }
  template <class T>
  void prepare(Arena& arena, AttentionSaved<T>& saved) const {
    take_saved(arena, batch, queries, heads, saved);
  }
  template <class T>
  typename PredictionAttention<T>::Params params(const Tensors<const T>& theta) const {
    return {heads, theta[0], lead, first_query, first_row};
  }
  template <class T>
  typename PredictionAttention<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0]};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    Array<S> context({batch, tokens(), 3 * heads * head_width});
    const auto skipped = first_row * tokens() * 3 * heads * head_width;
    std::copy_n(theta[0].values.begin() + skipped, context.values.size(), context.values.begin());
    return reference::prediction_attention(x, context, heads, lead, first_query);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(PredictionAttention, LayerContract, PredictionAttentionCase);

TEST(ContextAttention, NamesWhatDoesNotFit) {
  std::vector<double> values(24);
  AttentionSaved<double> saved;
  EXPECT_EQ(error_text([&] {
              ContextAttention<double>::forward({2}, {values.data(), {1, 2, 9}},
                                                {values.data(), {1, 2, 3}}, saved);
            }),
            "context attention: x is (1,2,9), which does not hold q, k and v of 2 heads");
}

TEST(PredictionAttention, NamesWhatDoesNotFit) {
  std::vector<double> values(24);
  AttentionSaved<double> saved;
  const PredictionAttention<double>::Params params{1, {values.data(), {1, 4, 6}}, 1, 2, 0};
  const Tensor<double> x{values.data(), {1, 2, 6}};
  const Tensor<double> y{values.data(), {1, 2, 2}};
  EXPECT_EQ(
      error_text([&] { PredictionAttention<double>::forward(params, x, y, saved); }),
      "prediction attention: x is (1,2,6) from sequence 0, position 2 but the context is (1,4,6)");
  saved.qkv = x;
  EXPECT_EQ(error_text([&] {
              PredictionAttention<double>::vjp_of_jvp(params, saved, x, y, x, Write::kReplace,
                                                      nullptr);
            }),
            "prediction attention: the second order needs context cotangents");
}

}  // namespace
}  // namespace ebt::testing
