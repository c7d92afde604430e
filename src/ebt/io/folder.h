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

// Whether a path, which need not exist, leads to the folder or into it, by whatever name: relative,
// through links, or mounted elsewhere.
bool lies_within(const std::filesystem::path& path, const std::filesystem::path& folder);

// Throws Error when a command would write into what it reads: `out` lies within `data`, which
// messages call `what` ("text"). Data without a name are made, not read, and lie nowhere.
void check_outside(const std::filesystem::path& out, const std::filesystem::path& data,
                   const char* what);
// The same, and the other way round: `data` lies within `out`, which is the command's alone.
void check_apart(const std::filesystem::path& out, const std::filesystem::path& data,
                 const char* what);

}  // namespace ebt
