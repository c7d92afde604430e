#include "ebt/train/grains.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/core/work_watch.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {
namespace {

// The losses of grains as numbers that ranks can gather: `stride` for each grain.
constexpr size_t kHeader = 4;  // objective, count, losses, energies

void append(const LossSums& sums, size_t stride, std::vector<double>& numbers) {
  const size_t begin = numbers.size();
  numbers.insert(numbers.end(), {sums.objective, static_cast<double>(sums.count),
                                 static_cast<double>(sums.losses.size()),
                                 static_cast<double>(sums.energies.size())});
  numbers.insert(numbers.end(), sums.losses.begin(), sums.losses.end());
  numbers.insert(numbers.end(), sums.energies.begin(), sums.energies.end());
  numbers.resize(begin + stride);
}

LossSums read(const double* numbers) {
  LossSums sums;
  sums.objective = numbers[0];
  sums.count = static_cast<int64_t>(numbers[1]);
  const double* const losses = numbers + kHeader;
  const double* const energies = losses + static_cast<size_t>(numbers[2]);
  sums.losses.assign(losses, energies);
  sums.energies.assign(energies, energies + static_cast<size_t>(numbers[3]));
  return sums;
}

// The losses of all grains, added in their order.
LossSums add_in_order(const std::vector<LossSums>& own, Group& ranks) {
  size_t stride = kHeader;
  for (const LossSums& sums : own) {
    stride = std::max(stride, kHeader + sums.losses.size() + sums.energies.size());
  }
  const std::vector<size_t> strides = gather_values(ranks, stride);
  stride = *std::max_element(strides.begin(), strides.end());
  std::vector<double> part;
  for (const LossSums& sums : own) {
    append(sums, stride, part);
  }
  std::vector<double> all(part.size() * static_cast<size_t>(ranks.size()));
  ranks.gather(std::as_bytes(std::span(part)), std::as_writable_bytes(std::span(all)));
  LossSums total;
  for (size_t at = 0; at < all.size(); at += stride) {
    total.add(read(all.data() + at));
  }
  return total;
}

}  // namespace

void check_grains(int64_t grains, int64_t rows) {
  EBT_CHECK(grains > 0 && std::has_single_bit(static_cast<uint64_t>(grains)),
            "--grains: {} is not a power of two", grains);
  EBT_CHECK(rows % grains == 0, "--grains: a batch of {} rows cannot be cut into {} equal grains",
            rows, grains);
}

void check_ranks(int ranks, int64_t grains) {
  EBT_CHECK(
      ranks <= grains && grains % ranks == 0,
      "{} ranks cannot share a batch of --grains {}: ranks are a power of two, and no more than "
      "grains",
      ranks, grains);
}

template <class T>
Grains<T>::Grains(int64_t grains, int64_t rows, const Shards& shards, Group& ranks)
    : ranks_(&ranks),
      shards_(shards),
      own_grains_(grains / ranks.size()),
      rows_per_grain_(rows / grains),
      sum_(shards.all().count(), own_grains_) {}

template <class T>
int64_t Grains<T>::total(int64_t own) const {
  const std::vector<int64_t> all = gather_values(*ranks_, own);
  return std::accumulate(all.begin(), all.end(), int64_t{0});
}

template <class T>
LossSums Grains<T>::add_up(ParameterBlock<T>& gradients,
                           FunctionRef<LossSums(int64_t, int64_t)> learn) {
  const Tensor<T> values = gradients.all();
  std::vector<LossSums> losses;
  sum_.begin();
  work_in_parts(own_grains_, 1, [&](int64_t grain, int64_t /*one*/) {
    if (grain > 0) {
      kernels::elementwise<T>().fill(values.count(), T(0), values.data);
    }
    losses.push_back(learn(first_row() + grain * rows_per_grain_, rows_per_grain_));
    sum_.add(values.data);
  });
  sum_into_shards(*ranks_, shards_, values.data);
  return add_in_order(losses, *ranks_);
}

template class Grains<float>;
template class Grains<double>;

}  // namespace ebt
