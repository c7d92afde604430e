// Image files of all kinds, by the libraries themselves: what write_image never makes, and cameras,
// scanners and other programs do. A failure of the libraries ends the test program.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>
// These need what <cstdio> declares.
#include <jpeglib.h>
#include <png.h>

namespace ebt::testing {

struct PngKind {
  int bits = 8;
  int colour_type = PNG_COLOR_TYPE_RGB;
  bool interlaced = false;
  std::vector<png_color> palette = {};
  std::vector<uint8_t> palette_alpha = {};
  std::string exif = {};  // the TIFF block
};

// `rows` holds the file's own bytes: packed below 8 bits, big-endian at 16.
inline std::string make_png(uint32_t height, uint32_t width, std::string rows,
                            const PngKind& kind) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp writer, png_bytep bytes, size_t count) {
        static_cast<std::string*>(png_get_io_ptr(writer))
            ->append(reinterpret_cast<const char*>(bytes), count);
      },
      nullptr);
  png_set_IHDR(png, info, width, height, kind.bits, kind.colour_type,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!kind.palette.empty()) {
    png_set_PLTE(png, info, kind.palette.data(), static_cast<int>(kind.palette.size()));
  }
  if (!kind.palette_alpha.empty()) {
    png_set_tRNS(png, info, kind.palette_alpha.data(), static_cast<int>(kind.palette_alpha.size()),
                 nullptr);
  }
  std::string exif = kind.exif;
  if (!exif.empty()) {
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()),
                   reinterpret_cast<png_bytep>(exif.data()));
  }
  png_write_info(png, info);
  std::vector<png_bytep> pointers(height);
  for (size_t y = 0; y < height; ++y) {
    pointers[y] = reinterpret_cast<png_bytep>(rows.data()) + y * png_get_rowbytes(png, info);
  }
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

struct JpegKind {
  J_COLOR_SPACE pixels = JCS_RGB;  // what the rows hold
  J_COLOR_SPACE stored = JCS_YCbCr;
  int channels = 3;
  int quality = 90;
  bool progressive = false;
  bool arithmetic = false;
  int restart_interval = 0;
  std::string exif = {};                   // the TIFF block
  std::vector<jpeg_scan_info> scans = {};  // other than the library's own
};

inline std::string make_jpeg(uint32_t height, uint32_t width, std::string rows,
                             const JpegKind& kind) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the library's type
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_height = height;
  info.image_width = width;
  info.input_components = kind.channels;
  info.in_color_space = kind.pixels;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, kind.stored);
  jpeg_set_quality(&info, kind.quality, TRUE);
  info.arith_code = kind.arithmetic ? TRUE : FALSE;
  info.restart_interval = static_cast<unsigned>(kind.restart_interval);
  if (kind.progressive) {
    jpeg_simple_progression(&info);
  }
  if (!kind.scans.empty()) {
    info.scan_info = kind.scans.data();
    info.num_scans = static_cast<int>(kind.scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (!kind.exif.empty()) {
    const std::string marker = std::string("Exif\0\0", 6) + kind.exif;
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(marker.data()),
                      static_cast<unsigned>(marker.size()));
  }
  while (info.next_scanline < height) {
    auto* row = reinterpret_cast<JSAMPROW>(rows.data()) + static_cast<size_t>(info.next_scanline) *
                                                              width *
                                                              static_cast<size_t>(kind.channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string out(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&info);
  std::free(bytes);
  return out;
}

// Exif data that say nothing but the orientation.
inline std::string exif_with_orientation(int orientation, bool big_endian) {
  std::string exif;
  const auto add = [&](uint32_t value, int count) {
    for (int i = 0; i < count; ++i) {
      exif +=
          static_cast<char>(value >> 8U * static_cast<unsigned>(big_endian ? count - 1 - i : i));
    }
  };
  exif = big_endian ? "MM" : "II";
  add(42, 2);
  add(8, 4);
  add(2, 2);  // entries
  for (const auto& [tag, value] :
       {std::pair<uint32_t, uint32_t>{0x0106, 2}, {0x0112, static_cast<uint32_t>(orientation)}}) {
    add(tag, 2);
    add(3, 2);
    add(1, 4);
    add(value, 2);
    add(0, 2);
  }
  add(0, 4);
  return exif;
}

// ---- The chunks of a PNG, for damage that its checksums do not give away.

inline uint32_t png_checksum(const std::string& bytes) {
  uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1U ^ (0xEDB88320U & (0U - (crc & 1U)));
    }
  }
  return ~crc;
}

inline std::string big_endian(uint32_t value) {
  std::string bytes;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    bytes += static_cast<char>(value >> (shift - 8));
  }
  return bytes;
}

// Makes the checksums right again, as far as lengths lead through the file.
inline void repair_png(std::string& png) {
  for (size_t at = 8; at + 12 <= png.size();) {
    uint32_t length = 0;
    for (size_t i = 0; i < 4; ++i) {
      length = length << 8U | static_cast<unsigned char>(png[at + i]);
    }
    if (length > png.size() - at - 12) {
      return;
    }
    png.replace(at + 8 + length, 4, big_endian(png_checksum(png.substr(at + 4, 4 + length))));
    at += 12 + length;
  }
}

// Changes what the header says of the size.
inline void set_png_size(std::string& png, uint32_t height, uint32_t width) {
  png.replace(16, 8, big_endian(width) + big_endian(height));
  repair_png(png);
}

inline void set_jpeg_size(std::string& jpeg, uint16_t height, uint16_t width) {
  size_t frame = jpeg.find("\xff\xc0");
  if (frame == std::string::npos) {
    frame = jpeg.find("\xff\xc2");
  }
  jpeg.replace(frame + 5, 4, big_endian(static_cast<uint32_t>(height) << 16U | width));
}

}  // namespace ebt::testing
