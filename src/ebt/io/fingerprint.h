// Fingerprints of files, to notice that one has changed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ebt {

// 16 hexadecimal digits that, but for a chance of 2^-64, differ between different bytes. They guard
// against accidents, not against forgery.
std::string fingerprint(std::string_view bytes);

// That of a file's bytes. Throws Error as MappedFile does.
std::string file_fingerprint(const std::filesystem::path& path);

}  // namespace ebt
