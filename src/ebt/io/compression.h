// Compressed streams, decoded as they are read, by zlib and libzstd.
#pragma once

#include <memory>
#include <string>

#include "ebt/io/byte_stream.h"
#include "ebt/io/file_kind.h"

namespace ebt {

// The decoded bytes of a gzip file of one or more members, or of one or more zstd frames. `name`
// begins error messages. Memory does not depend on how much is decoded; zstd takes as much as its
// window, of which more than 128 MiB is refused. Reading throws Error when the source is truncated
// or damaged.
std::unique_ptr<ByteStream> decode_gzip(std::unique_ptr<ByteStream> source, std::string name);
// Throws Error where the program was built without libzstd.
std::unique_ptr<ByteStream> decode_zstd(std::unique_ptr<ByteStream> source, std::string name);

// A source and what it is. What was compressed is decoded, once: `kind` is that of what `bytes`
// holds then, null where it is none that is known.
struct DecodedBytes {
  std::unique_ptr<BufferedBytes> bytes;
  const FileKind* kind = nullptr;
  bool was_compressed = false;
  uint64_t file_bytes = 0;  // of a regular file as it is stored; else 0
};
// Throws Error as open_bytes does.
DecodedBytes open_decoded(const std::string& path);

}  // namespace ebt
