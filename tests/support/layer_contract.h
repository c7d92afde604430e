// The typed test suite that proves a layer (layers/layer.h). A layer's test describes the layer by
// a Case, derived from LayerCase below, and instantiates LayerContract with it:
//
//   struct GateCase : LayerCase {
//     template <class T> using Layer = Gate<T>;
//     static std::vector<GateCase> all();             // shapes: odd ones, 1, and empty ones
//     Shape x_shape() const;
//     Shape y_shape() const;
//     std::vector<Shape> parameters() const;          // with gradients
//     template <class T> typename Gate<T>::Params params(const Tensors<const T>& theta) const;
//     template <class T> typename Gate<T>::Grads grads(const Tensors<T>& theta_bar) const;
//     template <class S> Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const;
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Gate, LayerContract, GateCase);
//
// `theta` holds the parameters, then the constants (inputs that have no gradient).
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "ebt/core/arena.h"
#include "ebt/layers/layer.h"
#include "tests/support/dual.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"
#include "tests/support/reference.h"

namespace ebt::testing {

using reference::Array;
template <class S>
using Arrays = std::vector<Array<S>>;
template <class T>
using Tensors = std::vector<Tensor<T>>;

// float32 rounds at 6e-8, and sums, exponentials and differences of large terms add up: 2e-6 is the
// worst measured of a layer.
inline constexpr double kSingleBound = 1e-5;
// A block is eight layers in a row, each of which passes the roundings of those before it on: its
// bound is that of the golden files.
inline constexpr double kSingleBoundOfBlocks = 1e-4;
// Up to this many inputs, every one is differentiated by dual numbers; of more, a sample.
inline constexpr int64_t kEveryInput = 700;
inline constexpr int64_t kSampledInputs = 48;

// What most layers have in common.
struct LayerCase {
  static constexpr double kSinglePrecision = kSingleBound;
  std::vector<Shape> parameters() const { return {}; }
  std::vector<Shape> constants() const { return {}; }
  // Turns normal draws of theta into values that the layer allows.
  void condition(Arrays<double>& /*theta*/) const {}
  // Takes the memory that the layer wants its caller to provide.
  template <class Saved>
  void prepare(Arena& /*arena*/, Saved& /*saved*/) const {}
  // Where entry `index` of the gradient of parameter `which` (from 1) lies in that parameter, for
  // cases that declare gradients(): the shapes of gradients, if not those of parameters().
  size_t differentiated_entry(size_t /*which*/, size_t index) const { return index; }
  // Whether vjp_of_jvp accepts absent gradients.
  static constexpr bool kSecondOrderWithoutGrads = true;
};

template <class Case>
std::vector<Shape> gradient_shapes(const Case& layer) {
  if constexpr (requires { layer.gradients(); }) {
    return layer.gradients();
  } else {
    return layer.parameters();
  }
}

// A context (rows of q, k, v) has gradients of k and v alone: where their entry `index` lies in it.
inline size_t entry_of_context(size_t index, int64_t width) {
  const auto part = static_cast<size_t>(width);
  return index / (2 * part) * 3 * part + part + index % (2 * part);
}

// Something that a case keeps in the two precisions in which layers run.
template <template <class> class X>
struct BothPrecisions {
  X<float> single;
  X<double> exact;

  template <class... Args>
  explicit BothPrecisions(const Args&... args) : single(args...), exact(args...) {}
  template <class T>
  const X<T>& in() const {
    if constexpr (std::is_same_v<T, float>) {
      return single;
    } else {
      return exact;
    }
  }
};

// The inputs of a case. Every value is a float32, so that both precisions start from the same.
struct Problem {
  Array<double> x, x_dot, other_dot;  // like x
  Array<double> y_bar, delta;         // like y
  Arrays<double> theta;

  template <class Case>
  Problem(const Case& layer, uint32_t seed) {
    x = x_dot = other_dot = Array<double>(layer.x_shape());
    y_bar = delta = Array<double>(layer.y_shape());
    for (const auto& shapes : {layer.parameters(), layer.constants()}) {
      for (const Shape& shape : shapes) {
        theta.emplace_back(shape);
      }
    }
    for (Array<double>* array : {&x, &x_dot, &other_dot, &y_bar, &delta}) {
      array->values = normal_draws(array->shape.count(), seed += 1000);
    }
    for (Array<double>& array : theta) {
      array.values = normal_draws(array.shape.count(), seed += 1000);
    }
    layer.condition(theta);
  }
};

// Cotangents of x (entry 0) and of every parameter (entries 1..).
template <class T>
using Bars = std::vector<std::vector<T>>;

// A layer in precision T at one problem, on which forward has run.
template <class Case, class T>
class LayerRun {
 public:
  using Layer = typename Case::template Layer<T>;
  static_assert(ebt::Layer<Layer>);

