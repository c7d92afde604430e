#include "ebt/model/row_pass.h"

#include <algorithm>
#include <numeric>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/rows.h"

namespace ebt {
namespace {

template <class T>
void copy(Tensor<const T> from, Tensor<T> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

template <class T, class S>
RowPass<T, S>::RowPass(Arena& arena, const TextModelConfig& config, const RowWeights<T, S>& weights,
                       const KeyCache<S>& cache, PassRows most)
    : config_(config),
      weights_(weights),
      cache_(cache),
      table_(cache.capacity() + 1, config.head_width(), config.rope_theta) {
  const int64_t all = most.candidates + most.context;
  const int64_t p = most.candidates;
  const int64_t width = config.width;
  EBT_CHECK(config.head_width() <= kernels::kMaxRowHeadWidth,
            "model: heads of width {} are wider than the {} that generation handles",
            config.head_width(), kernels::kMaxRowHeadWidth);
  cosine_ = arena.take<T>({all, config.head_width() / 2});
  sine_ = arena.take<T>(cosine_.shape);
  stream_ = arena.take<T>({all, width});
  work_ = BlockWork<T>::take(arena, config, 1, all);
  const int64_t kept = config.layers * p + most.context;
  all_traces_ =
      BlockTrace<T, T>::take(arena, config, 1, kept, BlockValues<T>::take(arena, config, 1, kept));
  final_norm_.inverse_deviation = arena.take<T>({all});
  energy_ = arena.take<T>({p});
  bar_ = BlockCotangents<T>::take(arena, config, 1, p);
  gradient_ = arena.take<T>({p, width});
  const bool modulated = config.arch == Architecture::kEbt && config.is_adaln();
  if (modulated) {
    modulations_ = arena.take<T>({all, 6 * width});
  }
  for (int64_t i = 0; i < (modulated ? config.landscapes : 1); ++i) {
    landscapes_.emplace_back(arena, config);
    landscapes_.back().forward(weights.values(), i);
  }
}

template <class T, class S>
void RowPass<T, S>::place(std::span<const PassRow> candidates,
                          std::span<const ContextRow> context) {
  candidates_ = static_cast<int64_t>(candidates.size());
  rows_.assign(candidates.begin(), candidates.end());
  const SequenceWeights<const T>& weights = weights_.values();
  for (const ContextRow& row : context) {
    const Tensor<const T> source = row.token < 0 ? weights.landscapes.slice(row.at.landscape, 1)
                                                 : weights.embeddings.slice(row.token, 1);
    copy(source, stream_.slice(rows(), 1));
    rows_.push_back(row.at);
  }
  keys_.resize(rows_.size());
  for (int64_t r = 0; r < rows(); ++r) {
    const auto angles = table_.stream(config_.heads, rows_[static_cast<size_t>(r)].index, 1);
    copy(angles.cosine, cosine_.slice(r, 1));
    copy(angles.sine, sine_.slice(r, 1));
  }
}

template <class T, class S>
std::vector<int32_t> RowPass<T, S>::order_of(int64_t rows) const {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  const auto keys = [&](int32_t row) {
    const PassRow& at = rows_[static_cast<size_t>(row)];
    return cache_.keys(at.slot, at.landscape, 0);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return keys(a) < keys(b); });
  return order;
}

template <class T, class S>
HalfModulation<const T> RowPass<T, S>::modulation(int64_t layer, int half, int64_t rows,
                                                  int64_t whole) {
  const auto of = [&](int64_t landscape) {
    return landscapes_[static_cast<size_t>(landscape)].half(weights_.values(), layer, half);
  };
  if (landscapes_.size() == 1) {
    return of(0);
  }
  // A row of (M, 3 D) for each, with the vectors of its landscape.
  const kernels::Matrix<T> all =
      kernels::Matrix<T>(modulations_).columns_from(3 * half * config_.width, 3 * config_.width);
  for (int64_t r = 0; r < rows; ++r) {
    const HalfModulation<const T> own = of(rows_[static_cast<size_t>(r)].landscape);
    T* to = all.data + r * all.row;
    for (const kernels::Matrix<const T>& vector : {own.gain, own.shift, own.gate}) {
      std::copy_n(vector.data, vector.columns, to);
      to += config_.width;
    }
  }
  const auto part = [&](int64_t which, int64_t count) {
    // Groups of rows are at least one, even of no rows.
    return all.columns_from(which * config_.width, config_.width)
        .rows_from(0, std::max<int64_t>(count, 1));
  };
  return {part(0, rows), part(1, rows), part(2, whole)};
}

template <class T, class S>
NormParams<T> RowPass<T, S>::final_norm(int64_t rows) {
  const HalfModulation<const T> head = modulation(config_.layers, 0, rows, 0);
  return {head.gain, static_cast<T>(config_.norm_eps), head.shift};
}

template <class T, class S>
typename RowPass<T, S>::RowBlock::Params RowPass<T, S>::params(int64_t layer, int64_t rows,
                                                               const std::vector<int32_t>& order) {
  for (int64_t r = 0; r < rows; ++r) {
    const PassRow& at = rows_[static_cast<size_t>(r)];
    const bool own = r < candidates_;
    keys_[static_cast<size_t>(r)] = {cache_.keys(at.slot, at.landscape, layer),
                                     cache_.values(at.slot, at.landscape, layer),
                                     own ? at.index : at.index + 1, own};
  }
  const auto whole = static_cast<int64_t>(order.size());
  return {weights_.block(layer),
          modulation(layer, 0, rows, whole),
          modulation(layer, 1, whole, whole),
          {config_.heads, cosine_.slice(0, rows), sine_.slice(0, rows)},
          {config_.heads, cache_.head_stride(), keys_, order},
          static_cast<T>(config_.norm_eps)};
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::forward(std::span<const PassRow> candidates,
                                       std::span<const ContextRow> context) {
  place(candidates, context);
  const std::vector<int32_t> every = order_of(rows());
  const std::vector<int32_t> own = order_of(candidates_);
  traces_.clear();
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    // An energy model's last block wants nothing of the context but its keys.
    const bool ends = config_.arch == Architecture::kEbt && layer + 1 == config_.layers;
    const std::vector<int32_t>& order = ends ? own : every;
    const auto whole = static_cast<int64_t>(order.size());
    traces_.push_back(all_traces_.rows(layer * candidates_, rows(), whole));
    RowBlock::forward(params(layer, rows(), order), stream_.slice(0, rows()), traces_.back(),
                      work_.rows(rows(), whole));
  }
  const Tensor<T> energy = energy_.slice(0, candidates_);
  if (config_.arch == Architecture::kEbt) {
    const Tensor<T> normed = work_.rows(candidates_, 0).normed;
    RmsNorm<T>::forward(final_norm(candidates_), stream_.slice(0, candidates_), normed,
                        final_norm_);
    const Tensor<const T> head = weights_.values().energy_head;
    for (int64_t r = 0; r < candidates_; ++r) {
      T sum = 0;
      for (int64_t i = 0; i < config_.width; ++i) {
        sum += normed[r * config_.width + i] * head[i];
      }
      energy[r] = sum;
    }
  }
  return energy;
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::input_gradient(int64_t rows) {
  const BlockWork<T> work = work_.rows(rows, rows);
  kernels::rows<T>().repeat(rows, config_.width, T(1), weights_.values().energy_head.data,
                            work.normed.data);
  const Tensor<T> sum = gradient_.slice(0, rows);
  RmsNorm<T>::vjp(final_norm(rows),
                  {final_norm_.x.slice(0, rows), final_norm_.inverse_deviation, {}}, work.normed,
                  sum, Write::kReplace, nullptr);
  BlockCotangents<T> bar = bar_.rows(rows);
  bar.output = sum;
  const std::vector<int32_t> order = order_of(rows);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    RowBlock::vjp(params(layer, rows, order),
                  traces_[static_cast<size_t>(layer)].rows(0, rows, rows), bar, {sum, {}}, work,
                  nullptr);
  }
  return sum;
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::outputs(std::span<const int64_t> context_rows) {
  const auto count = static_cast<int64_t>(context_rows.size());
  const BlockWork<T> work = work_.rows(count, 0);
  const Tensor<T> gathered = work.normed_dot;
  for (int64_t i = 0; i < count; ++i) {
    copy<T>(stream_.slice(candidates_ + context_rows[static_cast<size_t>(i)], 1),
            gathered.slice(i, 1));
  }
  RmsNorm<T>::forward(final_norm(count), gathered, work.normed, final_norm_);
  return work.normed;
}

template class RowPass<float, float>;
template class RowPass<float, Bfloat16>;
template class RowPass<double, double>;

}  // namespace ebt
