// What every layer computes, as plainly as it can be written and over any scalar type: the
// specification that the engine's kernels are tested against. Run on nested dual numbers
// (dual.h), each of these is also the exact answer to all of its layer's derivative rules.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt::reference {

// A tensor that owns its values: element (i, j, k) of `x` is x(i, j, k).
template <class S>
struct Array {
  Shape shape;
  std::vector<S> values;

  Array() = default;
  explicit Array(Shape s) : shape(s), values(static_cast<size_t>(s.count())) {}

  int64_t dim(int axis) const { return shape[axis]; }
  // The last axis, and how many rows of it there are.
  int64_t width() const { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }
  int64_t rows() const { return values.empty() ? 0 : shape.count() / width(); }

  template <class... Index>
  S& operator()(Index... index) {
    return values[offset({static_cast<int64_t>(index)...})];
  }
  template <class... Index>
  const S& operator()(Index... index) const {
    return values[offset({static_cast<int64_t>(index)...})];
  }
  // Element i of row r, whatever the rank.
  S& at(int64_t r, int64_t i) { return values[static_cast<size_t>(r * width() + i)]; }
  const S& at(int64_t r, int64_t i) const { return values[static_cast<size_t>(r * width() + i)]; }

 private:
  size_t offset(std::initializer_list<int64_t> index) const {
    int64_t position = 0;
    int axis = 0;
    for (const int64_t i : index) {
      position = position * shape[axis++] + i;
    }
    return static_cast<size_t>(position);
  }
};

// The shape of `x` with another last axis.
template <class S>
Shape with_width(const Array<S>& x, int64_t width) {
  return x.shape.rank() == 2 ? Shape{x.dim(0), width} : Shape{x.dim(0), x.dim(1), width};
}

// y = x W^T [+ b]: x (..., in), weight (out, in), bias (out) or null.
template <class S>
Array<S> linear(const Array<S>& x, const Array<S>& weight, const Array<S>* bias = nullptr) {
  Array<S> y(with_width(x, weight.dim(0)));
  for (int64_t r = 0; r < y.rows(); ++r) {
    for (int64_t o = 0; o < y.width(); ++o) {
      S sum = bias == nullptr ? S(0) : (*bias)(o);
      for (int64_t i = 0; i < x.width(); ++i) {
        sum += x.at(r, i) * weight(o, i);
      }
      y.at(r, o) = sum;
    }
  }
  return y;
}

// y = x w / sqrt(mean x^2 + eps).
template <class S>
Array<S> rms_norm(const Array<S>& x, const Array<S>& weight, double eps) {
  using std::sqrt;
  Array<S> y(x.shape);
  for (int64_t r = 0; r < x.rows(); ++r) {
    S squares = 0;
    for (int64_t i = 0; i < x.width(); ++i) {
      squares += x.at(r, i) * x.at(r, i);
    }
    const S size = sqrt(squares / S(static_cast<double>(x.width())) + S(eps));
    for (int64_t i = 0; i < x.width(); ++i) {
      y.at(r, i) = x.at(r, i) * weight(i) / size;
    }
  }
  return y;
}

// y = (x - mean x) gain / sqrt(var x + eps) + shift: gain (G, D) and shift, which may be null, for
// G equal groups of rows.
template <class S>
Array<S> layer_norm(const Array<S>& x, const Array<S>& gain, const Array<S>* shift, double eps) {
  using std::sqrt;
  Array<S> y(x.shape);
  const S width(static_cast<double>(x.width()));
  for (int64_t r = 0; r < x.rows(); ++r) {
    const int64_t group = r / (x.rows() / gain.dim(0));
    S mean = 0;
    for (int64_t i = 0; i < x.width(); ++i) {
      mean += x.at(r, i) / width;
    }
    S variance = 0;
    for (int64_t i = 0; i < x.width(); ++i) {
      variance += (x.at(r, i) - mean) * (x.at(r, i) - mean) / width;
    }
    for (int64_t i = 0; i < x.width(); ++i) {
      y.at(r, i) = (x.at(r, i) - mean) * gain(group, i) / sqrt(variance + S(eps));
      if (shift != nullptr) {
        y.at(r, i) += (*shift)(group, i);
      }
    }
  }
  return y;
}

// Turns pair (2i, 2i+1) of every head of q and k by position * theta^(-2i/d), where position is
// `first` plus the token's; v stays. qkv (B, S, 3 D).
template <class S>
Array<S> rotary(const Array<S>& qkv, int64_t heads, int64_t first, double theta) {
  Array<S> y = qkv;
  const int64_t width = qkv.dim(2) / 3 / heads;
  for (int64_t b = 0; b < qkv.dim(0); ++b) {
    for (int64_t t = 0; t < qkv.dim(1); ++t) {
      for (int64_t i = 0; i < qkv.dim(2) * 2 / 3; i += 2) {
        const double power = static_cast<double>(i % width) / static_cast<double>(width);
        const double angle = static_cast<double>(first + t) * std::pow(theta, -power);
        const S cosine = std::cos(angle);
        const S sine = std::sin(angle);
        y(b, t, i) = qkv(b, t, i) * cosine - qkv(b, t, i + 1) * sine;
        y(b, t, i + 1) = qkv(b, t, i) * sine + qkv(b, t, i + 1) * cosine;
      }
    }
  }
  return y;
}

