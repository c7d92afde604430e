// Folders, and the files in them.
#pragma once

#include <filesystem>
#include <vector>

namespace ebt {

// All regular files in the folder and below, in the order of their paths. Hidden files and folders
// are left out. Links to files are followed, links to folders are not: they can lead back. A link
// to nothing is listed: whoever reads it learns what is missing. Throws Error when a folder cannot
// be read.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

// Makes a folder, and those that lead to it, where they are missing. Throws Error when it cannot.
void make_folder(const std::filesystem::path& folder);

}  // namespace ebt
