// The files of a folder.
#pragma once

#include <filesystem>
#include <vector>

namespace ebt {

// All regular files in the folder and below, in the order of their paths. Hidden files and folders
// are left out. Links to files are followed, links to folders are not: they can lead back. Throws
// Error when a folder cannot be read.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

}  // namespace ebt
