// How much memory this process holds, and how much more it can take.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace ebt {

// Bytes that can be allocated without swapping and without being killed: the least of what the
// kernel estimates (MemAvailable), of what every control group that this process is in has left
// (cgroup v2 and v1, its ancestors included; file pages that were not used lately are given back,
// and count as left), and of RLIMIT_AS and RLIMIT_DATA. Absent where the system does not say.
// `root` is where /proc and the mount points are looked for.
std::optional<size_t> available_memory_bytes(const std::filesystem::path& root = "/");

// Bytes of memory of its own that this process holds: without the pages of files. 0 where the
// system does not say.
size_t held_memory_bytes();

}  // namespace ebt
