// Registry of memory-mapped files, for the error message when one was cut short by others.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ebt {

// Keeps the names of mapped files. Thread-safe.
void remember_mapping(std::span<const std::byte> bytes, const std::string& path);
void forget_mapping(std::span<const std::byte> bytes);

// From here on a mapped file that others cut short ends the program with one sentence and exit code
// 1, where the kernel's signal (SIGBUS) would end it without a word. For programs, to be called
// once.
void tell_of_cut_files();

}  // namespace ebt
