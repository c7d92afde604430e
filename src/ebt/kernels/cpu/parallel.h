// The size from which kernels use several threads. For kernel files only (internal linkage).
#pragma once

#include <cstdint>

namespace {

// An operation on this many elements or fewer is done before another thread has woken.
inline constexpr int64_t kSerialElements = 1 << 13;

}  // namespace
