// The memory of blocks, and views of some of its rows.
#include "ebt/model/block.h"

namespace ebt {
namespace {

// Rows of a tensor (..., width), as a matrix; nothing of an absent one.
template <class T>
Tensor<T> rows_of(Tensor<T> all, int64_t first, int64_t count) {
  if (!all) {
    return {};
  }
  const int64_t width = all.dim(all.shape.rank() - 1);
  return all.reshape({all.count() / width, width}).slice(first, count);
}
// Of a tensor that has one number for each row.
template <class T>
Tensor<T> scalars_of(Tensor<T> all, int64_t first, int64_t count) {
  return all ? all.reshape({all.count()}).slice(first, count) : Tensor<T>{};
}

}  // namespace

template <class S>
BlockValues<S> BlockValues<S>::take(Arena& arena, const BlockShape& shape, int64_t batch,
                                    int64_t tokens) {
  const Shape stream{batch, tokens, shape.width};
  BlockValues v;
  v.input = arena.take<S>(stream);
  v.qkv = arena.take<S>({batch, tokens, 3 * shape.width});
  v.attended = arena.take<S>(stream);
  v.middle = arena.take<S>(stream);
  v.ffn_in = arena.take<S>({batch, tokens, shape.ffn_in});
  if (shape.gated) {
    v.attention_branch = arena.take<S>(stream);
    v.ffn_branch = arena.take<S>(stream);
  }
  return v;
}

template <class S>
BlockValues<S> BlockValues<S>::rows(int64_t first, int64_t count, int64_t whole) const {
  return {rows_of(input, first, count),     rows_of(qkv, first, count),
          rows_of(attended, first, whole),  rows_of(attention_branch, first, whole),
          rows_of(middle, first, whole),    rows_of(ffn_in, first, whole),
          rows_of(ffn_branch, first, whole)};
}

template <class S>
BlockCotangents<S> BlockCotangents<S>::take(Arena& arena, const BlockShape& shape, int64_t batch,
                                            int64_t tokens) {
  const Shape stream{batch, tokens, shape.width};
  BlockCotangents bar;
  bar.ffn_hidden = arena.take<S>({batch, tokens, shape.ffn_width});
  bar.ffn_normed = arena.take<S>(stream);
  bar.middle = arena.take<S>(stream);
  bar.attended = arena.take<S>(stream);
  bar.qkv = arena.take<S>({batch, tokens, 3 * shape.width});
  bar.normed = arena.take<S>(stream);
  return bar;
}

template <class S>
BlockCotangents<S> BlockCotangents<S>::rows(int64_t count) const {
  return {rows_of(output, 0, count), rows_of(ffn_hidden, 0, count), rows_of(ffn_normed, 0, count),
          rows_of(middle, 0, count), rows_of(attended, 0, count),   rows_of(qkv, 0, count),
          rows_of(normed, 0, count)};
}

template <class S>
BlockWork<S> BlockWork<S>::take(Arena& arena, const BlockShape& shape, int64_t batch,
                                int64_t tokens) {
  const Shape stream{batch, tokens, shape.width};
  const Shape hidden{batch, tokens, shape.ffn_width};
  const Shape ffn_in{batch, tokens, shape.ffn_in};
  BlockWork work;
  work.normed = arena.take<S>(stream);
  work.normed_dot = arena.take<S>(stream);
  work.ffn_hidden = arena.take<S>(hidden);
  work.ffn_hidden_dot = arena.take<S>(hidden);
  work.ffn_in_bar = arena.take<S>(ffn_in);
  work.ffn_in_delta = arena.take<S>(ffn_in);
  if (shape.gated) {
    work.branch_bar = arena.take<S>(stream);
    work.branch_delta = arena.take<S>(stream);
  }
  return work;
}

template <class S>
BlockWork<S> BlockWork<S>::rows(int64_t count, int64_t whole) const {
  return {rows_of(normed, 0, count),     rows_of(normed_dot, 0, count),
          rows_of(ffn_hidden, 0, whole), rows_of(ffn_hidden_dot, 0, whole),
          rows_of(ffn_in_bar, 0, whole), rows_of(ffn_in_delta, 0, whole),
          rows_of(branch_bar, 0, whole), rows_of(branch_delta, 0, whole)};
}

template <class T, class S>
BlockTrace<T, S> BlockTrace<T, S>::take(Arena& arena, const BlockShape& shape, int64_t batch,
                                        int64_t tokens, const BlockValues<S>& values) {
  BlockTrace trace;
  trace.values = values;
  for (NormSaved<T, S>* norm : {&trace.attention_norm, &trace.ffn_norm}) {
    norm->inverse_deviation = arena.take<T>({batch, tokens});
    if (shape.layer_norms) {
      norm->mean = arena.take<T>({batch, tokens});
    }
  }
  trace.attention.log_sum = arena.take<T>({batch, tokens, shape.heads});
  trace.attention.mean_dot = arena.take<T>({batch, tokens, shape.heads});
  return trace;
}

template <class T, class S>
BlockTrace<T, S> BlockTrace<T, S>::rows(int64_t first, int64_t count, int64_t whole) const {
  const auto norm_rows = [&](const NormSaved<T, S>& norm, int64_t rows) {
    return NormSaved<T, S>{rows_of(norm.x, first, rows),
                           scalars_of(norm.inverse_deviation, first, rows),
                           scalars_of(norm.mean, first, rows)};
  };
  return {values.rows(first, count, whole),
          norm_rows(attention_norm, count),
          norm_rows(ffn_norm, whole),
          {rows_of(attention.qkv, first, count), rows_of(attention.o, first, whole),
           rows_of(attention.log_sum, first, whole), rows_of(attention.o_dot, first, whole),
           rows_of(attention.mean_dot, first, whole)}};
}

#define EBT_STORED(S)                 \
  template struct BlockValues<S>;     \
  template struct BlockCotangents<S>; \
  template struct BlockWork<S>;
EBT_STORED(float)
EBT_STORED(Bfloat16)
EBT_STORED(double)
#undef EBT_STORED
template struct BlockTrace<float, float>;
template struct BlockTrace<float, Bfloat16>;
template struct BlockTrace<double, double>;

}  // namespace ebt
