#include <algorithm>
#include <array>
#include <cctype>

#include "ebt/core/error.h"
#include "ebt/data/image/image.h"
#include "ebt/data/image/image_file_formats.h"
#include "ebt/io/file.h"
#include "ebt/io/file_kind.h"

namespace ebt {
namespace {

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

}  // namespace

void check_image_size(int64_t height, int64_t width, const std::string& name,
                      const SizeCheck& check_size) {
  EBT_CHECK(height > 0 && width > 0, "{} has no pixels", name);
  if (check_size) {
    check_size(width, height);
  }
  EBT_CHECK(height <= kMaxImagePixels / width,
            "{} has {} x {} pixels: images of more than {} are not read", name, width, height,
            kMaxImagePixels);
}

void check_plausible_size(int64_t height, int64_t width, double most_per_byte, size_t bytes,
                          const std::string& name) {
  EBT_CHECK(static_cast<double>(height) * static_cast<double>(width) <=
                most_per_byte * static_cast<double>(bytes),
            "{} is truncated or damaged: it has {} bytes for {} x {} pixels", name, bytes, width,
            height);
}

void check_encodable(const Image& image) {
  EBT_CHECK(
      image.height > 0 && image.width > 0 && (image.channels == 1 || image.channels == 3) &&
          image.pixels.size() == static_cast<size_t>(image.height * image.width * image.channels),
      "an image of {} x {} pixels, {} channels and {} values is none", image.width, image.height,
      image.channels, image.pixels.size());
}

Image decode_image(std::string_view bytes, const std::string& name, const SizeCheck& check_size) {
  EBT_CHECK(!bytes.empty(), "{} is empty", name);
  if (bytes.starts_with(kPngSignature)) {
    return decode_png(bytes, name, check_size);
  }
  if (bytes.starts_with(kJpegSignature)) {
    return decode_jpeg(bytes, name, check_size);
  }
  EBT_CHECK(!kPngSignature.starts_with(bytes) && !kJpegSignature.starts_with(bytes),
            "{} is truncated", name);
  if (const FileKind* const kind = recognise_file(bytes); kind != nullptr) {
    fail("{} is {}: only PNG and JPEG are read", name, kind->name);
  }
  fail("{} is neither a PNG nor a JPEG image", name);
}

Image read_image(const std::filesystem::path& path) {
  const MappedFile file(path);
  return decode_image(file.text(), "'" + path.string() + "'");
}

void write_image(const std::filesystem::path& path, const Image& image) {
  const std::string extension = lower_extension(path);
  EBT_CHECK(extension == ".png" || extension == ".jpg" || extension == ".jpeg",
            "cannot write '{}': the name of an image ends in .png, .jpg or .jpeg", path.string());
  std::string bytes;
  try {
    bytes = extension == ".png" ? encode_png(image) : encode_jpeg(image);
  } catch (const Error& error) {
    fail("cannot write '{}': {}", path.string(), error.what());
  }
  write_file_atomically(path, bytes);
}

}  // namespace ebt
