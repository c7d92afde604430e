// Detection of a file's type by its first bytes, not by its name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ebt {

// What readers do with a kind of file.
enum class FileUse {
  kOther,        // refuse it
  kGzip,         // decode it
  kZstd,         // likewise
  kTar,          // read its entries, where files are wanted
  kText,         // take it for text, where that is wanted: HTML and its like
  kSafetensors,  // read its tensors
};

struct FileKind {
  std::string_view name;  // "a zip archive"
  FileUse use = FileUse::kOther;
  std::string_view as_text;     // what to do where text is wanted: "unpack it first"; may be empty
  std::string_view as_weights;  // likewise, where safetensors are
};

// So many first bytes tell every kind.
inline constexpr size_t kFileKind_bytes = 512;

// The kind of the file that begins with these bytes, at least kFileKind_bytes of them or all; null
// when it is none that is known, as text is.
const FileKind* recognise_file(std::string_view first_bytes);

inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
inline constexpr std::string_view kJpegSignature = "\xff\xd8\xff";

}  // namespace ebt