  LayerRun(const Case& layer, const Problem& problem)
      : case_(layer), x_(in<T>(problem.x)), y_(layer.y_shape()), y_dot_(layer.y_shape()) {
    for (const Array<double>& array : problem.theta) {
      theta_.push_back(in<T>(array));
    }
    Tensors<const T> views;
    for (const Array<T>& array : theta_) {
      views.push_back(view(array));
    }
    params_ = layer.template params<T>(views);
    Arena measure;
    layer.prepare(measure, saved_);
    arena_ = Arena(measure.used_bytes());
    layer.prepare(arena_, saved_);
    spoil(y_.values);
    Layer::forward(params_, view(std::as_const(x_)), view(y_), saved_);
  }

  const std::vector<T>& y() const { return y_.values; }

  // Calls every rule, each time with one tensor that has a row too many, and returns the calls that
  // did not throw.
  std::vector<std::string> accepted_shapes() {
    const auto taller = [](Shape s) {
      return s.rank() == 1   ? Shape{s[0] + 1}
             : s.rank() == 2 ? Shape{s[0] + 1, s[1]}
                             : Shape{s[0] + 1, s[1], s[2]};
    };
    const Shape x = case_.x_shape();
    const Shape y = case_.y_shape();
    // Large enough for the wrong shapes, so that a rule that takes them does no harm.
    Array<T> like_x[] = {Array<T>(taller(x)), Array<T>(taller(x))};
    Array<T> like_y(taller(y));
    Bars<T> bars = blank();
    Target target(case_, bars, x);
    const auto as = [](Array<T>& array, Shape shape) {
      return Tensor<T>{array.values.data(), shape};
    };
    const auto in = [&](Array<T>& array, Shape shape) { return Tensor<const T>(as(array, shape)); };

    std::vector<std::string> accepted;
    const auto refuses = [&](const char* call, auto&& rule) {
      typename Layer::Saved saved = saved_;
      if (error_text([&] { rule(saved); }) == "no error") {
        accepted.emplace_back(call);
      }
    };
    refuses("forward, x", [&](auto& saved) {
      Layer::forward(params_, in(like_x[0], taller(x)), as(like_y, y), saved);
    });
    refuses("forward, y", [&](auto& saved) {
      Layer::forward(params_, in(like_x[0], x), as(like_y, taller(y)), saved);
    });
    refuses("vjp, y_bar", [&](auto& saved) {
      Layer::vjp(params_, saved, in(like_y, taller(y)), as(like_x[0], x), Write::kAdd,
                 &target.grads);
    });
    refuses("vjp, x_bar", [&](auto& saved) {
      Layer::vjp(params_, saved, in(like_y, y), as(like_x[0], taller(x)), Write::kAdd,
                 &target.grads);
    });
    refuses("jvp, x_dot", [&](auto& saved) {
      Layer::jvp(params_, saved, in(like_x[0], taller(x)), as(like_y, y));
    });
    refuses("jvp, y_dot", [&](auto& saved) {
      Layer::jvp(params_, saved, in(like_x[0], x), as(like_y, taller(y)));
    });
    const auto second = [&](Shape x_dot, Shape delta, Shape x_bar) {
      return [&, x_dot, delta, x_bar](auto& saved) {
        Layer::jvp(params_, saved, in(like_x[0], x), as(like_y, y));
        Layer::vjp_of_jvp(params_, saved, in(like_x[0], x_dot), in(like_y, delta),
                          as(like_x[1], x_bar), Write::kAdd, &target.grads);
      };
    };
    refuses("vjp_of_jvp, x_dot", second(taller(x), y, x));
    refuses("vjp_of_jvp, delta", second(x, taller(y), x));
    refuses("vjp_of_jvp, x_bar", second(x, y, taller(x)));
    return accepted;
  }

  // Cotangents to be written: not a number in x, so that a rule that should replace cannot add.
  Bars<T> blank() const {
    Bars<T> bars{std::vector<T>(x_.values.size())};
    spoil(bars[0]);
    for (const Shape& shape : gradient_shapes(case_)) {
      bars.emplace_back(static_cast<size_t>(shape.count()), T(0));
    }
    return bars;
  }

