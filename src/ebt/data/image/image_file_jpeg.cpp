// JPEG, by libjpeg-turbo. As with libpng, its errors jump to where setjmp was called last: the
// functions that call it hold nothing that has a destructor.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
// These need what <cstdio> declares.
#include <jerror.h>
#include <jpeglib.h>

#include "ebt/core/error.h"
#include "ebt/data/image/exif.h"
#include "ebt/data/image/image.h"
#include "ebt/data/image/image_file_formats.h"

namespace ebt {
namespace {

// Every scan goes over the whole image again, and may be a few bytes; encoders make ten or so.
constexpr int kMostScans = 100;

// What the library is told to do with errors: remember the sentence, and jump.
struct JumpingErrors {
  jpeg_error_mgr manager;  // first: the library knows the address of this
  jmp_buf jump;
  bool in_header;  // no pixel was decoded yet
  bool truncated;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* const errors = reinterpret_cast<JumpingErrors*>(info->err);
  errors->manager.format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

// The library warns of damage, and goes on with grey. Here damage is an error; these are none, for
// all pixels are decoded as they were stored: headers of other versions, or that contradict the
// kind of file, as those of some cameras do; and filling before the first pixel, or between the
// last and the end.
bool is_harmless(const JumpingErrors& errors) {
  const jpeg_error_mgr& error = errors.manager;
  switch (error.msg_code) {
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION:
      return true;
    case JWRN_EXTRANEOUS_DATA:
      return errors.in_header || error.msg_parm.i[1] == JPEG_EOI;
    default:
      return false;
  }
}

void on_message(j_common_ptr info, int level) {
  auto* const errors = reinterpret_cast<JumpingErrors*>(info->err);
  if (level >= 0 || is_harmless(*errors)) {
    return;
  }
  errors->truncated = info->err->msg_code == JWRN_JPEG_EOF;
  on_error(info);
}

jpeg_error_mgr* use_errors(JumpingErrors& errors) {
  jpeg_error_mgr* const manager = jpeg_std_error(&errors.manager);
  manager->error_exit = on_error;
  manager->emit_message = on_message;
  return manager;
}

void on_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMostScans) {
    auto* const errors = reinterpret_cast<JumpingErrors*>(info->err);
    std::snprintf(errors->message, sizeof errors->message, "it has more than %d scans", kMostScans);
    std::longjmp(errors->jump, 1);
  }
}

class JpegReader {
 public:
  JpegReader() {
    info_.err = use_errors(errors_);
    progress_.progress_monitor = on_progress;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info_); }

  // False: the library gave up, and `problem` says why. Each is called once, in this order.
  bool read_header(std::string_view bytes) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_save_markers(&info_, kExifMarker, 0xFFFF);
    errors_.in_header = true;
    jpeg_read_header(&info_, TRUE);
    errors_.in_header = false;
    return true;
  }
  // `pixels`: height * width * channels() bytes.
  bool read_pixels(uint8_t* pixels) {
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    info_.out_color_space = channels() == 1 ? JCS_GRAYSCALE : channels() == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + static_cast<size_t>(info_.output_scanline) * info_.output_width *
                                  static_cast<size_t>(channels());
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  std::string problem(const std::string& name) const {
    return errors_.truncated ? fmt::format("{} is truncated", name)
                             : fmt::format("{} is damaged: {}", name, errors_.message);
  }
  int64_t width() const { return info_.image_width; }
  int64_t height() const { return info_.image_height; }
  // Stored: 4 are CMYK.
  int64_t channels() const { return info_.num_components; }
  // Whether CMYK is stored as light and not as ink, as Adobe's programs do.
  bool inverted() const { return info_.saw_Adobe_marker != FALSE; }
  bool arithmetic_coding() const { return info_.arith_code != FALSE; }
  // To be asked before pixels are read: the library forgets the markers with the last of them.
  int orientation() const {
    using namespace std::string_view_literals;
    constexpr std::string_view kExif = "Exif\0\0"sv;
    for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const std::string_view text(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (marker->marker == kExifMarker && text.starts_with(kExif)) {
        return exif_orientation(text.substr(kExif.size()));
      }
    }
    return 1;
  }

 private:
  static constexpr int kExifMarker = JPEG_APP0 + 1;

  jpeg_decompress_struct info_{};
  JumpingErrors errors_{};
  jpeg_progress_mgr progress_{};
};

// Where the library puts what it writes: memory that grows, and is freed whatever happens.
struct GrowingBuffer {
  jpeg_destination_mgr manager;  // first: the library knows the address of this
  JOCTET* bytes;
  size_t capacity;
  size_t size;
};

