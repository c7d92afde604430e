#include "ebt/io/file_kind.h"

#include <gtest/gtest.h>

#include <string>

namespace ebt {
namespace {

using namespace std::string_view_literals;

std::string_view kind_of(std::string_view bytes) {
  const FileKind* const kind = recognise_file(bytes);
  return kind == nullptr ? "none" : kind->name;
}

TEST(FileKind, IsToldByTheFirstBytes) {
  EXPECT_EQ(kind_of("\x1f\x8b\x08\0"sv), "a gzip file");
  EXPECT_EQ(kind_of("\x28\xb5\x2f\xfd\0"sv), "a zstd file");
  EXPECT_EQ(kind_of("\x50\x2a\x4d\x18\0\0\0\0"sv), "a zstd file");
  EXPECT_EQ(kind_of("\xfd\x37zXZ\0\0\4"sv), "an xz file");
  EXPECT_EQ(kind_of("BZh91AY&SY...."sv), "a bzip2 file");
  EXPECT_EQ(kind_of("PK\x03\x04\x14\0\0\0"sv), "a zip archive");
  EXPECT_EQ(kind_of("7z\xbc\xaf\x27\x1c\0"sv), "a 7z archive");
  EXPECT_EQ(kind_of(std::string(257, '\0') + "ustar"), "a tar archive");
  EXPECT_EQ(kind_of("PAR1\x15\x04"sv), "a Parquet file");
  EXPECT_EQ(kind_of("ARROW1\0\0"sv), "an Arrow file");
  EXPECT_EQ(kind_of("\xff\xff\xff\xff\x10\x02\0\0"sv), "an Arrow stream");
  EXPECT_EQ(kind_of("SQLite format 3\0"sv), "an SQLite database");
  EXPECT_EQ(kind_of("\x89HDF\r\n\x1a\n"sv), "an HDF5 file");
  EXPECT_EQ(kind_of("\x93NUMPY\x01\0"sv), "a NumPy array");
  EXPECT_EQ(kind_of("%PDF-1.7\n"sv), "a PDF document");
  EXPECT_EQ(kind_of("\xff\xfeh\0i\0"sv), "UTF-16 text");
  EXPECT_EQ(kind_of("\xfe\xff\0h\0i"sv), "UTF-16 text");
  EXPECT_EQ(kind_of("\xff\xfe\0\0h\0\0\0"sv), "UTF-32 text");
  EXPECT_EQ(kind_of("\0\0\xfe\xff\0\0\0h"sv), "UTF-32 text");
  EXPECT_EQ(kind_of("\x89PNG\r\n\x1a\n"sv), "a PNG image");
  EXPECT_EQ(kind_of("\xff\xd8\xff\xe0"sv), "a JPEG image");
  EXPECT_EQ(kind_of("\x7f\x45LF\2\1\1"sv), "a program or library");
  EXPECT_EQ(kind_of("\x80\x04\x95\0"sv), "a Python pickle");
  EXPECT_EQ(kind_of("GGUF\3\0\0\0"sv), "a GGUF file");
  EXPECT_EQ(kind_of("EBTSHARD\1\0\0\0"sv), "a shard of prepared data");
  EXPECT_EQ(kind_of("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
            "a Git LFS pointer");
}

TEST(FileKind, OfZipsIsToldByWhatTheyHold) {
  const std::string zip = std::string("PK\x03\x04") + std::string(26, 'x');
  EXPECT_EQ(kind_of(zip + "archive/data.pkl"), "a PyTorch checkpoint");
  EXPECT_EQ(kind_of(zip + "my_model/data.pkl"), "a PyTorch checkpoint");
  EXPECT_EQ(kind_of(zip + "[Content_Types].xml"), "an Office document");
  EXPECT_EQ(kind_of(zip + "mimetypeapplication/epub+zip"), "an EPUB book");
}

TEST(FileKind, OfUtf16WithoutAMarkIsToldByItsZeros) {
  std::string low;
  std::string high;
  for (const char c : std::string("plain letters of one byte")) {
    (low += c) += '\0';
    (high += '\0') += c;
  }
  EXPECT_EQ(kind_of(low), "UTF-16 text");
  EXPECT_EQ(kind_of(high), "UTF-16 text");
  EXPECT_EQ(kind_of(std::string(64, '\0')), "none");
}

TEST(FileKind, OfTextIsNone) {
  for (const std::string_view text :
       {""sv, "P"sv, "BMW makes cars"sv, "BZh is no signature alone"sv, "GIF8 or GIF9"sv,
        "MZ was a man"sv, "RIFF is a word"sv, "ID3 tags"sv, "GGUF files"sv, "\xEF\xBB\xBFtext"sv,
        "{\"text\": 1}"sv, "ORCHARD"sv, "Obj"sv, "PK"sv, "\x80uro"sv}) {
    EXPECT_EQ(kind_of(text), "none") << text;
  }
}

// Its length may look like any signature.
TEST(FileKind, OfSafetensorsIsAskedFirst) {
  EXPECT_EQ(kind_of("\x10\0\0\0\0\0\0\0{\"a\": 1}"sv), "a safetensors file");
  EXPECT_EQ(kind_of("\x1f\x8b\x08\0\0\0\0\0{"sv), "a safetensors file");
  EXPECT_EQ(kind_of("PK\x03\x04\0\0\0\0{"sv), "a safetensors file");
}

TEST(FileKind, OfMarkupMayBeText) {
  EXPECT_EQ(recognise_file("<!DOCTYPE html><html>")->use, FileUse::kText);
  EXPECT_EQ(recognise_file("<?xml version=\"1.0\"?>")->use, FileUse::kText);
}

}  // namespace
}  // namespace ebt
