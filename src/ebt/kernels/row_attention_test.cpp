#include "ebt/kernels/row_attention.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "ebt/kernels/isa.h"
#include "tests/support/dual.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

using testing::Dual;
using testing::normal_draws;

constexpr int64_t kHeads = 2;

// Texts of different lengths, and rows that attend to them.
template <class T, class S>
struct Problem {
  int64_t width;
  std::vector<int64_t> counts;  // by row: cached tokens that it sees
  std::vector<bool> own;        // by row
  std::vector<double> qkv, o_bar;
  std::vector<std::vector<double>> keys, values;  // by row: (heads, count, width), as stored
  std::vector<std::vector<S>> key_memory, value_memory;
  std::vector<CachedKeys<S>> cached;
  int64_t head_stride;

  Problem(int64_t head_width, std::vector<int64_t> tokens, std::vector<bool> owns)
      : width(head_width), counts(std::move(tokens)), own(std::move(owns)) {
    const auto rows = static_cast<int64_t>(counts.size());
    qkv = rounded(normal_draws(rows * 3 * kHeads * width, 1));
    o_bar = rounded(normal_draws(rows * kHeads * width, 2));
    const int64_t most = *std::max_element(counts.begin(), counts.end());
    head_stride = (most + kKeyBlock) / kKeyBlock * kKeyBlock * width;
    for (int64_t row = 0; row < rows; ++row) {
      const auto seed = static_cast<uint32_t>(row);
      const int64_t count = counts[static_cast<size_t>(row)];
      keys.push_back(rounded(normal_draws(kHeads * count * width, 10 + seed)));
      values.push_back(rounded(normal_draws(kHeads * count * width, 50 + seed)));
      key_memory.push_back(memory(keys.back(), count, &key_element<S>));
      value_memory.push_back(memory(values.back(), count, &value_element<S>));
    }
    for (size_t row = 0; row < counts.size(); ++row) {
      cached.push_back({key_memory[row].data(), value_memory[row].data(), counts[row], own[row]});
    }
  }
  int64_t rows() const { return static_cast<int64_t>(counts.size()); }

  // What the reference and the kernel both know exactly.
  static std::vector<double> rounded(std::vector<double> x) {
    for (double& value : x) {
      value = static_cast<double>(static_cast<T>(static_cast<S>(static_cast<T>(value))));
    }
    return x;
  }
  template <class Place>
  std::vector<S> memory(const std::vector<double>& x, int64_t count, Place place) const {
    std::vector<S> result(static_cast<size_t>(kHeads * head_stride), S{});
    for (int64_t head = 0; head < kHeads; ++head) {
      for (int64_t token = 0; token < count; ++token) {
        for (int64_t i = 0; i < width; ++i) {
          result[static_cast<size_t>(head * head_stride + place(width, token, i))] = static_cast<S>(
              static_cast<T>(x[static_cast<size_t>((head * count + token) * width + i)]));
        }
      }
    }
    return result;
  }
  double scale() const { return 1 / std::sqrt(static_cast<double>(width)); }

  // o (width) of a row's head, from its q, own k and own v (3 width).
  template <class X>
  std::vector<X> attend(int64_t row, int64_t head, const std::vector<X>& own_qkv) const {
    using std::exp;
    const auto r = static_cast<size_t>(row);
    const auto w = static_cast<size_t>(width);
    std::vector<X> scores;
    std::vector<std::vector<X>> seen;
    for (int64_t token = 0; token < counts[r]; ++token) {
      const auto first = static_cast<size_t>((head * counts[r] + token) * width);
      X score = 0;
      std::vector<X> value(w);
      for (size_t i = 0; i < w; ++i) {
        score += own_qkv[i] * X(keys[r][first + i]);
        value[i] = values[r][first + i];
      }
      scores.push_back(score * X(scale()));
      seen.push_back(value);
    }
    if (own[r]) {
      X score = 0;
      for (size_t i = 0; i < w; ++i) {
        score += own_qkv[i] * own_qkv[w + i];
      }
      scores.push_back(score * X(scale()));
      seen.emplace_back(own_qkv.begin() + 2 * width, own_qkv.end());
    }
    X total = 0;
    std::vector<X> o(w, X(0));
    for (size_t j = 0; j < scores.size(); ++j) {
      const X weight = exp(scores[j]);
      total += weight;
      for (size_t i = 0; i < w; ++i) {
        o[i] += weight * seen[j][i];
      }
    }
    for (X& value : o) {
      value = value / total;
    }
    return o;
  }
  // q, own k and own v of a row's head.
  template <class X>
  std::vector<X> own_qkv(int64_t row, int64_t head) const {
    std::vector<X> result;
    for (int64_t part = 0; part < 3; ++part) {
      const int64_t first = ((row * 3 + part) * kHeads + head) * width;
      result.insert(result.end(), qkv.begin() + first, qkv.begin() + first + width);
    }
    return result;
  }
};