// Doubles the memory, and lets the library write on behind what it wrote.
boolean on_full(j_compress_ptr info) {
  auto* const buffer = reinterpret_cast<GrowingBuffer*>(info->dest);
  const size_t capacity = std::max<size_t>(2 * buffer->capacity, 65536);
  auto* const bytes = static_cast<JOCTET*>(std::realloc(buffer->bytes, capacity));
  if (bytes == nullptr) {
    ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
  }
  // It calls this when all of the memory is used, whatever the manager's counters say.
  const size_t used = buffer->capacity;
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  buffer->manager.next_output_byte = bytes + used;
  buffer->manager.free_in_buffer = capacity - used;
  return TRUE;
}

void on_begin(j_compress_ptr info) { on_full(info); }

void on_end(j_compress_ptr info) {
  auto* const buffer = reinterpret_cast<GrowingBuffer*>(info->dest);
  buffer->size = buffer->capacity - buffer->manager.free_in_buffer;
}

class JpegWriter {
 public:
  JpegWriter() { info_.err = use_errors(errors_); }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&info_);
    std::free(buffer_.bytes);
  }

  bool write(const Image& image) {
    constexpr int kQuality = 95;
    if (setjmp(errors_.jump) != 0) {
      return false;
    }
    jpeg_create_compress(&info_);
    buffer_.manager.init_destination = on_begin;
    buffer_.manager.empty_output_buffer = on_full;
    buffer_.manager.term_destination = on_end;
    info_.dest = &buffer_.manager;
    info_.image_width = static_cast<JDIMENSION>(image.width);
    info_.image_height = static_cast<JDIMENSION>(image.height);
    info_.input_components = static_cast<int>(image.channels);
    info_.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, kQuality, TRUE);
    // Where so few errors are wanted, colour is not to be halved.
    info_.comp_info[0].h_samp_factor = 1;
    info_.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&info_, TRUE);
    while (info_.next_scanline < info_.image_height) {
      // The library does not write to it.
      auto* row = const_cast<JSAMPROW>(image.pixels.data()) +
                  static_cast<size_t>(info_.next_scanline) *
                      static_cast<size_t>(image.width * image.channels);
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
    return true;
  }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(buffer_.bytes), buffer_.size};
  }
  const char* message() const { return errors_.message; }

 private:
  jpeg_compress_struct info_{};
  JumpingErrors errors_{};
  GrowingBuffer buffer_{};
};

// Four channels of ink, or of light where they are inverted, become three of light.
void cmyk_to_rgb(Image& image, bool inverted) {
  const uint8_t flip = inverted ? 0 : 255;
  uint8_t* to = image.pixels.data();
  for (size_t at = 0; at < image.pixels.size(); at += 4) {
    const int black = image.pixels[at + 3] ^ flip;
    for (size_t channel = 0; channel < 3; ++channel) {
      const int light = image.pixels[at + channel] ^ flip;
      *to++ = static_cast<uint8_t>((light * black + 127) / 255);
    }
  }
  image.pixels.resize(image.pixels.size() / 4 * 3);
  image.channels = 3;
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name, const SizeCheck& check_size) {
  // Every block of 8 x 8 pixels takes a bit at least.
  constexpr double kMostPixelsPerByte = 8.0 * 8 * 8;
  JpegReader reader;
  EBT_CHECK(reader.read_header(bytes), "{}", reader.problem(name));
  Image image{reader.height(), reader.width(), reader.channels(), {}};
  check_image_size(image.height, image.width, name, check_size);
  EBT_CHECK(image.channels == 1 || image.channels == 3 || image.channels == 4,
            "{} has {} channels: JPEG images of 1, 3 and 4 are read", name, image.channels);
  EBT_CHECK(!reader.arithmetic_coding(), "{} uses arithmetic coding, which is not supported", name);
  check_plausible_size(image.height, image.width, kMostPixelsPerByte, bytes.size(), name);
  image.pixels.resize(static_cast<size_t>(image.height * image.width * image.channels));
  const int orientation = reader.orientation();
  EBT_CHECK(reader.read_pixels(image.pixels.data()), "{}", reader.problem(name));
  if (image.channels == 4) {
    cmyk_to_rgb(image, reader.inverted());
  }
  return upright(std::move(image), orientation);
}

std::string encode_jpeg(const Image& image) {
  check_encodable(image);
  EBT_CHECK(image.height <= JPEG_MAX_DIMENSION && image.width <= JPEG_MAX_DIMENSION,
            "a JPEG has at most {} pixels a side, not {} x {}", JPEG_MAX_DIMENSION, image.width,
            image.height);
  JpegWriter writer;
  EBT_CHECK(writer.write(image), "libjpeg: {}", writer.message());
  return std::string(writer.bytes());
}

}  // namespace ebt
