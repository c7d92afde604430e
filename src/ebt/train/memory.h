// How much memory this process can still take.
#pragma once

#include <cstddef>
#include <optional>

namespace ebt {

// Bytes that can be allocated without swapping, as the kernel estimates them (MemAvailable), and no
// more than the limit of the container, if there is one. Absent where the system does not say.
std::optional<size_t> available_memory_bytes();

}  // namespace ebt