// What a table computes of a problem.
template <class T, class S>
struct Results {
  std::vector<T> o, log_sum, qkv_bar;

  Results(const RowAttentionKernels<T, S>& table, const Problem<T, S>& problem,
          const std::vector<int32_t>& order) {
    const std::vector<T> qkv(problem.qkv.begin(), problem.qkv.end());
    const std::vector<T> o_bar(problem.o_bar.begin(), problem.o_bar.end());
    o.resize(o_bar.size());
    log_sum.resize(static_cast<size_t>(problem.rows() * kHeads));
    qkv_bar.resize(qkv.size());
    RowAttentionArguments<T, S> a;
    a.rows = static_cast<int64_t>(order.size());
    a.heads = kHeads;
    a.head_width = problem.width;
    a.head_stride = problem.head_stride;
    a.scale = static_cast<T>(problem.scale());
    a.order = order.data();
    a.cached = problem.cached.data();
    a.qkv = qkv.data();
    a.o = o.data();
    a.log_sum = log_sum.data();
    table.forward(a);
    std::vector<int32_t> candidates;
    std::copy_if(order.begin(), order.end(), std::back_inserter(candidates),
                 [&](int32_t row) { return problem.own[static_cast<size_t>(row)]; });
    a.rows = static_cast<int64_t>(candidates.size());
    a.order = candidates.data();
    table.vjp(a, o_bar.data(), qkv_bar.data());
  }
};

template <class T, class S>
struct Types {
  using Computed = T;
  using Stored = S;
};

template <class Pair>
class RowAttention : public ::testing::Test {
 protected:
  using T = typename Pair::Computed;
  using S = typename Pair::Stored;
  using Table = RowAttentionKernels<T, S>;

  // Of one instruction set: the tests are run for each of them.
  static const Table& table() { return row_attention<T, S>(); }
  // Softmax weights are rounded to bf16 where values are.
  static double bound() {
    return sizeof(T) == sizeof(double) ? 1e-12 : sizeof(S) == sizeof(T) ? 2e-5 : 1.5e-2;
  }
  static Problem<T, S> problem(int64_t width) {
    return {
        width,
        {0, 1, 5, 15, 16, 17, 63, 64, 65, 200, 1, 16, 33, 130},
        {true, true, true, true, true, true, true, true, true, true, false, false, false, false}};
  }
  static std::vector<int32_t> all(const Problem<T, S>& problem) {
    std::vector<int32_t> order;
    for (int32_t row = 0; row < problem.rows(); ++row) {
      order.push_back(row);
    }
    return order;
  }
};
using Pairs = ::testing::Types<Types<float, float>, Types<float, Bfloat16>, Types<double, double>>;
TYPED_TEST_SUITE(RowAttention, Pairs);

TYPED_TEST(RowAttention, EqualsTheDefinitionAndItsDerivative) {
  for (const int64_t width : {2, 6, 16, 24, 64, 72}) {
    const auto problem = this->problem(width);
    const auto& table = this->table();
    const Results<typename TypeParam::Computed, typename TypeParam::Stored> results(
        table, problem, this->all(problem));
    for (int64_t row = 0; row < problem.rows(); ++row) {
      for (int64_t head = 0; head < kHeads; ++head) {
        SCOPED_TRACE(fmt::format("width {}, row {}, head {}", width, row, head));
        const auto own = problem.template own_qkv<double>(row, head);
        const std::vector<double> o = problem.template attend<double>(row, head, own);
        const int64_t at = (row * kHeads + head) * width;
        for (int64_t i = 0; i < width; ++i) {
          ASSERT_NEAR(static_cast<double>(results.o[static_cast<size_t>(at + i)]),
                      o[static_cast<size_t>(i)], this->bound());
        }
        // d<o_bar, o> by every element of q, own k and own v, along which a dual number looks.
        for (int64_t n = 0; n < 3 * width && problem.own[static_cast<size_t>(row)]; ++n) {
          auto moved = problem.template own_qkv<Dual<double>>(row, head);
          moved[static_cast<size_t>(n)].slope = 1;
          double slope = 0;
          const auto o_dot = problem.template attend<Dual<double>>(row, head, moved);
          for (int64_t i = 0; i < width; ++i) {
            slope +=
                problem.o_bar[static_cast<size_t>(at + i)] * o_dot[static_cast<size_t>(i)].slope;
          }
          const int64_t element = ((row * 3 + n / width) * kHeads + head) * width + n % width;
          ASSERT_NEAR(static_cast<double>(results.qkv_bar[static_cast<size_t>(element)]), slope,
                      4 * this->bound())
              << n;
        }
      }
    }
  }
}

