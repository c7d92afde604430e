#include "ebt/io/npy.h"

#include <array>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\x93NUMPY"sv;
constexpr std::string_view kBlanks = " \t\n";

// What follows a key of the header, a literal of a Python dict: {'descr': '<f4', ...}
std::string_view value_of(std::string_view header, std::string_view key, const std::string& name) {
  const size_t at = header.find(fmt::format("'{}'", key));
  EBT_CHECK(at != header.npos, "'{}' is damaged: its header has no '{}'", name, key);
  std::string_view rest = header.substr(at + key.size() + 2);
  const size_t start = rest.find_first_not_of(kBlanks);
  EBT_CHECK(start != rest.npos && rest[start] == ':',
            "'{}' is damaged: its header does not say its '{}'", name, key);
  rest = rest.substr(start + 1);
  const size_t value = rest.find_first_not_of(kBlanks);
  return value == rest.npos ? std::string_view() : rest.substr(value);
}

Dtype dtype_of(std::string_view descr, const std::string& name) {
  if (descr.starts_with("'<f4'")) {
    return Dtype::kF32;
  }
  if (descr.starts_with("'<f8'")) {
    return Dtype::kF64;
  }
  const std::string_view type = descr.substr(0, descr.find_first_of(",}")).substr(0, 40);
  EBT_CHECK(descr.starts_with("'<f2'"),
            "'{}' holds elements of type {:?}, and not little-endian float16, float32 or float64",
            name, type);
  return Dtype::kF16;
}

Shape shape_of(std::string_view tuple, size_t item_bytes, const std::string& name) {
  const size_t end = tuple.find(')');
  EBT_CHECK(tuple.starts_with('(') && end != tuple.npos,
            "'{}' is damaged: its shape is not a tuple", name);
  tuple = tuple.substr(1, end - 1);
  std::vector<int64_t> extents;
  auto bytes = static_cast<int64_t>(item_bytes);
  for (size_t at = tuple.find_first_not_of(", \t"); at != tuple.npos;
       at = tuple.find_first_not_of(", \t")) {
    tuple = tuple.substr(at);
    int64_t extent = -1;
    const auto [rest, error] = std::from_chars(tuple.data(), tuple.data() + tuple.size(), extent);
    EBT_CHECK(error == std::errc() && extent >= 0 && !__builtin_mul_overflow(bytes, extent, &bytes),
              "'{}' is damaged: its shape has an extent that is no number, or too large", name);
    extents.push_back(extent);
    tuple = tuple.substr(static_cast<size_t>(rest - tuple.data()));
  }
  EBT_CHECK(extents.size() <= Shape::kMaxRank,
            "'{}' has {} dimensions, and at most {} are supported", name, extents.size(),
            Shape::kMaxRank);
  return Shape(std::span<const int64_t>(extents));
}

}  // namespace

NpyFile::NpyFile(const std::filesystem::path& path) : file_(path) {
  const std::string name = path.string();
  const std::string_view text = file_.text();
  EBT_CHECK(text.starts_with(kMagic) && text.size() >= 10, "'{}' is not a .npy file", name);
  const auto byte = [&](size_t at) { return static_cast<size_t>(static_cast<uint8_t>(text[at])); };
  const size_t version = byte(6);
  EBT_CHECK(version >= 1 && version <= 3,
            "'{}' is of version {} of the .npy format, and this program reads 1 to 3", name,
            version);
  const size_t begin = version == 1 ? 10 : 12;
  EBT_CHECK(text.size() >= begin, "'{}' is truncated: its header is not complete", name);
  const size_t length =
      byte(8) + (byte(9) << 8U) + (version == 1 ? 0 : (byte(10) << 16U) + (byte(11) << 24U));
  EBT_CHECK(text.size() - begin >= length,
            "'{}' is truncated: its header has {} bytes, and only {} follow", name, length,
            text.size() - begin);
  const std::string_view header = text.substr(begin, length);
  array_.dtype = dtype_of(value_of(header, "descr", name), name);
  EBT_CHECK(value_of(header, "fortran_order", name).starts_with("False"),
            "'{}' holds an array in Fortran order: save it in C order", name);
  array_.shape = shape_of(value_of(header, "shape", name), item_bytes(array_.dtype), name);
  array_.bytes = file_.bytes().subspan(begin + length);
  const size_t needed = static_cast<size_t>(array_.shape.count()) * item_bytes(array_.dtype);
  EBT_CHECK(array_.bytes.size() == needed, "'{}' is {}: {} {} takes {} bytes, and {} follow", name,
            array_.bytes.size() < needed ? "truncated" : "damaged", array_.shape.to_string(),
            dtype_name(array_.dtype), needed, array_.bytes.size());
}

}  // namespace ebt
