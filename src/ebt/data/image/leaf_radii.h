// The distribution of radii in dead-leaves images, and of the number of leaves.
#pragma once

#include <array>
#include <cstdint>

namespace ebt {

// Leaves whose radii have the density r^-3 between two bounds, and whose centres lie anywhere
// alike. Those of radius r that touch an image have their centres in an area of (height + 2 r)
// (width + 2 r): seen from the image the density is r^-3 times that, a sum of three powers, each
// drawn from exactly.
class LeafRadii {
 public:
  // 0 < low < high, pixels.
  LeafRadii(double low, double high, double height, double width);

  // How many leaves touch the image when `cover` discs lie over a point of it on average.
  uint64_t count(double cover) const;
  // One of them, from two numbers that are uniform in [0, 1).
  double at(double which, double u) const;

 private:
  double low_;
  double high_;
  double logarithm_;                 // of high / low
  std::array<double, 3> weights_{};  // of the powers -3, -2 and -1
};

}  // namespace ebt
