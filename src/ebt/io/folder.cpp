#include "ebt/io/folder.h"

#include <algorithm>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

void append_files(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) {
      continue;
    }
    std::error_code ignored;  // an entry that cannot be examined is neither
    const bool dangling = entry->is_symlink(ignored) && !entry->exists(ignored);
    if (dangling || entry->is_regular_file(ignored)) {
      files.push_back(entry->path());
    } else if (!entry->is_symlink(ignored) && entry->is_directory(ignored)) {
      append_files(entry->path(), files);
    }
  }
  EBT_CHECK(!error, "cannot read folder '{}': {}", folder.string(), error.message());
}

}  // namespace

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  append_files(folder, files);
  std::sort(files.begin(), files.end());
  return files;
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  EBT_CHECK(!error, "cannot make the folder '{}': {}", folder.string(), error.message());
}

bool lies_within(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) {
    return false;
  }
  for (fs::path at = fs::weakly_canonical(fs::absolute(path, ignored), ignored); !at.empty();
       at = at.parent_path()) {
    if (fs::equivalent(at, folder, ignored)) {
      return true;
    }
    if (at == at.parent_path()) {
      break;
    }
  }
  return false;
}

void check_outside(const fs::path& out, const fs::path& data, const char* what) {
  EBT_CHECK(out.empty() || data.empty() || !lies_within(out, data),
            "'{}' lies within the {} '{}', and would become part of it: choose another folder with "
            "--out",
            out.string(), what, data.string());
}

void check_apart(const fs::path& out, const fs::path& data, const char* what) {
  check_outside(out, data, what);
  EBT_CHECK(out.empty() || data.empty() || !lies_within(data, out),
            "the {} '{}' lies within '{}', which is to be written: choose another folder with "
            "--out",
            what, data.string(), out.string());
}

}  // namespace ebt
