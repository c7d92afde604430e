// Archives byte by byte, for what the program `tar` does not write.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace ebt::testing {

// Puts the sum of a header's bytes into it.
inline void seal_tar_header(std::string& header) {
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) {
    sum += static_cast<unsigned char>(c);
  }
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  header.replace(148, 7, std::string(text, 6) + '\0');
}

// A header of 512 bytes in the form of ustar.
inline std::string tar_header(const std::string& name, uint64_t size, char kind) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 7, "0000644");
  char text[16];
  std::snprintf(text, sizeof text, "%011llo", static_cast<unsigned long long>(size));
  header.replace(124, 11, text, 11);
  header[156] = kind;
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  seal_tar_header(header);
  return header;
}

// Header and contents.
inline std::string tar_member(const std::string& name, const std::string& bytes, char kind = '0') {
  return tar_header(name, bytes.size(), kind) + bytes +
         std::string((512 - bytes.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace ebt::testing