// softmax of some scores, and the mean of some vectors under it.
template <class S>
struct SoftmaxMean {
  S total = 0;
  std::vector<S> sum;

  explicit SoftmaxMean(int64_t width) : sum(static_cast<size_t>(width)) {}
  // q.k / sqrt(d) of one head, whose d entries of q, k and v start where the pointers point.
  void see(const S* q, const S* k, const S* v) {
    using std::exp;
    S score = 0;
    for (size_t i = 0; i < sum.size(); ++i) {
      score += q[i] * k[i];
    }
    const S weight = exp(score / S(std::sqrt(static_cast<double>(sum.size()))));
    total += weight;
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] += weight * v[i];
    }
  }
  S mean(size_t i) const { return sum[i] / total; }
};

// Attention of queries qkv (B, Q, 3 D) over the first `visible` + t rows of context (B, C, 3 D),
// or all,
// and, if `own`, over the query's own key and value.
template <class S>
Array<S> attention(const Array<S>& qkv, const Array<S>& context, int64_t heads, int64_t visible,
                   bool own) {
  const int64_t width = qkv.dim(2) / 3;
  const int64_t head_width = width / heads;
  Array<S> y(with_width(qkv, width));
  for (int64_t b = 0; b < qkv.dim(0); ++b) {
    for (int64_t t = 0; t < qkv.dim(1); ++t) {
      for (int64_t first = 0; first < width; first += head_width) {
        SoftmaxMean<S> seen(head_width);
        const S* q = &qkv(b, t, first);
        for (int64_t j = 0; j < std::min(visible + t, context.dim(1)); ++j) {
          seen.see(q, &context(b, j, width + first), &context(b, j, 2 * width + first));
        }
        if (own) {
          seen.see(q, &qkv(b, t, width + first), &qkv(b, t, 2 * width + first));
        }
        for (int64_t i = 0; i < head_width; ++i) {
          y(b, t, first + i) = seen.mean(static_cast<size_t>(i));
        }
      }
    }
  }
  return y;
}

// Token t attends to tokens 0..t.
template <class S>
Array<S> context_attention(const Array<S>& qkv, int64_t heads) {
  return attention(qkv, qkv, heads, 1, false);
}

// Every token attends to all.
template <class S>
Array<S> bidirectional_attention(const Array<S>& qkv, int64_t heads) {
  return attention(qkv, qkv, heads, qkv.dim(1), false);
}

// Query t attends to context tokens 0..first_query + t + lead and to itself.
template <class S>
Array<S> prediction_attention(const Array<S>& qkv, const Array<S>& context, int64_t heads,
                              int64_t lead, int64_t first_query) {
  return attention(qkv, context, heads, first_query + lead + 1, true);
}

// y = silu(a) b: x (..., 2 F) holds a, b.
template <class S>
Array<S> swiglu_gate(const Array<S>& x) {
  using std::exp;
  const int64_t width = x.width() / 2;
  Array<S> y(with_width(x, width));
  for (int64_t r = 0; r < y.rows(); ++r) {
    for (int64_t i = 0; i < width; ++i) {
      y.at(r, i) = x.at(r, i) / (S(1) + exp(-x.at(r, i))) * x.at(r, width + i);
    }
  }
  return y;
}

// y = x (1 + scale) + shift.
template <class S>
Array<S> modulation(const Array<S>& x, const Array<S>& shift, const Array<S>& scale) {
  Array<S> y(x.shape);
  for (int64_t r = 0; r < x.rows(); ++r) {
    for (int64_t i = 0; i < x.width(); ++i) {
      y.at(r, i) = x.at(r, i) * (S(1) + scale(i)) + shift(i);
    }
  }
  return y;
}

// y = x gate: gate (D), or (G, D) for G equal groups of rows.
template <class S>
Array<S> gate(const Array<S>& x, const Array<S>& gate) {
  Array<S> y(x.shape);
  for (int64_t r = 0; r < x.rows(); ++r) {
    const int64_t group = r / (x.rows() / gate.rows());
    for (int64_t i = 0; i < x.width(); ++i) {
      y.at(r, i) = x.at(r, i) * gate.at(group, i);
    }
  }
  return y;
}

