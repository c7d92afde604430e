#include "ebt/io/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace ebt {
namespace {

using namespace std::string_view_literals;

struct Signature {
  size_t offset = 0;
  std::string_view bytes;

  bool is_in(std::string_view file) const {
    return file.size() >= offset && file.substr(offset).starts_with(bytes);
  }
};

struct KnownFile {
  FileKind kind;
  Signature first;
  Signature second = {};  // of files that one alone does not tell from text
};

constexpr std::string_view kUnpack = "unpack it first";
constexpr std::string_view kToUtf8 = "convert it to UTF-8, as with 'iconv -t UTF-8'";
constexpr std::string_view kSaveAsText = "save it as plain text";
constexpr std::string_view kExport = "export its text as .jsonl or .csv";
constexpr std::string_view kPullLfs = "fetch the file itself with 'git lfs pull'";
constexpr std::string_view kSaveTensors = "save its tensors by safetensors.torch.save_file";

constexpr FileKind other(std::string_view name, std::string_view as_text = {}) {
  return {name, FileUse::kOther, as_text, {}};
}

constexpr FileKind text(std::string_view name) { return {name, FileUse::kText, {}, {}}; }

constexpr FileKind kSafetensors = {"a safetensors file", FileUse::kSafetensors, {}, {}};
constexpr FileKind kPyTorch = {"a PyTorch checkpoint", FileUse::kOther, {}, kSaveTensors};
constexpr FileKind kBareUtf16 = other("UTF-16 text", kToUtf8);

// The first that fits is meant: what is special stands before what is general.
constexpr std::array kKnownFiles = {
    KnownFile{{"a Git LFS pointer", FileUse::kOther, kPullLfs, kPullLfs},
              {0, "version https://git-lfs.github.com/spec/"sv}},
    // Compressed files and archives.
    KnownFile{{"a gzip file", FileUse::kGzip, kUnpack, kUnpack}, {0, "\x1f\x8b"sv}},
    KnownFile{{"a zstd file", FileUse::kZstd, kUnpack, kUnpack}, {0, "\x28\xb5\x2f\xfd"sv}},
    // A frame to skip, which parallel compressors write first.
    KnownFile{{"a zstd file", FileUse::kZstd, kUnpack, kUnpack}, {1, "\x2a\x4d\x18"sv}},
    KnownFile{other("an xz file", "unpack it, as 'xz -dc FILE | ebt ... --data -' does"),
              {0, "\xfd\x37zXZ\0"sv}},
    KnownFile{other("a bzip2 file", "unpack it, as 'bzip2 -dc FILE | ebt ... --data -' does"),
              {0, "BZh"sv},
              {4, "1AY&SY"sv}},
    KnownFile{other("an lz4 file", "unpack it, as 'lz4 -dc FILE | ebt ... --data -' does"),
              {0, "\x04\x22\x4d\x18"sv}},
    KnownFile{other("a compressed file", kUnpack), {0, "\x1f\x9d"sv}},
    KnownFile{other("a Snappy file", kUnpack), {0, "\xff\x06\0\0sNaPpY"sv}},
    KnownFile{other("an lzip file", kUnpack), {0, "LZIP\x01"sv}},
    KnownFile{other("a 7z archive", kUnpack), {0, "7z\xbc\xaf\x27\x1c"sv}},
    KnownFile{other("a RAR archive", kUnpack), {0, "Rar!\x1a\x07"sv}},
    KnownFile{{"a tar archive", FileUse::kTar, "unpack it: a folder of files is read", kUnpack},
              {257, "ustar"sv}},
    KnownFile{other("an ar archive", kUnpack), {0, "!<arch>\n"sv}},
    KnownFile{other("a cpio archive", kUnpack), {0, "070701"sv}},
    KnownFile{other("an RPM package", kUnpack), {0, "\xed\xab\xee\xdb"sv}},
    KnownFile{other("an Office document", kSaveAsText),
              {0, "PK\x03\x04"sv},
              {30, "[Content_Types].xml"sv}},
    KnownFile{other("an EPUB book", kSaveAsText),
              {0, "PK\x03\x04"sv},
              {30, "mimetypeapplication/epub"sv}},
    KnownFile{other("an OpenDocument file", kSaveAsText),
              {0, "PK\x03\x04"sv},
              {30, "mimetypeapplication/vnd.oasis"sv}},
    KnownFile{other("a zip archive", kUnpack), {0, "PK\x03\x04"sv}},
    KnownFile{other("a zip archive", kUnpack), {0, "PK\x05\x06"sv}},
    // Text that is not UTF-8. The longer marks begin as the shorter do.
    KnownFile{other("UTF-32 text", kToUtf8), {0, "\xff\xfe\0\0"sv}},
    KnownFile{other("UTF-32 text", kToUtf8), {0, "\0\0\xfe\xff"sv}},
    KnownFile{other("UTF-16 text", kToUtf8), {0, "\xff\xfe"sv}},
    KnownFile{other("UTF-16 text", kToUtf8), {0, "\xfe\xff"sv}},
    // Documents and tables.
    KnownFile{other("a PDF document", "extract its text, as with 'pdftotext'"), {0, "%PDF-"sv}},
    KnownFile{other("an RTF document", kSaveAsText), {0, "{\\rtf"sv}},
    KnownFile{other("an old Office document", kSaveAsText), {0, "\xd0\xcf\x11\xe0\xa1\xb1"sv}},
    KnownFile{other("a Parquet file", kExport), {0, "PAR1"sv}},
    KnownFile{other("an Arrow file", kExport), {0, "ARROW1"sv}},
    KnownFile{other("a Feather file", kExport), {0, "FEA1"sv}},
    KnownFile{other("an Arrow stream", kExport), {0, "\xff\xff\xff\xff"sv}, {7, "\0"sv}},
    KnownFile{other("an Avro file", kExport), {0, "Obj\x01"sv}},
    KnownFile{other("an SQLite database", kExport), {0, "SQLite format 3\0"sv}},
    KnownFile{other("an HDF5 file", kExport), {0, "\x89HDF\r\n\x1a\n"sv}},
    KnownFile{other("a NumPy array"), {0, "\x93NUMPY"sv}},
    // Models.
    KnownFile{kPyTorch, {0, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8\x50\x19"sv}},
    KnownFile{{"a Python pickle", FileUse::kOther, {}, kSaveTensors}, {0, "\x80\x02"sv}},
    KnownFile{{"a Python pickle", FileUse::kOther, {}, kSaveTensors}, {0, "\x80\x03"sv}},
    KnownFile{{"a Python pickle", FileUse::kOther, {}, kSaveTensors}, {0, "\x80\x04"sv}},
    KnownFile{{"a Python pickle", FileUse::kOther, {}, kSaveTensors}, {0, "\x80\x05"sv}},
    KnownFile{other("a GGUF file"), {0, "GGUF"sv}, {5, "\0\0\0"sv}},
    KnownFile{other("a shard of prepared data", "name the folder that it lies in"),
              {0, "EBTSHARD"sv}},
    // Images, sound, video.
    KnownFile{other("a PNG image"), {0, kPngSignature}},
    KnownFile{other("a JPEG image"), {0, kJpegSignature}},
    KnownFile{other("a GIF image"), {0, "GIF87a"sv}},
    KnownFile{other("a GIF image"), {0, "GIF89a"sv}},
    KnownFile{other("a WebP image"), {0, "RIFF"sv}, {8, "WEBP"sv}},
    KnownFile{other("a BMP image"), {0, "BM"sv}, {6, "\0\0\0\0"sv}},
    KnownFile{other("a TIFF image"), {0, "II*\0"sv}},
    KnownFile{other("a TIFF image"), {0, "MM\0*"sv}},
    KnownFile{other("an AVIF image"), {4, "ftypavif"sv}},
    KnownFile{other("a HEIF image"), {4, "ftyphe"sv}},
    KnownFile{other("a HEIF image"), {4, "ftypmif1"sv}},
    KnownFile{other("a JPEG 2000 image"), {4, "jP  \r\n"sv}},
    KnownFile{other("a JPEG XL image"), {0, "\xff\x0a"sv}},
    KnownFile{other("a JPEG XL image"), {4, "JXL \r\n"sv}},
    KnownFile{other("a Photoshop image"), {0, "8BPS\0"sv}},
    KnownFile{other("a video"), {4, "ftyp"sv}, {0, "\0\0"sv}},
    KnownFile{other("a video"), {0, "\x1a\x45\xdf\xa3"sv}},
    KnownFile{other("a video"), {0, "RIFF"sv}, {8, "AVI "sv}},
    KnownFile{other("a sound file"), {0, "RIFF"sv}, {8, "WAVE"sv}},
    KnownFile{other("a sound file"), {0, "ID3\x03\0"sv}},
    KnownFile{other("a sound file"), {0, "ID3\x04\0"sv}},
    KnownFile{other("a sound file"), {0, "\xff\xfb"sv}},
    KnownFile{other("a sound file"), {0, "OggS\0"sv}},
    KnownFile{other("a sound file"), {0, "fLaC\0"sv}},
    // Programs.
    KnownFile{other("a program or library"), {0, "\x7f\x45LF"sv}},
    KnownFile{other("a program or library"), {0, "MZ"sv}, {2, "\x90\0\x03\0"sv}},
    KnownFile{other("WebAssembly"), {0, "\0asm"sv}},
    // What people get instead of the file that they asked for.
    KnownFile{text("an SVG image"), {0, "<svg"sv}},
    KnownFile{text("an XML document"), {0, "<?xml"sv}},
    KnownFile{text("an HTML page"), {0, "<!DOCTYPE html"sv}},
    KnownFile{text("an HTML page"), {0, "<!doctype html"sv}},
    KnownFile{text("an HTML page"), {0, "<html"sv}},
};

// The length of a JSON header, of at most 100 MB, and the header. To be asked first: the length
// may look like any other signature.
bool is_safetensors(std::string_view bytes) {
  constexpr uint64_t kMostHeader_bytes = 100'000'000;
  uint64_t header_bytes = 0;
  if (bytes.size() <= sizeof header_bytes) {
    return false;
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  return header_bytes >= 2 && header_bytes <= kMostHeader_bytes && bytes[8] == '{';
}

// A zip archive whose first file is the pickle: its name ends so, whatever the checkpoint is
// called.
bool is_pytorch_zip(std::string_view bytes) {
  constexpr size_t kName_at = 30;
  constexpr size_t kLongestName = 256;
  return bytes.starts_with("PK\x03\x04") && bytes.size() > kName_at &&
         bytes.substr(kName_at, kLongestName).find("/data.pkl") != bytes.npos;
}

// Letters with a zero beside each, without a mark in front.
bool is_bare_utf16(std::string_view bytes) {
  constexpr size_t kLetters = 16;
  if (bytes.size() < 2 * kLetters) {
    return false;
  }
  const auto zeros_at = [&](size_t first) {
    for (size_t i = 0; i < 2 * kLetters; ++i) {
      const bool zero = bytes[i] == '\0';
      if (zero != (i % 2 == first)) {
        return false;
      }
    }
    return true;
  };
  return zeros_at(0) || zeros_at(1);
}

}  // namespace

const FileKind* recognise_file(std::string_view first_bytes) {
  if (is_safetensors(first_bytes)) {
    return &kSafetensors;
  }
  if (is_pytorch_zip(first_bytes)) {
    return &kPyTorch;
  }
  const auto* const known =
      std::find_if(kKnownFiles.begin(), kKnownFiles.end(), [&](const KnownFile& file) {
        return file.first.is_in(first_bytes) && file.second.is_in(first_bytes);
      });
  if (known != kKnownFiles.end()) {
    return &known->kind;
  }
  return is_bare_utf16(first_bytes) ? &kBareUtf16 : nullptr;
}

}  // namespace ebt
