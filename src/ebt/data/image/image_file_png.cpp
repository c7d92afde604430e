// PNG, by libpng. It reports errors by jumping to where setjmp was called last, past everything in
// between. So setjmp is called in functions whose frames hold nothing that has a destructor, and
// these call nothing but libpng.
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>

#include "ebt/core/error.h"
#include "ebt/data/image/exif.h"
#include "ebt/data/image/image.h"
#include "ebt/data/image/image_file_formats.h"

namespace ebt {
namespace {

class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    EBT_CHECK(info_ != nullptr, "libpng {} cannot be used", PNG_LIBPNG_VER_STRING);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  // False: libpng gave up, and `problem` says why. Each is called once, in this order.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_set_read_fn(png_, this, on_read);
    // Sizes are checked here, with a sentence of ours.
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // Damage of the pixels is an error; a chunk beside them that is damaged is passed over. Only
    // what changes pixels is looked at.
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT,
                                reinterpret_cast<png_const_bytep>("eXIf"), 1);
    png_read_info(png_, info_);
    return true;
  }
  // Makes every pixel channels() bytes.
  bool begin_pixels() {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_set_scale_16(png_);
    png_set_expand(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  // `rows`: one pointer a row, to width * channels() bytes.
  bool read_pixels(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  std::string problem(const std::string& name) const {
    return truncated_ ? fmt::format("{} is truncated", name)
                      : fmt::format("{} is damaged: {}", name, message_);
  }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t channels() const { return png_get_channels(png_, info_); }
  size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  int orientation() const {
    png_uint_32 count = 0;
    png_bytep bytes = nullptr;
    return png_get_eXIf_1(png_, info_, &count, &bytes) == 0
               ? 1
               : exif_orientation({reinterpret_cast<const char*>(bytes), count});
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* const reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->message_, sizeof reader->message_, "%s", message);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void on_read(png_structp png, png_bytep out, size_t count) {
    auto* const reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->rest_.size()) {
      reader->truncated_ = true;
      png_error(png, "");
    }
    std::copy_n(reader->rest_.data(), count, reinterpret_cast<char*>(out));
    reader->rest_.remove_prefix(count);
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string_view rest_;
  bool truncated_ = false;
  char message_[200] = "";
};

// Puts the pixels, whose last channel says how opaque they are, on a white page.
void put_on_white(Image& image) {
  const auto channels = static_cast<size_t>(image.channels);
  uint8_t* const pixels = image.pixels.data();
  uint8_t* to = pixels;
  for (size_t at = 0; at < image.pixels.size(); at += channels) {
    const int alpha = pixels[at + channels - 1];
    for (size_t channel = 0; channel + 1 < channels; ++channel) {
      *to++ =
          static_cast<uint8_t>((pixels[at + channel] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  image.pixels.resize(static_cast<size_t>(to - pixels));
  --image.channels;
}

// What is not possible in libpng's own view it calls "Invalid IHDR data", whatever it is.
void check_any_pixels(std::string_view bytes, const std::string& name) {
  constexpr size_t kSize_at = 16;  // behind the signature, and the length and name of the header
  constexpr std::string_view kZero("\0\0\0\0", 4);
  if (bytes.size() >= kSize_at + 8 && bytes.substr(12, 4) == "IHDR") {
    EBT_CHECK(bytes.substr(kSize_at, 4) != kZero && bytes.substr(kSize_at + 4, 4) != kZero,
              "{} has no pixels", name);
  }
}

}  // namespace

Image decode_png(std::string_view bytes, const std::string& name, const SizeCheck& check_size) {
  // The most that deflate can compress.
  constexpr double kMostBytesPerByte = 1032;
  check_any_pixels(bytes, name);
  PngReader reader(bytes);
  EBT_CHECK(reader.read_header(), "{}", reader.problem(name));
  Image image{reader.height(), reader.width(), 0, {}};
  check_image_size(image.height, image.width, name, check_size);
  const double stored_bytes = static_cast<double>(reader.row_bytes()) + 1;
  check_plausible_size(image.height, image.width,
                       kMostBytesPerByte * static_cast<double>(image.width) / stored_bytes,
                       bytes.size(), name);
  EBT_CHECK(reader.begin_pixels(), "{}", reader.problem(name));
  image.channels = reader.channels();
  const auto row_bytes = static_cast<size_t>(image.width * image.channels);
  EBT_CHECK(reader.row_bytes() == row_bytes, "{} is of a kind of PNG that is not supported", name);
  image.pixels.resize(static_cast<size_t>(image.height) * row_bytes);
  std::vector<png_bytep> rows(static_cast<size_t>(image.height));
  for (size_t y = 0; y < rows.size(); ++y) {
    rows[y] = image.pixels.data() + y * row_bytes;
  }
  EBT_CHECK(reader.read_pixels(rows.data()), "{}", reader.problem(name));
  if (image.channels % 2 == 0) {
    put_on_white(image);
  }
  return upright(std::move(image), reader.orientation());
}

std::string encode_png(const Image& image) {
  check_encodable(image);
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  const bool written = png_image_write_to_memory(&header, bytes.data(), &size, 0,
                                                 image.pixels.data(), 0, nullptr) != 0;
  EBT_CHECK(written, "libpng: {}", header.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace ebt