  std::vector<T> jvp(const Array<double>& x_dot) {
    x_dot_ = in<T>(x_dot);
    spoil(y_dot_.values);
    Layer::jvp(params_, saved_, view(std::as_const(x_dot_)), view(y_dot_));
    return y_dot_.values;
  }
  void vjp(const Array<double>& y_bar, Write write, Bars<T>& bars, bool with_grads = true) {
    const Array<T> bar = in<T>(y_bar);
    Target target(case_, bars, x_.shape);
    Layer::vjp(params_, saved_, view(bar), target.x_bar, write,
               with_grads ? &target.grads : nullptr);
  }
  Bars<T> vjp(const Array<double>& y_bar) {
    Bars<T> bars = blank();
    vjp(y_bar, Write::kReplace, bars);
    return bars;
  }
  // These follow a jvp along their x_dot, since attention reads what it recorded.
  void vjp_of_jvp(const Array<double>& x_dot, const Array<double>& delta, Write write,
                  Bars<T>& bars, bool with_grads = true) {
    jvp(x_dot);
    const Array<T> cotangent = in<T>(delta);
    Target target(case_, bars, x_.shape);
    Layer::vjp_of_jvp(params_, saved_, view(std::as_const(x_dot_)), view(cotangent), target.x_bar,
                      write, with_grads ? &target.grads : nullptr);
  }
  Bars<T> vjp_of_jvp(const Array<double>& x_dot, const Array<double>& delta) {
    Bars<T> bars = blank();
    vjp_of_jvp(x_dot, delta, Write::kReplace, bars);
    return bars;
  }
  Bars<T> second_order(const Array<double>& x_dot, const Array<double>& delta,
                       const Array<double>& y_bar) {
    jvp(x_dot);
    const Array<T> cotangent = in<T>(delta);
    const Array<T> bar = in<T>(y_bar);
    Bars<T> bars = blank();
    Target target(case_, bars, x_.shape);
    if constexpr (requires { Layer::second_order; }) {
      Layer::second_order(params_, saved_, view(std::as_const(x_dot_)), view(cotangent), view(bar),
                          target.x_bar, Write::kReplace, &target.grads);
    } else {
      ebt::second_order<Layer>(params_, saved_, view(std::as_const(x_dot_)), view(cotangent),
                               view(bar), target.x_bar, Write::kReplace, &target.grads);
    }
    return bars;
  }

 private:
  // Views of some cotangents as a rule takes them.
  struct Target {
    Tensor<T> x_bar;
    typename Layer::Grads grads;

    Target(const Case& layer, Bars<T>& bars, Shape x) : x_bar{bars[0].data(), x} {
      Tensors<T> views;
      const std::vector<Shape> shapes = gradient_shapes(layer);
      for (size_t i = 0; i < shapes.size(); ++i) {
        views.push_back({bars[i + 1].data(), shapes[i]});
      }
      grads = layer.template grads<T>(views);
    }
  };

  template <class U>
  static Array<U> in(const Array<double>& from) {
    Array<U> to(from.shape);
    std::copy(from.values.begin(), from.values.end(), to.values.begin());
    return to;
  }
  static Tensor<const T> view(const Array<T>& array) { return {array.values.data(), array.shape}; }
  static Tensor<T> view(Array<T>& array) { return {array.values.data(), array.shape}; }
  static void spoil(std::vector<T>& values) {
    std::fill(values.begin(), values.end(), std::numeric_limits<T>::quiet_NaN());
  }

  Case case_;
  Array<T> x_, x_dot_, y_, y_dot_;
  Arrays<T> theta_;
  Arena arena_;
  typename Layer::Params params_;
  typename Layer::Saved saved_;
};

// The reference on dual numbers, which knows every derivative.
template <class Case>
class Oracle {
 public:
  Oracle(const Case& layer, const Problem& problem)
      : case_(layer), problem_(problem), parameters_(layer.parameters().size()) {}

  // The output when input `index` of tensor `which` (0: x, then the parameters) is the outer
  // direction and x_dot the inner one.
  std::vector<SecondDual> along(size_t which, size_t index) const {
    Array<SecondDual> x(problem_.x.shape);
    for (size_t i = 0; i < x.values.size(); ++i) {
      x.values[i].value = {problem_.x.values[i], problem_.x_dot.values[i]};
    }
    Arrays<SecondDual> theta;
    for (const Array<double>& array : problem_.theta) {
      theta.emplace_back(array.shape);
      for (size_t i = 0; i < array.values.size(); ++i) {
        theta.back().values[i].value = array.values[i];
      }
    }
    Array<SecondDual>& seeded = which == 0 ? x : theta[which - 1];
    if (index < seeded.values.size()) {
      seeded.values[index].slope = 1.0;
    }
    return case_.template reference<SecondDual>(x, theta).values;
  }

