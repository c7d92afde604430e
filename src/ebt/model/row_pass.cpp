#include "ebt/model/row_pass.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/columns.h"
#include "ebt/kernels/rotary.h"
#include "ebt/layers/swiglu.h"

namespace ebt {
namespace {

// The halves of a block, and the norm before the head, as LandscapeVectors counts them.
constexpr int kAttentionHalf = 0;
constexpr int kFfnHalf = 1;

template <class T>
void copy(Tensor<const T> from, Tensor<T> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

template <class T, class S>
RowPass<T, S>::RowPass(Arena& arena, const ModelConfig& config, const RowWeights<T, S>& weights,
                       const KeyCache<S>& cache, PassRows most)
    : config_(config),
      weights_(weights),
      cache_(cache),
      table_(cache.capacity() + 1, config.head_width(), config.rope_theta) {
  const int64_t all = most.candidates + most.context;
  const int64_t width = config.width;
  const int64_t ffn = config.ffn_width();
  const Shape angles{all, config.head_width() / 2};
  EBT_CHECK(config.head_width() <= kernels::kMaxRowHeadWidth,
            "model: heads of width {} are wider than the {} that generation handles",
            config.head_width(), kernels::kMaxRowHeadWidth);
  cosine_ = arena.take<T>(angles);
  sine_ = arena.take<T>(angles);
  stream_ = arena.take<T>({all, width});
  normed_ = arena.take<T>({all, width});
  attended_ = arena.take<T>({all, width});
  branch_ = arena.take<T>({all, width});
  qkv_ = arena.take<T>({all, 3 * width});
  log_sum_ = arena.take<T>({all, config.heads});
  pair_ = arena.take<T>({all, 2 * ffn});
  hidden_ = arena.take<T>({all, ffn});
  inverse_rms_ = arena.take<T>({all});
  const int64_t p = most.candidates;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    traces_.push_back({arena.take<T>({p, width}), arena.take<T>({p, width}),
                       arena.take<T>({p, 3 * width}), arena.take<T>({p, width}),
                       arena.take<T>({p, config.heads}), arena.take<T>({p, 2 * ffn}),
                       arena.take<T>({p}), arena.take<T>({p})});
  }
  energy_ = arena.take<T>({p});
  final_input_ = arena.take<T>({p, width});
  final_rms_ = arena.take<T>({p});
  gradient_ = arena.take<T>({p, width});
  qkv_bar_ = arena.take<T>({p, 3 * width});
  pair_bar_ = arena.take<T>({p, 2 * ffn});
  const int64_t landscapes =
      config.arch == Architecture::kEbt && config.is_adaln() ? config.landscapes : 1;
  for (int64_t i = 0; i < landscapes; ++i) {
    landscapes_.emplace_back(arena, config);
    landscapes_.back().forward(weights.values(), i);
  }
}

template <class T, class S>
std::vector<typename RowPass<T, S>::Run> RowPass<T, S>::runs_of(int64_t rows) const {
  std::vector<Run> runs;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t landscape =
        landscapes_.size() == 1 ? 0 : rows_[static_cast<size_t>(row)].landscape;
    if (runs.empty() || runs.back().landscape != landscape) {
      runs.push_back({row, 0, landscape});
    }
    ++runs.back().rows;
  }
  return runs;
}

template <class T, class S>
typename RmsNorm<T>::Params RowPass<T, S>::norm_params(int64_t landscape, int64_t layer,
                                                       int which) const {
  const auto half =
      landscapes_[static_cast<size_t>(landscape)].half(weights_.values(), layer, which);
  return {half.gain, static_cast<T>(config_.norm_eps), half.shift};
}

template <class T, class S>
void RowPass<T, S>::norm(int64_t rows, int64_t layer, int which) {
  for (const Run& run : runs_of(rows)) {
    typename RmsNorm<T>::Saved saved{{}, inverse_rms_.slice(run.first, run.rows), {}};
    RmsNorm<T>::forward(norm_params(run.landscape, layer, which),
                        stream_.slice(run.first, run.rows), normed_.slice(run.first, run.rows),
                        saved);
  }
}

template <class T, class S>
void RowPass<T, S>::norm_back(int64_t layer, int which, const Trace& trace,
                              Tensor<const T> normed_bar, Tensor<T> bar) {
  const bool attention = which == kAttentionHalf;
  for (const Run& run : runs_of(bar.dim(0))) {
    const auto part = [&](auto all) { return all.slice(run.first, run.rows); };
    RmsNorm<T>::vjp(norm_params(run.landscape, layer, which),
                    {part(attention ? trace.input : trace.middle),
                     part(attention ? trace.attention_rms : trace.ffn_rms),
                     {}},
                    part(normed_bar), part(bar), Write::kAdd, nullptr);
  }
}

template <class T, class S>
void RowPass<T, S>::add_branch(Tensor<const T> x, const kernels::ColumnStrips<S>& matrix,
                               int64_t layer, int which) {
  const int64_t rows = x.dim(0);
  if (!config_.is_adaln() || config_.arch != Architecture::kEbt) {
    kernels::multiply_rows<T, S>(x, matrix, true, stream_.slice(0, rows));
    return;
  }
  kernels::multiply_rows<T, S>(x, matrix, false, branch_.slice(0, rows));
  for (const Run& run : runs_of(rows)) {
    const auto gate =
        landscapes_[static_cast<size_t>(run.landscape)].half(weights_.values(), layer, which).gate;
    kernels::columns<T, T>().scale(run.rows, config_.width, branch_.slice(run.first, run.rows).data,
                                   gate.data, true, stream_.slice(run.first, run.rows).data);
  }
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::branch_cotangent(Tensor<const T> bar, int64_t layer, int which) {
  if (!config_.is_adaln()) {
    return bar;
  }
  for (const Run& run : runs_of(bar.dim(0))) {
    const auto gate =
        landscapes_[static_cast<size_t>(run.landscape)].half(weights_.values(), layer, which).gate;
    kernels::columns<T, T>().scale(run.rows, config_.width, bar.slice(run.first, run.rows).data,
                                   gate.data, false, branch_.slice(run.first, run.rows).data);
  }
  return branch_.slice(0, bar.dim(0));
}

template <class T, class S>
void RowPass<T, S>::place(std::span<const PassRow> candidates,
                          std::span<const ContextRow> context) {
  candidates_ = static_cast<int64_t>(candidates.size());
  rows_.assign(candidates.begin(), candidates.end());
  const TextWeights<const T>& weights = weights_.values();
  for (const ContextRow& row : context) {
    const Tensor<const T> source = row.token < 0 ? weights.landscapes.slice(row.at.landscape, 1)
                                                 : weights.embeddings.slice(row.token, 1);
    copy(source, stream_.slice(rows(), 1));
    rows_.push_back(row.at);
  }
  seen_.resize(rows_.size());
  for (int64_t r = 0; r < rows(); ++r) {
    const auto angles = table_.stream(config_.heads, rows_[static_cast<size_t>(r)].index, 1);
    copy(angles.cosine, cosine_.slice(r, 1));
    copy(angles.sine, sine_.slice(r, 1));
  }
}

template <class T, class S>
void RowPass<T, S>::rotate(Tensor<T> qkv, T direction) {
  // q and k are neighbours: together they are 2 H heads.
  kernels::rotary<T, T>().rotate(
      qkv.dim(0), {2 * config_.heads, config_.head_width(), qkv.dim(0), cosine_.data, sine_.data},
      qkv.dim(1), direction, qkv.data);
}

template <class T, class S>
void RowPass<T, S>::keep_keys(int64_t layer) {
  const int64_t d = config_.head_width();
  for (int64_t r = candidates_; r < rows(); ++r) {
    const PassRow& at = rows_[static_cast<size_t>(r)];
    const T* k = qkv_.data + r * qkv_.dim(1) + config_.width;
    const T* v = k + config_.width;
    S* keys = cache_.keys(at.slot, at.landscape, layer);
    S* values = cache_.values(at.slot, at.landscape, layer);
    for (int64_t head = 0; head < config_.heads; ++head) {
      // What follows the last key in its block takes part in sums, with weight zero.
      if (at.index % kernels::kKeyBlock == 0) {
        std::fill_n(keys + kernels::key_element<S>(d, at.index, 0), kernels::kKeyBlock * d, S{});
        std::fill_n(values + kernels::value_element<S>(d, at.index, 0), kernels::kKeyBlock * d,
                    S{});
      }
      for (int64_t i = 0; i < d; ++i) {
        keys[kernels::key_element<S>(d, at.index, i)] = static_cast<S>(k[i]);
        values[kernels::value_element<S>(d, at.index, i)] = static_cast<S>(v[i]);
      }
      keys += cache_.head_stride();
      values += cache_.head_stride();
      k += d;
      v += d;
    }
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
kernels::RowAttentionArguments<T, S> RowPass<T, S>::attention_arguments(
    int64_t layer, const std::vector<int32_t>& order) {
  kernels::RowAttentionArguments<T, S> a;
  a.rows = static_cast<int64_t>(order.size());
  a.heads = config_.heads;
  a.head_width = config_.head_width();
  a.head_stride = cache_.head_stride();
  a.scale = T(1) / std::sqrt(static_cast<T>(a.head_width));
  for (int64_t r = 0; r < rows(); ++r) {
    const PassRow& at = rows_[static_cast<size_t>(r)];
    const bool own = r < candidates_;
    seen_[static_cast<size_t>(r)] = {cache_.keys(at.slot, at.landscape, layer),
                                     cache_.values(at.slot, at.landscape, layer),
                                     own ? at.index : at.index + 1, own};
  }
  a.order = order.data();
  a.cached = seen_.data();
  a.qkv = qkv_.data;
  a.o = attended_.data;
  a.log_sum = log_sum_.data;
  return a;
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::forward(std::span<const PassRow> candidates,
                                       std::span<const ContextRow> context) {
  place(candidates, context);
  const int64_t p = candidates_;
  const auto own = [p](auto all) { return all.slice(0, p); };
  const auto& attention = kernels::row_attention<T, S>();
  const std::vector<int32_t> order = order_of(rows());
  const std::vector<int32_t> candidate_order = order_of(p);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    const auto& block = weights_.block(layer);
    const Trace& trace = traces_[static_cast<size_t>(layer)];
    copy<T>(own(stream_), own(trace.input));
    norm(rows(), layer, kAttentionHalf);
    copy<T>(own(inverse_rms_), own(trace.attention_rms));
    const Tensor<T> qkv = qkv_.slice(0, rows());
    kernels::multiply_rows<T, S>(normed_.slice(0, rows()), block.qkv.up, false, qkv);
    rotate(qkv, T(1));
    keep_keys(layer);
    copy<T>(own(qkv_), own(trace.qkv));
    // An energy model's last block wants nothing of the context but its keys.
    const bool ends = config_.arch == Architecture::kEbt && layer + 1 == config_.layers;
    const int64_t going_on = ends ? p : rows();
    attention.forward(attention_arguments(layer, ends ? candidate_order : order));
    copy<T>(own(attended_), own(trace.attended));
    copy<T>(own(log_sum_), own(trace.log_sum));
    add_branch(attended_.slice(0, going_on), block.attention_out.up, layer, kAttentionHalf);
    copy<T>(own(stream_), own(trace.middle));
    norm(going_on, layer, kFfnHalf);
    copy<T>(own(inverse_rms_), own(trace.ffn_rms));
    const Tensor<T> pair = pair_.slice(0, going_on);
    const Tensor<T> hidden = hidden_.slice(0, going_on);
    kernels::multiply_rows<T, S>(normed_.slice(0, going_on), block.ffn_in.up, false, pair);
    copy<T>(own(pair_), own(trace.pair));
    typename SwigluGate<T>::Saved unused;
    SwigluGate<T>::forward({}, pair, hidden, unused);
    add_branch(hidden, block.ffn_out.up, layer, kFfnHalf);
  }
  copy<T>(own(stream_), own(final_input_));
  if (config_.arch == Architecture::kEbt) {
    norm(p, config_.layers, kAttentionHalf);
    copy<T>(own(inverse_rms_), own(final_rms_));
    const Tensor<const T> head = weights_.values().energy_head;
    for (int64_t r = 0; r < p; ++r) {
      T sum = 0;
      for (int64_t i = 0; i < config_.width; ++i) {
        sum += normed_[r * config_.width + i] * head[i];
      }
      energy_[r] = sum;
    }
  }
  return own(energy_);
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::input_gradient(int64_t rows) {
  const auto part = [rows](auto all) { return all.slice(0, rows); };
  const Tensor<T> bar = part(gradient_);
  const Tensor<T> normed_bar = part(normed_);
  for (int64_t r = 0; r < rows; ++r) {
    copy(weights_.values().energy_head, normed_bar.slice(r, 1));
  }
  std::fill(bar.begin(), bar.end(), T(0));
  Trace head;
  head.input = final_input_;
  head.attention_rms = final_rms_;
  const std::vector<int32_t> order = order_of(rows);
  norm_back(config_.layers, kAttentionHalf, head, normed_bar, bar);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto& block = weights_.block(layer);
    const Trace& trace = traces_[static_cast<size_t>(layer)];
    const Tensor<T> hidden_bar = part(hidden_);
    kernels::multiply_rows<T, S>(branch_cotangent(bar, layer, kFfnHalf), block.ffn_out.down, false,
                                 hidden_bar);
    SwigluGate<T>::vjp({}, {part(trace.pair)}, hidden_bar, part(pair_bar_), Write::kReplace,
                       nullptr);
    kernels::multiply_rows<T, S>(part(pair_bar_), block.ffn_in.down, false, normed_bar);
    norm_back(layer, kFfnHalf, trace, normed_bar, bar);

    const Tensor<T> attended_bar = part(attended_);
    kernels::multiply_rows<T, S>(branch_cotangent(bar, layer, kAttentionHalf),
                                 block.attention_out.down, false, attended_bar);
    auto a = attention_arguments(layer, order);
    a.qkv = trace.qkv.data;
    a.o = trace.attended.data;
    a.log_sum = trace.log_sum.data;
    kernels::row_attention<T, S>().vjp(a, attended_bar.data, qkv_bar_.data);
    rotate(part(qkv_bar_), T(-1));
    kernels::multiply_rows<T, S>(part(qkv_bar_), block.qkv.down, false, normed_bar);
    norm_back(layer, kAttentionHalf, trace, normed_bar, bar);
  }
  return bar;
}

template <class T, class S>
Tensor<const T> RowPass<T, S>::outputs(std::span<const int64_t> context_rows) {
  const auto count = static_cast<int64_t>(context_rows.size());
  const Tensor<T> gathered = branch_.slice(0, count);
  for (int64_t i = 0; i < count; ++i) {
    copy<T>(stream_.slice(candidates_ + context_rows[static_cast<size_t>(i)], 1),
            gathered.slice(i, 1));
  }
  const Tensor<T> normed = normed_.slice(0, count);
  typename RmsNorm<T>::Saved saved{{}, inverse_rms_.slice(0, count), {}};
  RmsNorm<T>::forward(norm_params(0, config_.layers, kAttentionHalf), gathered, normed, saved);
  return normed;
}

template class RowPass<float, float>;
template class RowPass<float, Bfloat16>;
template class RowPass<double, double>;

}  // namespace ebt