TYPED_TEST(RowAttention, OfARowDoesNotDependOnTheRowsBesideIt) {
  using Result = Results<typename TypeParam::Computed, typename TypeParam::Stored>;
  const auto problem = this->problem(64);
  const auto& table = this->table();
  std::vector<int32_t> order = this->all(problem);
  const Result together(table, problem, order);
  std::reverse(order.begin(), order.end());
  const Result reversed(table, problem, order);
  EXPECT_EQ(together.o, reversed.o);
  EXPECT_EQ(together.qkv_bar, reversed.qkv_bar);
  for (const int32_t row : order) {
    const Result alone(table, problem, {row});
    const int64_t first = row * kHeads * problem.width;
    EXPECT_TRUE(std::equal(alone.o.begin() + first,
                           alone.o.begin() + first + kHeads * problem.width,
                           together.o.begin() + first))
        << row;
  }
}

TYPED_TEST(RowAttention, AppendsTheKeysOfContextTokensInTheOrderThatItReads) {
  using T = typename TypeParam::Computed;
  using S = typename TypeParam::Stored;
  constexpr int64_t kTokens = 2 * kKeyBlock + 3;
  const Problem<T, S> text(6, {kTokens}, {false});
  // What the cache held before must not show, in the last block of keys neither.
  std::vector<S> keys(text.key_memory[0].size(), static_cast<S>(T(7)));
  std::vector<S> values = keys;
  const int64_t used = kTokens / kKeyBlock * kKeyBlock + kKeyBlock;
  for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 5}, {5, kTokens - 5}}) {
    // The tokens of this pass, and a candidate, which leaves nothing behind.
    std::vector<T> qkv(static_cast<size_t>((count + 1) * 3 * kHeads * text.width), T(9));
    std::vector<CachedKeys<S>> cached;
    for (int64_t row = 0; row < count; ++row) {
      cached.push_back({keys.data(), values.data(), first + row + 1, false});
      for (int64_t head = 0; head < kHeads; ++head) {
        for (int64_t i = 0; i < text.width; ++i) {
          const auto from = static_cast<size_t>((head * kTokens + first + row) * text.width + i);
          const auto to = static_cast<size_t>(((row * 3 + 1) * kHeads + head) * text.width + i);
          qkv[to] = static_cast<T>(text.keys[0][from]);
          qkv[to + static_cast<size_t>(kHeads * text.width)] = static_cast<T>(text.values[0][from]);
        }
      }
    }
    cached.push_back({keys.data(), values.data(), first, true});
    RowAttentionArguments<T, S> a;
    a.heads = kHeads;
    a.head_width = text.width;
    a.head_stride = text.head_stride;
    a.cached = cached.data();
    a.qkv = qkv.data();
    this->table().append(a, count + 1);
  }
  for (int64_t head = 0; head < kHeads; ++head) {
    for (int64_t i = 0; i < used * text.width; ++i) {
      const auto at = static_cast<size_t>(head * text.head_stride + i);
      ASSERT_EQ(static_cast<T>(keys[at]), static_cast<T>(text.key_memory[0][at])) << at;
      ASSERT_EQ(static_cast<T>(values[at]), static_cast<T>(text.value_memory[0][at])) << at;
    }
  }
}

TYPED_TEST(RowAttention, WeighsHugeScoresWithoutOverflow) {
  using T = typename TypeParam::Computed;
  using S = typename TypeParam::Stored;
  Problem<T, S> problem(16, {70}, {true});
  for (double& value : problem.qkv) {
    value *= 1000;
  }
  const auto& table = this->table();
  const Results<T, S> results(table, problem, {0});
  for (const T value : results.o) {
    EXPECT_TRUE(std::isfinite(value));
  }
  for (const T value : results.qkv_bar) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

}  // namespace
}  // namespace ebt::kernels
