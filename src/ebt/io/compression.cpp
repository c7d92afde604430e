#include "ebt/io/compression.h"

#include <utility>

namespace ebt {

DecodedBytes open_decoded(const std::string& path) {
  OpenedBytes opened = open_bytes(path);
  DecodedBytes result;
  result.file_bytes = opened.file_bytes;
  result.bytes = std::make_unique<BufferedBytes>(std::move(opened.stream));
  const auto recognise = [&] { result.kind = recognise_file(result.bytes->peek(kFileKind_bytes)); };
  recognise();
  if (result.kind != nullptr &&
      (result.kind->use == FileUse::kGzip || result.kind->use == FileUse::kZstd)) {
    const auto decode = result.kind->use == FileUse::kGzip ? decode_gzip : decode_zstd;
    result.bytes =
        std::make_unique<BufferedBytes>(decode(std::move(result.bytes), source_name(path)));
    result.was_compressed = true;
    recognise();
  }
  return result;
}

}  // namespace ebt