  // The inputs that are differentiated, of a tensor of `count`.
  std::vector<size_t> chosen(size_t count) const {
    int64_t total = problem_.x.shape.count();
    for (size_t i = 0; i < parameters_; ++i) {
      total += problem_.theta[i].shape.count();
    }
    const bool all = total <= kEveryInput || count <= static_cast<size_t>(kSampledInputs);
    std::mt19937 generator(static_cast<uint32_t>(count));
    std::vector<size_t> inputs(all ? count : static_cast<size_t>(kSampledInputs));
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs[i] = all ? i : generator() % count;
    }
    return inputs;
  }

 private:
  const Case& case_;
  const Problem& problem_;
  size_t parameters_;
};

template <class Case>
class LayerContract : public ::testing::Test {
 protected:
  // Calls body(layer, problem) for every shape.
  template <class Body>
  void for_cases(Body&& body) {
    uint32_t seed = 1;
    for (const Case& layer : Case::all()) {
      const std::string name = "case " + std::to_string(seed) + ": x is " +
                               layer.x_shape().to_string() + ", y is " +
                               layer.y_shape().to_string();
      SCOPED_TRACE(name);
      body(layer, Problem(layer, seed++));
    }
  }
};
TYPED_TEST_SUITE_P(LayerContract);

TYPED_TEST_P(LayerContract, EveryRuleMatchesNestedDualNumbers) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    LayerRun<TypeParam, double> run(layer, problem);
    const std::vector<double> y_dot = run.jvp(problem.x_dot);
    const Bars<double> first = run.vjp(problem.y_bar);
    const Bars<double> second = run.vjp_of_jvp(problem.x_dot, problem.delta);
    const Oracle<TypeParam> oracle(layer, problem);

    std::vector<double> y;
    std::vector<double> tangent;
    for (const SecondDual& value : oracle.along(0, std::numeric_limits<size_t>::max())) {
      y.push_back(value.value.value);
      tangent.push_back(value.value.slope);
    }
    EXPECT_LE(relative_error(run.y(), y), kDoubleBound) << "forward";
    EXPECT_LE(relative_error(y_dot, tangent), kDoubleBound) << "jvp";

    for (size_t which = 0; which < first.size(); ++which) {
      std::vector<double> found[2];
      std::vector<double> expected[2];
      for (const size_t index : oracle.chosen(first[which].size())) {
        const std::vector<SecondDual> out =
            oracle.along(which, which == 0 ? index : layer.differentiated_entry(which, index));
        double pairing[2] = {0, 0};
        for (size_t k = 0; k < out.size(); ++k) {
          pairing[0] += problem.y_bar.values[k] * out[k].slope.value;
          pairing[1] += problem.delta.values[k] * out[k].slope.slope;
        }
        found[0].push_back(first[which][index]);
        found[1].push_back(second[which][index]);
        expected[0].push_back(pairing[0]);
        expected[1].push_back(pairing[1]);
      }
      const std::string of = which == 0 ? "x" : "parameter " + std::to_string(which);
      EXPECT_LE(relative_error(found[0], expected[0]), kDoubleBound) << "vjp, " << of;
      EXPECT_LE(relative_error(found[1], expected[1]), kDoubleBound) << "vjp_of_jvp, " << of;
    }
  });
}

TYPED_TEST_P(LayerContract, VjpIsTheTransposeOfJvp) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    LayerRun<TypeParam, double> run(layer, problem);
    const std::vector<double> y_dot = run.jvp(problem.x_dot);
    const double size =
        std::sqrt(dot(y_dot, y_dot) * dot(problem.y_bar.values, problem.y_bar.values));
    EXPECT_NEAR(dot(problem.y_bar.values, y_dot),
                dot(run.vjp(problem.y_bar)[0], problem.x_dot.values), kDoubleBound * (size + 1));
  });
}

TYPED_TEST_P(LayerContract, SecondDerivativesAreSymmetric) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    LayerRun<TypeParam, double> run(layer, problem);
    const std::vector<double> along_x_dot = run.vjp_of_jvp(problem.x_dot, problem.delta)[0];
    const std::vector<double> along_other = run.vjp_of_jvp(problem.other_dot, problem.delta)[0];
    const double size = std::sqrt(dot(along_x_dot, along_x_dot) *
                                  dot(problem.other_dot.values, problem.other_dot.values));
    EXPECT_NEAR(dot(along_x_dot, problem.other_dot.values), dot(along_other, problem.x_dot.values),
                kDoubleBound * (size + 1));
  });
}

