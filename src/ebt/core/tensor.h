// Shapes and tensor views. A view never owns memory: an Arena, a ParameterBlock or a std::vector
// does.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>

#include "ebt/core/error.h"

namespace ebt {

// Up to four non-negative extents, row-major, slowest axis first.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents)
      : Shape(std::span<const int64_t>(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents) {
    EBT_CHECK(extents.size() <= kMaxRank, "tensor: rank {} is above {}", extents.size(), kMaxRank);
    for (const int64_t extent : extents) {
      EBT_CHECK(extent >= 0, "tensor: negative extent {}", extent);
      extents_[static_cast<size_t>(rank_++)] = extent;
    }
  }

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return extents_[static_cast<size_t>(axis)]; }
  // Product of the extents; 1 for a scalar.
  int64_t count() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank_; ++axis) {
      product *= (*this)[axis];
    }
    return product;
  }
  bool operator==(const Shape& other) const {
    return rank_ == other.rank_ && extents_ == other.extents_;
  }
  // "(2,3,4)", as error messages print it.
  std::string to_string() const {
    std::string text = "(";
    for (int axis = 0; axis < rank_; ++axis) {
      text += (axis > 0 ? "," : "") + std::to_string((*this)[axis]);
    }
    return text + ")";
  }

 private:
  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

// A contiguous row-major view of `shape.count()` elements. An empty view (null data) means
// "absent".
template <class T>
struct Tensor {
  T* data = nullptr;
  Shape shape;

  int64_t count() const { return shape.count(); }
  int64_t dim(int axis) const { return shape[axis]; }
  explicit operator bool() const { return data != nullptr; }
  T& operator[](int64_t index) const { return data[index]; }
  T* begin() const { return data; }
  T* end() const { return data + count(); }

  // A view of the same elements as constants.
  // NOLINTNEXTLINE(google-explicit-constructor): a view to constants is what every reader takes
  operator Tensor<const T>() const requires(!std::is_const_v<T>) { return {data, shape}; }
  // The same elements under another shape of equal count.
  Tensor reshape(Shape other) const {
    EBT_CHECK(other.count() == count(), "tensor: cannot view {} as {}", shape.to_string(),
              other.to_string());
    return {data, other};
  }
  // Rows [first, first + rows) of the slowest axis.
  Tensor slice(int64_t first, int64_t rows) const {
    EBT_CHECK(first >= 0 && rows >= 0 && first + rows <= shape[0],
              "tensor: rows {}..{} are outside {}", first, first + rows, shape.to_string());
    const int64_t row_count = shape[0] == 0 ? 0 : count() / shape[0];
    Shape part;
    switch (shape.rank()) {
      case 1:
        part = {rows};
        break;
      case 2:
        part = {rows, shape[1]};
        break;
      case 3:
        part = {rows, shape[1], shape[2]};
        break;
      default:
        part = {rows, shape[1], shape[2], shape[3]};
    }
    return {data == nullptr ? nullptr : data + first * row_count, part};
  }
};

}  // namespace ebt
