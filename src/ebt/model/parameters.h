// All weights of a model in one block of memory, each under its published name.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt {

// Where one named tensor lies in the block, and how the optimizer treats it.
struct ParameterEntry {
  std::string name;  // as the published implementation calls it
  Shape shape;
  int64_t offset = 0;  // elements from the start of the block
  bool weight_decay = true;
};

// The tensors of a model, in order, with no gaps: tensors that are multiplied together are
// neighbours (wq, wk, wv; w1, w3), so that one GEMM serves them. Gradients and optimizer moments
// are blocks of the same layout.
class ParameterLayout {
 public:
  void add(const std::string& name, Shape shape, bool weight_decay = true);
  const std::vector<ParameterEntry>& entries() const { return entries_; }
  // Elements in the block.
  int64_t count() const { return count_; }
  // Throws Error for an unknown name.
  const ParameterEntry& entry(const std::string& name) const;
  bool contains(const std::string& name) const;

 private:
  std::vector<ParameterEntry> entries_;
  std::unordered_map<std::string, size_t> index_;
  int64_t count_ = 0;
};

// What alpha, the step size of thinking, is called where a model learns it.
inline constexpr char kStepSizeName[] = "alpha";

// A block of values under a layout.
template <class T>
class ParameterBlock {
 public:
  ParameterBlock() = default;
  explicit ParameterBlock(const ParameterLayout& layout)
      : layout_(&layout), values_(static_cast<size_t>(layout.count())) {}

  const ParameterLayout& layout() const { return *layout_; }
  Tensor<T> tensor(const std::string& name) {
    const ParameterEntry& entry = layout_->entry(name);
    return {values_.data() + entry.offset, entry.shape};
  }
  Tensor<const T> tensor(const std::string& name) const {
    const ParameterEntry& entry = layout_->entry(name);
    return {values_.data() + entry.offset, entry.shape};
  }
  Tensor<T> all() { return {values_.data(), {static_cast<int64_t>(values_.size())}}; }
  Tensor<const T> all() const { return {values_.data(), {static_cast<int64_t>(values_.size())}}; }

 private:
  const ParameterLayout* layout_ = nullptr;
  std::vector<T> values_;
};

}  // namespace ebt