// start + value, computed where a rule adds to `start`.
inline void expect_sum(const Bars<double>& found, const Bars<double>& start,
                       const Bars<double>& value, const char* rule) {
  for (size_t which = 0; which < found.size(); ++which) {
    std::vector<double> sum = start[which];
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] += value[which][i];
    }
    EXPECT_LE(relative_error(found[which], sum), kDoubleBound) << rule << ", tensor " << which;
  }
}

TYPED_TEST_P(LayerContract, AddsWhereItShould) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    LayerRun<TypeParam, double> run(layer, problem);
    Bars<double> start = run.blank();
    for (std::vector<double>& bars : start) {
      for (size_t i = 0; i < bars.size(); ++i) {
        bars[i] = 1.0 + static_cast<double>(i % 7);
      }
    }
    Bars<double> bars = start;
    run.vjp(problem.y_bar, Write::kAdd, bars);
    expect_sum(bars, start, run.vjp(problem.y_bar), "vjp");
    bars = start;
    run.vjp_of_jvp(problem.x_dot, problem.delta, Write::kAdd, bars);
    expect_sum(bars, start, run.vjp_of_jvp(problem.x_dot, problem.delta), "vjp_of_jvp");
  });
}

TYPED_TEST_P(LayerContract, WorksWithoutParameterGradients) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    LayerRun<TypeParam, double> run(layer, problem);
    Bars<double> bars = run.blank();
    run.vjp(problem.y_bar, Write::kReplace, bars, false);
    EXPECT_EQ(bars[0], run.vjp(problem.y_bar)[0]);
    if constexpr (TypeParam::kSecondOrderWithoutGrads) {
      bars = run.blank();
      run.vjp_of_jvp(problem.x_dot, problem.delta, Write::kReplace, bars, false);
      EXPECT_EQ(bars[0], run.vjp_of_jvp(problem.x_dot, problem.delta)[0]);
    }
  });
}

TYPED_TEST_P(LayerContract, SecondOrderIsVjpPlusVjpOfJvp) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    LayerRun<TypeParam, double> run(layer, problem);
    expect_sum(run.second_order(problem.x_dot, problem.delta, problem.y_bar),
               run.vjp(problem.y_bar), run.vjp_of_jvp(problem.x_dot, problem.delta),
               "second_order");
  });
}

// What all rules give at one problem, tensor by tensor.
template <class Case, class T>
std::vector<std::vector<T>> all_results(const Case& layer, const Problem& problem) {
  LayerRun<Case, T> run(layer, problem);
  std::vector<std::vector<T>> results{run.y(), run.jvp(problem.x_dot)};
  for (const Bars<T>& bars :
       {run.vjp(problem.y_bar), run.vjp_of_jvp(problem.x_dot, problem.delta)}) {
    results.insert(results.end(), bars.begin(), bars.end());
  }
  return results;
}

TYPED_TEST_P(LayerContract, SinglePrecisionAgreesWithDouble) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    const auto single = all_results<TypeParam, float>(layer, problem);
    const auto exact = all_results<TypeParam, double>(layer, problem);
    for (size_t i = 0; i < exact.size(); ++i) {
      EXPECT_LE(relative_error(single[i], exact[i]), TypeParam::kSinglePrecision) << "result " << i;
    }
  });
}

TYPED_TEST_P(LayerContract, ResultsDoNotDependOnTheNumberOfThreads) {
  this->for_cases([](const TypeParam& layer, const Problem& problem) {
    expect_same_for_any_threads([&] { return all_results<TypeParam, float>(layer, problem); });
    expect_same_for_any_threads([&] { return all_results<TypeParam, double>(layer, problem); });
  });
}

TYPED_TEST_P(LayerContract, RefusesWrongShapes) {
  const TypeParam layer = TypeParam::all().front();
  EXPECT_EQ((LayerRun<TypeParam, double>(layer, Problem(layer, 1)).accepted_shapes()),
            std::vector<std::string>{});
}

REGISTER_TYPED_TEST_SUITE_P(LayerContract, EveryRuleMatchesNestedDualNumbers,
                            VjpIsTheTransposeOfJvp, SecondDerivativesAreSymmetric,
                            AddsWhereItShould, WorksWithoutParameterGradients,
                            SecondOrderIsVjpPlusVjpOfJvp, SinglePrecisionAgreesWithDouble,
                            RefusesWrongShapes, ResultsDoNotDependOnTheNumberOfThreads);

}  // namespace ebt::testing
