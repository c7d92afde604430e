// Floating-point elements as files hold them: little-endian, of several types, not aligned.
#pragma once

#include "ebt/io/safetensors.h"

namespace ebt {

bool is_floating_point(Dtype dtype);

// Converts the elements of a tensor of a floating-point type, of which `out` has as many.
template <class T>
void read_floats(const StoredTensor& stored, Tensor<T> out);

}  // namespace ebt
