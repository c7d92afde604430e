// How tests compare numbers, and draw them.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace ebt::testing {

// Relative to the norm of a whole tensor, in float64: the order of sums is all that may differ,
// and 7e-15 is the worst measured of a layer.
inline constexpr double kDoubleBound = 1e-12;
// Tensors that are exactly zero are compared with this size instead of their own.
inline constexpr double kSmallestSize = 0.1;

// Normal draws, rounded to float32 so that both precisions can start from the same.
inline std::vector<double> normal_draws(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) {
    value = static_cast<double>(static_cast<float>(normal(generator)));
  }
  return values;
}

template <class T>
std::vector<double> in_double(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

template <class T>
double dot(const std::vector<T>& a, const std::vector<T>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

// |a - b| / |b|.
template <class T>
double relative_error(const std::vector<T>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  std::vector<double> difference = in_double(a);
  for (size_t i = 0; i < b.size(); ++i) {
    difference[i] -= b[i];
  }
  return std::sqrt(dot(difference, difference)) / std::max(std::sqrt(dot(b, b)), kSmallestSize);
}

// Expects what `compute` returns to be the same, bit by bit, with 1, 2 and 3 threads, and where 3
// are asked for and 1 is granted.
template <class Compute>
void expect_same_for_any_threads(Compute&& compute) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto alone = compute();
  for (const int threads : {2, 3}) {
    omp_set_num_threads(threads);
    EXPECT_EQ(compute(), alone) << threads << " threads";
  }
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(0);
  EXPECT_EQ(compute(), alone) << "1 thread of 3";
  omp_set_max_active_levels(levels);
  omp_set_num_threads(before);
}

}  // namespace ebt::testing
