// Nested dual numbers: derivatives of ordinary code, exact to rounding and without any rule of
// ours, so that the layers' rules can be held against them.
//
// A Dual carries a value and its derivative along one direction. Dual<Dual<double>> carries two
// directions and the mixed second derivative along both:
//   value.value  f             value.slope  along the inner direction
//   slope.value  along the outer direction    slope.slope  along both
#pragma once

#include <cmath>

namespace ebt::testing {

template <class T>
struct Dual {
  T value{};
  T slope{};

  Dual() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a constant is a number
  Dual(double constant) : value(constant) {}
  Dual(T v, T s) : value(v), slope(s) {}

  friend Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.slope + b.slope};
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.slope - b.slope};
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const T quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  friend Dual operator-(const Dual& a) { return {-a.value, -a.slope}; }
  Dual& operator+=(const Dual& other) { return *this = *this + other; }
  Dual& operator*=(const Dual& other) { return *this = *this * other; }

  friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend bool operator>(const Dual& a, const Dual& b) { return a.value > b.value; }

  friend Dual exp(const Dual& a) {
    using std::exp;
    const T power = exp(a.value);
    return {power, power * a.slope};
  }
  friend Dual log(const Dual& a) {
    using std::log;
    return {log(a.value), a.slope / a.value};
  }
  friend Dual sqrt(const Dual& a) {
    using std::sqrt;
    const T root = sqrt(a.value);
    return {root, a.slope / (root * 2.0)};
  }
};

using SecondDual = Dual<Dual<double>>;

}  // namespace ebt::testing
