// Compressed files, for readers of them.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ebt/core/error.h"
#include "ebt/io/compression.h"

namespace ebt::testing {

// A gzip member.
inline std::string gzip(std::string_view text) {
  constexpr int kGzip = 16;
  z_stream stream{};
  std::string out(text.size() + text.size() / 100 + 200, '\0');
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot be used");
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) {
    throw std::runtime_error("zlib did not finish");
  }
  return out;
}

// The three bytes before a block of a zstd frame (RFC 8878): its type and size, and whether it is
// the last.
inline std::string zstd_block(uint32_t type, uint32_t size, bool last) {
  const uint32_t header = size << 3U | type << 1U | (last ? 1U : 0U);
  return {static_cast<char>(header), static_cast<char>(header >> 8U),
          static_cast<char>(header >> 16U)};
}

// The beginning of a frame of a window of 2^log bytes.
inline std::string zstd_begin(int window_log = 20) {
  return std::string("\x28\xb5\x2f\xfd\x00", 5) + static_cast<char>((window_log - 10) << 3);
}

// A zstd frame that stores the text as it is; at most 128 KiB.
inline std::string zstd(std::string_view text) {
  constexpr uint32_t kRaw = 0;
  return zstd_begin() + zstd_block(kRaw, static_cast<uint32_t>(text.size()), true) +
         std::string(text);
}

// So many blocks of 128 KiB of the same letter, each in four bytes.
inline std::string zstd_bomb(int blocks, char letter) {
  constexpr uint32_t kRepeated = 1;
  std::string frame = zstd_begin();
  for (int block = 0; block < blocks; ++block) {
    frame += zstd_block(kRepeated, 128 * 1024, block + 1 == blocks) + letter;
  }
  return frame;
}

// Whether the program can read zstd at all.
inline bool reads_zstd() {
  try {
    decode_zstd(nullptr, "");
  } catch (const Error&) {
    return false;
  }
  return true;
}

}  // namespace ebt::testing
