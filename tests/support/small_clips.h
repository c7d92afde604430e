// Small clips of frames for tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace ebt::testing {

// The bytes of a .npy file of version 1.
inline std::string npy_bytes(const std::string& descr, const std::string& shape,
                             const std::string& data, const std::string& fortran = "False") {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  header.resize((header.size() + 10) / 64 * 64 + 64 - 10 - 1, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  return bytes + header + data;
}

template <class Number>
std::string bytes_of_numbers(const std::vector<Number>& numbers) {
  std::string bytes(numbers.size() * sizeof(Number), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

// (T, D): pairs of numbers on circles, each turning by an angle of its own; `phase` tells clips
// apart.
inline std::vector<float> rotating_frames(int64_t frames, int64_t width, double phase) {
  std::vector<float> values;
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t pair = 0; pair < width / 2; ++pair) {
      const double angle = phase * static_cast<double>(pair + 1) +
                           0.4 * static_cast<double>(t) * (1.0 + 0.5 * static_cast<double>(pair));
      values.push_back(static_cast<float>(std::cos(angle)));
      values.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return values;
}

// A folder `name` of `count` such clips, one a .npy file.
inline std::string rotating_clips(const TemporaryFolder& folder, const std::string& name,
                                  int64_t count, int64_t frames, int64_t width) {
  std::filesystem::create_directories(folder.file(name));
  const std::string shape = "(" + std::to_string(frames) + ", " + std::to_string(width) + ")";
  for (int64_t clip = 0; clip < count; ++clip) {
    folder.write(
        name + "/" + std::to_string(clip) + ".npy",
        npy_bytes("<f4", shape,
                  bytes_of_numbers(rotating_frames(frames, width, static_cast<double>(clip)))));
  }
  return folder.file(name);
}

}  // namespace ebt::testing
