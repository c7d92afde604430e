// Attention in tiles: all four rules in O(S d) memory, for three kinds of streams.
//
// Context stream: query t attends to keys 0..t of its own stream.
// Bidirectional stream: every query attends to all keys of its own stream.
// Prediction stream: query t, at position first_query + t of its sequence, attends to the context
// keys 0..first_query + t + lead and to itself ("own" key and value); the context has no tangent.
//
//   s = scale q.k          p = softmax(s)                     o     = sum p v
//   s_dot = scale (q_dot.k + q.k_dot)   m = sum p s_dot       o_dot = sum p (s_dot - m) v + p v_dot
// The second-order rule is derived in docs/derivations.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// From this many heads of all sequences on, a head is what a thread takes at a time.
inline constexpr int64_t kPlentyOfHeads = 16;

// Bytes that the rules keep beside their arguments at most, for `heads` of all sequences together:
// packed keys and values and the sums of their cotangents.
size_t attention_scratch_bytes(int64_t heads, int64_t queries, int64_t keys, int64_t head_width,
                               int64_t threads);

// Where the values of one kind lie: element (b, t, h, i) is data[(b * rows + t) * stride + h * d +
// i].
template <class T>
struct HeadRows {
  T* data = nullptr;
  int64_t rows = 0;    // per sequence
  int64_t stride = 0;  // elements between rows
};

struct AttentionShape {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t head_width = 0;  // d
  int64_t queries = 0;     // per sequence
  int64_t keys = 0;        // per sequence, of the context
  bool own = false;        // prediction stream: every query also has a key and value of its own
  int64_t visible = 1;     // keys that query 0 sees; each next query sees one more, up to all
};

// Everything the rules read and write. T computes, S is what activations are stored as. Groups that
// a rule does not name may be empty. Keys and queries are already rotated. Cotangents q_bar,
// own_*_bar and stored_*_bar are added to where `add`, else replaced; k_bar and v_bar, which
// several passes share, are sums in T and always added to.
template <class T, class S = T>
struct AttentionArguments {
  AttentionShape shape;
  T scale = 0;
  HeadRows<const S> q, k, v, own_k, own_v;
  HeadRows<S> o;         // forward writes
  T* log_sum = nullptr;  // (batch, queries, heads): log of the softmax denominator; forward writes
  // Tangents; k_dot and v_dot only without `own`.
  HeadRows<const S> q_dot, k_dot, v_dot, own_k_dot, own_v_dot;
  HeadRows<S> o_dot;      // jvp writes
  T* mean_dot = nullptr;  // (batch, queries, heads): m; jvp writes
  // Cotangents. vjp reads o_bar. vjp_of_jvp reads delta (the cotangent of o_dot) and, if it is not
  // empty, o_bar: then it computes both rules in one visit.
  HeadRows<const S> o_bar, delta;
  bool add = false;
  HeadRows<S> q_bar, own_k_bar, own_v_bar;
  HeadRows<T> k_bar, v_bar;  // may be empty with `own`: the context's cotangents are not wanted
  HeadRows<S> stored_k_bar, stored_v_bar;  // instead of them, where one pass alone has cotangents
};

// Instances: (double, double), (float, float), (float, Bfloat16). Where the work that they belong
// to is to stop (core/work_watch.h), they return early, and what they write is undefined.
template <class T, class S = T>
struct AttentionKernels {
  void (*forward)(const AttentionArguments<T, S>& a);
  void (*vjp)(const AttentionArguments<T, S>& a);
  void (*jvp)(const AttentionArguments<T, S>& a);
  void (*vjp_of_jvp)(const AttentionArguments<T, S>& a);
};

template <class T, class S>
const AttentionKernels<T, S>& attention() {
  return table<AttentionKernels<T, S>>();
}

}  // namespace ebt::kernels