// y = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
template <class S>
Array<S> gelu(const Array<S>& x) {
  using std::exp;
  Array<S> y(x.shape);
  for (size_t i = 0; i < x.values.size(); ++i) {
    const S v = x.values[i];
    const S w = S(std::sqrt(8.0 / 3.14159265358979323846)) * (v + S(0.044715) * v * v * v);
    y.values[i] = v / (S(1) + exp(-w));  // (1 + tanh u) / 2 is the sigmoid of 2 u
  }
  return y;
}

// y (B, T, D) of images x (B, C, H, W) in patches of P x P: weight (D, C, P, P), bias (D),
// positions (T, D).
template <class S>
Array<S> patch_embedding(const Array<S>& x, const Array<S>& weight, const Array<S>& bias,
                         const Array<S>& positions) {
  const int64_t patch = weight.dim(2);
  const int64_t columns = x.dim(3) / patch;
  Array<S> y({x.dim(0), positions.dim(0), positions.dim(1)});
  for (int64_t b = 0; b < y.dim(0); ++b) {
    for (int64_t t = 0; t < y.dim(1); ++t) {
      for (int64_t d = 0; d < y.dim(2); ++d) {
        S sum = bias(d) + positions(t, d);
        for (int64_t c = 0; c < x.dim(1); ++c) {
          for (int64_t i = 0; i < patch; ++i) {
            for (int64_t j = 0; j < patch; ++j) {
              sum += x(b, c, t / columns * patch + i, t % columns * patch + j) * weight(d, c, i, j);
            }
          }
        }
        y(b, t, d) = sum;
      }
    }
  }
  return y;
}

// y = [w; x] along the sequence: x (B, S, D), y (B, S + 1, D).
template <class S>
Array<S> landscape_token(const Array<S>& x, const Array<S>& weight) {
  Array<S> y({x.dim(0), x.dim(1) + 1, x.dim(2)});
  for (int64_t b = 0; b < y.dim(0); ++b) {
    for (int64_t t = 0; t < y.dim(1); ++t) {
      for (int64_t i = 0; i < y.dim(2); ++i) {
        y(b, t, i) = t == 0 ? weight(i) : x(b, t - 1, i);
      }
    }
  }
  return y;
}

// p = softmax(z) over rows.
template <class S>
Array<S> softmax(const Array<S>& z) {
  using std::exp;
  Array<S> p(z.shape);
  for (int64_t r = 0; r < z.rows(); ++r) {
    S total = 0;
    for (int64_t i = 0; i < z.width(); ++i) {
      total += exp(z.at(r, i));
    }
    for (int64_t i = 0; i < z.width(); ++i) {
      p.at(r, i) = exp(z.at(r, i)) / total;
    }
  }
  return p;
}

// y (n, m) of x (m, n).
template <class S>
Array<S> transposed(const Array<S>& x) {
  Array<S> y({x.dim(1), x.dim(0)});
  for (int64_t i = 0; i < x.dim(0); ++i) {
    for (int64_t j = 0; j < x.dim(1); ++j) {
      y(j, i) = x(i, j);
    }
  }
  return y;
}

// y (N, D) = p W for p = softmax(z), or z: z (N, V), matrix (V, D).
template <class S>
Array<S> embed_prediction(const Array<S>& z, const Array<S>& matrix, bool normalize) {
  return linear(normalize ? softmax(z) : z, transposed(matrix));
}

// y (N, V) = p - step clamp(x W^T, +-bound): x (N, D), matrix (V, D), step and bound (N).
template <class S>
Array<S> descend_logits(const Array<S>& x, const Array<S>& matrix, const Array<S>& p,
                        const Array<S>& step, const Array<S>* bound) {
  Array<S> y = linear(x, matrix);
  for (int64_t n = 0; n < y.rows(); ++n) {
    for (int64_t v = 0; v < y.width(); ++v) {
      S g = y(n, v);
      if (bound != nullptr) {
        g = std::max(std::min(g, (*bound)(n)), -(*bound)(n));
      }
      y(n, v) = p(n, v) - step(n) * g;
    }
  }
  return y;
}

// y (N) = -sum_j q_j log softmax(x)_j, q = (1 - smoothing) one_hot(target) + smoothing / V;
// 0 where the target is negative.
template <class S>
Array<S> cross_entropy(const Array<S>& x, const std::vector<int32_t>& targets, double smoothing) {
  using std::log;
  const Array<S> p = softmax(x);
  Array<S> y({x.dim(0)});
  for (int64_t n = 0; n < x.dim(0); ++n) {
    const int32_t target = targets[static_cast<size_t>(n)];
    for (int64_t v = 0; v < x.dim(1) && target >= 0; ++v) {
      const double share =
          smoothing / static_cast<double>(x.dim(1)) + (v == target ? 1.0 - smoothing : 0.0);
      y(n) += -S(share) * log(p(n, v));
    }
  }
  return y;
}

}  // namespace ebt::reference
