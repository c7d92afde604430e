// Attention in bfloat16 and on shapes that are too large for the dual numbers of attention_test.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ebt/layers/attention.h"
#include "tests/support/numeric.h"

namespace ebt::testing {
namespace {

struct Sizes {
  int64_t batch, queries, heads, head_width;
  int64_t lead = 0, first_query = 0, first_row = 0;

  int64_t width() const { return heads * head_width; }
  int64_t tokens() const { return first_query + queries + lead; }
  int64_t rows() const { return first_row + batch; }
};
std::string name(const Sizes& s) {
  return "batch " + std::to_string(s.batch) + ", queries " + std::to_string(s.queries) +
         ", heads " + std::to_string(s.heads) + ", head width " + std::to_string(s.head_width) +
         ", lead " + std::to_string(s.lead) + ", first query " + std::to_string(s.first_query) +
         ", first row " + std::to_string(s.first_row);
}

template <class X>
struct Buffer {
  std::vector<X> values;
  Shape shape;

  explicit Buffer(Shape s)
      : values(static_cast<size_t>(s.count()), X(std::numeric_limits<float>::quiet_NaN())),
        shape(s) {}
  Tensor<X> view() { return {values.data(), shape}; }
};

// Normal draws that bfloat16 holds exactly, so that every precision starts from the same.
template <class S>
Buffer<S> drawn(Shape shape, uint32_t seed) {
  Buffer<S> buffer(shape);
  const std::vector<double> draws = normal_draws(shape.count(), seed);
  for (size_t i = 0; i < draws.size(); ++i) {
    buffer.values[i] = S(static_cast<float>(Bfloat16(static_cast<float>(draws[i]))));
  }
  return buffer;
}

using Results = std::vector<std::pair<std::string, std::vector<double>>>;
template <class X>
std::vector<double> values_of(const std::vector<X>& from) {
  std::vector<double> values;
  for (const X& value : from) {
    if constexpr (std::is_same_v<X, Bfloat16>) {
      values.push_back(static_cast<double>(static_cast<float>(value)));
    } else {
      values.push_back(static_cast<double>(value));
    }
  }
  return values;
}

// Every rule of the prediction stream; x_bar is added to in the last one.
template <class T, class S>
Results prediction(const Sizes& s) {
  const Shape x_shape{s.batch, s.queries, 3 * s.width()};
  const Shape y_shape{s.batch, s.queries, s.width()};
  auto context = drawn<S>({s.rows(), s.tokens(), 3 * s.width()}, 1);
  auto x = drawn<S>(x_shape, 2);
  auto x_dot = drawn<S>(x_shape, 3);
  auto y_bar = drawn<S>(y_shape, 4);
  auto delta = drawn<S>(y_shape, 5);
  Buffer<T> keys_bar({s.rows(), s.tokens(), 2 * s.width()});
  std::fill(keys_bar.values.begin(), keys_bar.values.end(), T(0));
  Buffer<S> y(y_shape);
  Buffer<S> y_dot(y_shape);
  Buffer<S> x_bar(x_shape);
  Buffer<S> inner(x_shape);
  Buffer<T> log_sum({s.batch, s.queries, s.heads});
  Buffer<T> mean_dot({s.batch, s.queries, s.heads});

  using Layer = PredictionAttention<T, S>;
  typename Layer::Saved saved;
  saved.log_sum = log_sum.view();
  saved.mean_dot = mean_dot.view();
  const typename Layer::Params params{s.heads, context.view(), s.lead, s.first_query, s.first_row};
  typename Layer::Grads grads{keys_bar.view()};
  Layer::forward(params, x.view(), y.view(), saved);
  Layer::vjp(params, saved, y_bar.view(), inner.view(), Write::kReplace, nullptr);
  Layer::vjp(params, saved, y_bar.view(), x_bar.view(), Write::kReplace, &grads);
  Layer::jvp(params, saved, x_dot.view(), y_dot.view());
  Results results{{"y", values_of(y.values)},
                  {"log_sum", values_of(log_sum.values)},
                  {"inner x_bar", values_of(inner.values)},
                  {"keys_bar of vjp", values_of(keys_bar.values)},
                  {"y_dot", values_of(y_dot.values)},
                  {"mean_dot", values_of(mean_dot.values)}};
  Layer::second_order(params, saved, x_dot.view(), delta.view(), y_bar.view(), x_bar.view(),
                      Write::kAdd, &grads);
  results.emplace_back("x_bar", values_of(x_bar.values));
  results.emplace_back("keys_bar", values_of(keys_bar.values));
  return results;
}

// The rules of the context stream that a model uses.
template <class T, class S>
Results context(const Sizes& s) {
  const Shape x_shape{s.batch, s.queries, 3 * s.width()};
  const Shape y_shape{s.batch, s.queries, s.width()};
  auto x = drawn<S>(x_shape, 1);
  auto y_bar = drawn<S>(y_shape, 2);
  Buffer<S> x_bar(x_shape);
  std::fill(x_bar.values.begin(), x_bar.values.end(), S(0.0F));
  Buffer<T> keys_bar({s.batch, s.queries, 2 * s.width()});
  std::fill(keys_bar.values.begin(), keys_bar.values.end(), T(0));
  Buffer<S> y(y_shape);
  Buffer<T> log_sum({s.batch, s.queries, s.heads});

  using Layer = ContextAttention<T, S>;
  typename Layer::Saved saved;
  saved.log_sum = log_sum.view();
  Layer::forward({s.heads}, x.view(), y.view(), saved);
  Layer::vjp_apart({s.heads}, saved, y_bar.view(), x_bar.view(), keys_bar.view());
  return {{"y", values_of(y.values)},
          {"log_sum", values_of(log_sum.values)},
          {"x_bar", values_of(x_bar.values)},
          {"keys_bar", values_of(keys_bar.values)}};
}

// Around the edges of tiles (64 queries, 64 keys) and their blocks (16 queries), and head widths
// around those of vectors, odd ones too, since bfloat16 is multiplied in pairs.
std::vector<Sizes> edges() {
  std::vector<Sizes> all;
  for (const int64_t queries : {1, 15, 16, 17, 63, 64, 65, 257}) {
    all.push_back({1, queries, 2, 16});
    all.push_back({1, queries, 1, 24, 1, 3, 1});
  }
  all.push_back({2, 33, 2, 5, 1, 60, 1});
  all.push_back({1, 70, 1, 37});
  all.push_back({9, 66, 2, 8, 0, 1, 2});  // as many heads as make a head the unit of work
  all.push_back({1, 40, 2, 64});
  all.push_back({1, 18, 1, 128, 1, 0, 0});
  all.push_back({1, 1, 2, 48, 1, 200, 0});
  return all;
}

// Relative to the norm of a tensor. Storing a result rounds each entry by up to 2^-9, 1.1e-3 in the
// root mean square. Weights and slopes, where pairs are multiplied, and the outputs that later
// rules read are rounded likewise. Where a query sees few keys, differences such as o_bar.v -
// o_bar.o cancel and make the error up to eight times as large: 9.4e-3 is the worst measured, of
// y_dot.
constexpr double kHalfBound = 1.4e-2;
// What is computed and stored in float: 3.3e-6 is the worst measured.
constexpr double kFloatBound = 1e-5;

void expect_close(const Results& found, const Results& exact, double bound) {
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_LE(relative_error(found[i].second, exact[i].second), bound) << exact[i].first;
  }
}

TEST(AttentionPrecision, PredictionAgreesWithDouble) {
  for (const Sizes& sizes : edges()) {
    SCOPED_TRACE(name(sizes));
    const Results exact = prediction<double, double>(sizes);
    expect_close(prediction<float, float>(sizes), exact, kFloatBound);
    expect_close(prediction<float, Bfloat16>(sizes), exact, kHalfBound);
  }
}

TEST(AttentionPrecision, ContextAgreesWithDouble) {
  for (const Sizes& sizes : edges()) {
    SCOPED_TRACE(name(sizes));
    const Results exact = context<double, double>(sizes);
    expect_close(context<float, float>(sizes), exact, kFloatBound);
    expect_close(context<float, Bfloat16>(sizes), exact, kHalfBound);
  }
}

TEST(AttentionPrecision, ResultsDoNotDependOnTheNumberOfThreads) {
  // One head in several groups of query tiles, fewer groups than tiles, heads as units.
  for (const Sizes& sizes : {Sizes{1, 200, 1, 16}, Sizes{1, 65, 3, 20, 1, 64}, Sizes{1, 577, 2, 8},
                             Sizes{4, 130, 4, 16}, Sizes{3, 17, 6, 8, 1, 0, 1}}) {
    SCOPED_TRACE(name(sizes));
    expect_same_for_any_threads([&] { return prediction<double, double>(sizes); });
    expect_same_for_any_threads([&] { return prediction<float, float>(sizes); });
    expect_same_for_any_threads([&] { return prediction<float, Bfloat16>(sizes); });
    expect_same_for_any_threads([&] { return context<float, float>(sizes); });
    expect_same_for_any_threads([&] { return context<float, Bfloat16>(sizes); });
  }
}

// Queries and keys of a diverged model are so large that a query sees one key alone. Its slopes are
// then zero: large terms that cancel.
template <class T, class S>
double saturated_slope(float size) {
  constexpr int64_t kWidth = 16;
  constexpr int64_t kQueries = 80;
  auto context = drawn<S>({1, kQueries, 3 * kWidth}, 1);
  auto x = drawn<S>({1, kQueries, 3 * kWidth}, 2);
  auto y_bar = drawn<S>({1, kQueries, kWidth}, 3);
  for (Buffer<S>* qkv : {&context, &x}) {
    for (size_t i = 0; i < qkv->values.size(); ++i) {
      const bool value = i % (3 * kWidth) >= 2 * kWidth;
      qkv->values[i] = S(static_cast<float>(qkv->values[i]) * (value ? 1.0F : size));
    }
  }
  Buffer<S> y({1, kQueries, kWidth});
  Buffer<S> x_bar({1, kQueries, 3 * kWidth});
  Buffer<T> log_sum({1, kQueries, 1});
  using Layer = PredictionAttention<T, S>;
  typename Layer::Saved saved;
  saved.log_sum = log_sum.view();
  const typename Layer::Params params{1, context.view(), 0, 0, 0};
  Layer::forward(params, x.view(), y.view(), saved);
  Layer::vjp(params, saved, y_bar.view(), x_bar.view(), Write::kReplace, nullptr);
  double largest = 0;
  for (int64_t i = 0; i < kQueries * kWidth; ++i) {
    const double q_bar = static_cast<double>(static_cast<float>(
        x_bar.values[static_cast<size_t>(i / kWidth * 3 * kWidth + i % kWidth)]));
    largest = std::max(largest, std::abs(q_bar));
  }
  return largest / static_cast<double>(size);
}

TEST(AttentionPrecision, SaturatedAttentionHasNoSlope) {
  for (const float size : {64.0F, 512.0F, 4096.0F}) {
    SCOPED_TRACE(size);
    EXPECT_LE((saturated_slope<double, double>(size)), 1e-12);
    EXPECT_LE((saturated_slope<float, float>(size)), 1e-5);
    EXPECT_LE((saturated_slope<float, Bfloat16>(size)), 1e-5);
  }
}

// The layer contract proves vjp, which this must repeat in other places.
TEST(ContextAttention, VjpApartIsVjp) {
  const Shape x_shape{2, 70, 3 * 12};
  const Shape y_shape{2, 70, 12};
  auto x = drawn<double>(x_shape, 1);
  auto y_bar = drawn<double>(y_shape, 2);
  const auto start = drawn<double>(x_shape, 3);
  auto apart = start;
  Buffer<double> whole(x_shape);
  Buffer<double> keys_bar({2, 70, 2 * 12});
  Buffer<double> y(y_shape);
  Buffer<double> log_sum({2, 70, 3});
  std::fill(keys_bar.values.begin(), keys_bar.values.end(), 0.0);
  AttentionSaved<double> saved;
  saved.log_sum = log_sum.view();
  ContextAttention<double>::forward({3}, x.view(), y.view(), saved);
  ContextAttention<double>::vjp({3}, saved, y_bar.view(), whole.view(), Write::kReplace, nullptr);
  ContextAttention<double>::vjp_apart({3}, saved, y_bar.view(), apart.view(), keys_bar.view());
  for (size_t row = 0; row < 2 * 70; ++row) {
    for (size_t i = 0; i < 36; ++i) {
      const size_t at = row * 36 + i;
      EXPECT_EQ(i < 12 ? apart.values[at] : keys_bar.values[row * 24 + i - 12], whole.values[at]);
      if (i >= 12) {
        EXPECT_EQ(apart.values[at], start.values[at]);
      }
    }
  }
}

}  // namespace
}  // namespace ebt::testing
