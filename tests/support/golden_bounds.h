// How far float64, float32 and bf16 may be from a recorded result, and why.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/kernels/rng.h"
#include "tests/support/golden.h"

namespace ebt::golden {

// float64 leaves only the order of sums; 3.5e-13 is the worst measured.
inline constexpr double kDoubleBound = 1e-9;
// float32 rounds at 6e-8, and a step adds some thousand roundings up: 1e-5 is typical.
inline constexpr double kSingleBound = 1e-4;
// A step can magnify roundings, above all where several steps are differentiated through: then no
// float32 program stays below the bound, and what can be asked is that the result is the exact one
// of inputs that differ from the recorded ones by a few roundings. So the same step is taken in
// float64 from weights and draws that are off by at most one rounding each, and a tensor may be off
// by this many times what that changes.
inline constexpr double kRoundings = 32;
// bf16 rounds what it stores and multiplies at 2e-3, and these tiny models with large step sizes
// magnify that as much as they do float32's roundings; the bound is of the same kind.
inline constexpr double kBf16Bound = 0.02;
// Every stored value is rounded, not the inputs alone: 7.1 is the worst measured.
inline constexpr double kBf16Roundings = 10;
inline constexpr int kPerturbations = 4;

// Roundings of the inputs: half a unit in the last place of a float, or of a bf16.
inline constexpr double kSingleRounding = 0x1p-24;
inline constexpr double kBf16Rounding = 0x1p-9;

// Multiplies values by 1 + size u, u uniform in [-1, 1].
struct Perturbation {
  double size = 0;
  uint64_t seed = 0;

  template <class T>
  void operator()(uint64_t tensor, Tensor<T> values) const {
    const RandomStream stream{seed, RandomPurpose::kSampling, tensor};
    for (int64_t i = 0; i < values.count() && size > 0; ++i) {
      const double u = 2.0 * stream.uniform(static_cast<uint64_t>(i)) - 1.0;
      values[i] = static_cast<T>(static_cast<double>(values[i]) * (1.0 + size * u));
    }
  }
};

// Tensors by their name in a file.
using Outcome = std::map<std::string, std::vector<double>>;

// The tensors of a file whose names begin with one of these.
inline Outcome recorded_of(const SafetensorsFile& file, const std::vector<std::string>& prefixes) {
  Outcome outcome;
  for (const StoredTensor& tensor : file.tensors()) {
    if (std::any_of(prefixes.begin(), prefixes.end(),
                    [&](const std::string& prefix) { return tensor.name.rfind(prefix, 0) == 0; })) {
      outcome[tensor.name] = file.read<double>(tensor.name);
    }
  }
  return outcome;
}

// Expects every recorded tensor within its bound of ours.
inline void expect_within(const std::string& file, const Outcome& ours, const Outcome& recorded,
                          const std::function<double(const std::string&)>& bound) {
  double worst = 0;
  double nearest = 0;  // to its bound
  for (const auto& [name, values] : recorded) {
    ASSERT_TRUE(ours.count(name) > 0) << name << " has no counterpart";
    ASSERT_EQ(ours.at(name).size(), values.size()) << name;
    const double error = relative_error(ours.at(name), values);
    EXPECT_LE(error, bound(name)) << name;
    worst = std::max(worst, error);
    nearest = std::max(nearest, error / bound(name));
  }
  std::printf("%-44s worst relative error %.2e, at most %.3f of its bound\n", file.c_str(), worst,
              nearest);
}

// How much inputs that are off by one rounding of this size change every tensor, in float64.
// `replay` takes a Perturbation and returns tensors by name.
template <class ReplayPerturbed>
std::map<std::string, double> magnified_roundings(double size, ReplayPerturbed&& replay) {
  const auto exact = replay(Perturbation{});
  std::map<std::string, double> magnified;
  for (uint64_t seed = 1; seed <= kPerturbations; ++seed) {
    for (const auto& [name, values] : replay(Perturbation{size, seed})) {
      magnified[name] = std::max(magnified[name], relative_error(values, exact.at(name)));
    }
  }
  return magnified;
}

}  // namespace ebt::golden
