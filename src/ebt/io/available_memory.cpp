#include "ebt/io/available_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

namespace ebt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// What a file holds that is one number. The word "max", where there is no limit, is none.
std::optional<size_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  size_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

// The number behind a key, as in "MemAvailable: 123 kB" and "inactive_file 123".
std::optional<size_t> entry_of(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    size_t value = 0;
    if (words >> name >> value && name == key) {
      return value;
    }
  }
  return std::nullopt;
}

size_t less(size_t from, size_t taken) { return from > taken ? from - taken : 0; }

// How the two versions of control groups call what is asked of them.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* idle_file_pages;
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file"};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", "inactive_file"};

size_t left_in_group(const fs::path& group, const GroupFiles& files) {
  const std::optional<size_t> limit = number_in(group / files.limit);
  const std::optional<size_t> usage = number_in(group / files.usage);
  if (!limit || !usage) {
    return kNoLimit;
  }
  const size_t idle = entry_of(group / "memory.stat", files.idle_file_pages).value_or(0);
  return less(*limit, less(*usage, idle));
}

bool names_memory(const std::string& list) {
  return ("," + list + ",").find(",memory,") != list.npos;
}

// The path of this process's group in the hierarchy of version 2, or in that of version 1 that
// memory is in: "4:memory:/a/b" or "0::/a/b".
std::optional<std::string> group_path(const fs::path& root, bool version2) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version2 ? controllers.empty() : names_memory(controllers)) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

// What is left in a group and those above it, up to the one that is mounted.
size_t left_below(const fs::path& mounted, const std::string& mounted_group,
                  const std::string& group, const GroupFiles& files) {
  // A container may see its own group mounted as the root of all, under the name it has outside.
  const fs::path within = fs::path(group).lexically_relative(mounted_group);
  fs::path at = mounted;
  size_t left = left_in_group(at, files);
  for (const fs::path& part : within) {
    if (part == "..") {
      break;
    }
    at /= part;
    left = std::min(left, left_in_group(at, files));
  }
  return left;
}

size_t left_in_groups(const fs::path& root) {
  size_t left = kNoLimit;
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // id, parent, device, root, mount point, options and more; after " - " type, source, options.
    const size_t end = line.find(" - ");
    if (end == std::string::npos) {
      continue;
    }
    std::istringstream head(line.substr(0, end));
    std::istringstream tail(line.substr(end + 3));
    std::string skipped;
    std::string mounted_group;
    std::string mount_point;
    std::string type;
    std::string options;
    head >> skipped >> skipped >> skipped >> mounted_group >> mount_point;
    tail >> type >> skipped >> options;
    const bool version2 = type == "cgroup2";
    if (!version2 && !(type == "cgroup" && names_memory(options))) {
      continue;
    }
    if (const auto group = group_path(root, version2)) {
      left = std::min(left, left_below(root / fs::path(mount_point).relative_path(), mounted_group,
                                       *group, version2 ? kVersion2 : kVersion1));
    }
  }
  return left;
}

// What a limit of the process leaves, of which it uses the given word of /proc/self/statm, in
// pages.
size_t left_of_limit(__rlimit_resource_t resource, size_t statm_word) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kNoLimit;
  }
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0;
  for (size_t word = 0; word <= statm_word; ++word) {
    statm >> pages;
  }
  return less(limit.rlim_cur, pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::optional<size_t> available_memory_bytes(const fs::path& root) {
  constexpr size_t kTotalPages = 0;
  constexpr size_t kDataPages = 5;
  const std::optional<size_t> kibibytes = entry_of(root / "proc/meminfo", "MemAvailable:");
  const size_t least =
      std::min({kibibytes ? *kibibytes * 1024 : kNoLimit, left_in_groups(root),
                left_of_limit(RLIMIT_AS, kTotalPages), left_of_limit(RLIMIT_DATA, kDataPages)});
  return least == kNoLimit ? std::nullopt : std::optional(least);
}

size_t held_memory_bytes() { return entry_of("/proc/self/status", "RssAnon:").value_or(0) * 1024; }

}  // namespace ebt
