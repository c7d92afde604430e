#include "ebt/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/file_kind.h"
#include "ebt/io/float_elements.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr size_t kLength_bytes = sizeof(uint64_t);
constexpr size_t kMaxHeader_bytes = 100'000'000;
constexpr const char* kMetadataKey = "__metadata__";

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  size_t bytes;
};
constexpr std::array<DtypeInfo, 7> kDtypes = {{{Dtype::kF64, "F64", 8},
                                               {Dtype::kF32, "F32", 4},
                                               {Dtype::kF16, "F16", 2},
                                               {Dtype::kBf16, "BF16", 2},
                                               {Dtype::kI64, "I64", 8},
                                               {Dtype::kI32, "I32", 4},
                                               {Dtype::kU8, "U8", 1}}};

const DtypeInfo& info(Dtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(),
                       [&](const DtypeInfo& entry) { return entry.dtype == dtype; });
}

// A name out of a file, as a message can show it: quoted, escaped, and not longer than a line.
std::string shown(std::string_view name) { return fmt::format("{:?}", name.substr(0, 100)); }

// ---- The header's description of one tensor. `what` names it in messages.

Dtype parse_dtype(const json& value, const std::string& what) {
  EBT_CHECK(value.is_string(), "{} has a dtype that is not a string", what);
  const auto& name = value.get_ref<const std::string&>();
  const auto* const found = std::find_if(
      kDtypes.begin(), kDtypes.end(), [&](const DtypeInfo& entry) { return entry.name == name; });
  EBT_CHECK(found != kDtypes.end(),
            "{} has dtype {}, which is none of F64, F32, F16, BF16, I64, I32, U8", what,
            shown(name));
  return found->dtype;
}

// Also proves that Shape::count() and the size in bytes do not overflow.
Shape parse_shape(const json& value, size_t item_bytes, const std::string& what) {
  EBT_CHECK(value.is_array(), "{} has a shape that is not a list", what);
  EBT_CHECK(value.size() <= Shape::kMaxRank, "{} has {} dimensions, and at most {} are supported",
            what, value.size(), Shape::kMaxRank);
  std::array<int64_t, Shape::kMaxRank> extents{};
  auto bytes = static_cast<int64_t>(item_bytes);
  for (size_t axis = 0; axis < value.size(); ++axis) {
    EBT_CHECK(value[axis].is_number_unsigned(),
              "{} has a shape with an entry that is not a non-negative integer", what);
    const auto extent = value[axis].get<uint64_t>();
    EBT_CHECK(std::in_range<int64_t>(extent) &&
                  !__builtin_mul_overflow(bytes, static_cast<int64_t>(extent), &bytes),
              "{} has a shape whose size overflows", what);
    extents[axis] = static_cast<int64_t>(extent);
  }
  return Shape(std::span<const int64_t>(extents).first(value.size()));
}

// The part of `data` that the tensor claims.
std::span<const std::byte> parse_offsets(const json& value, std::span<const std::byte> data,
                                         const std::string& what) {
  EBT_CHECK(value.is_array() && value.size() == 2 && value[0].is_number_unsigned() &&
                value[1].is_number_unsigned(),
            "{} has data_offsets that are not two non-negative integers", what);
  const auto begin = value[0].get<uint64_t>();
  const auto end = value[1].get<uint64_t>();
  EBT_CHECK(begin <= end, "{} ends at byte {}, before it begins at byte {}", what, end, begin);
  EBT_CHECK(end <= data.size(), "{} ends at byte {}, but the file has only {} bytes of data", what,
            end, data.size());
  return data.subspan(begin, end - begin);
}

StoredTensor parse_tensor(const std::string& name, const json& value,
                          std::span<const std::byte> data, const std::string& what) {
  EBT_CHECK(value.is_object(), "{} is not described by a JSON object", what);
  for (const char* field : {"dtype", "shape", "data_offsets"}) {
    EBT_CHECK(value.contains(field), "{} has no {}", what, field);
  }
  StoredTensor tensor;
  tensor.name = name;
  tensor.dtype = parse_dtype(value["dtype"], what);
  tensor.shape = parse_shape(value["shape"], item_bytes(tensor.dtype), what);
  tensor.bytes = parse_offsets(value["data_offsets"], data, what);
  const size_t needed = static_cast<size_t>(tensor.shape.count()) * item_bytes(tensor.dtype);
  EBT_CHECK(tensor.bytes.size() == needed, "{} has {} bytes, but {} {} needs {}", what,
            tensor.bytes.size(), tensor.shape.to_string(), dtype_name(tensor.dtype), needed);
  return tensor;
}

// ---- Elements, converted one by one: they need not be aligned.

template <class From>
From element(std::span<const std::byte> bytes, int64_t index) {
  From value;
  std::memcpy(&value, bytes.data() + static_cast<size_t>(index) * sizeof(From), sizeof(From));
  return value;
}

template <class From, class To>
void convert_integers(std::span<const std::byte> bytes, Tensor<To> out, const std::string& what) {
  for (int64_t i = 0; i < out.count(); ++i) {
    const From value = element<From>(bytes, i);
    EBT_CHECK(std::in_range<To>(value), "{} holds {}, which does not fit {} bits", what, value,
              8 * sizeof(To));
    out[i] = static_cast<To>(value);
  }
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return info(dtype).name; }

size_t item_bytes(Dtype dtype) { return info(dtype).bytes; }

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path) {
  const std::span<const std::byte> bytes = file_.bytes();
  const std::string name = file_.path().string();
  const FileKind* const kind = recognise_file(file_.text());
  EBT_CHECK(kind == nullptr || kind->use == FileUse::kSafetensors,
            "'{}' is {}, not a safetensors file{}{}", name, kind->name,
            kind->as_weights.empty() ? "" : ": ", kind->as_weights);
  EBT_CHECK(
      bytes.size() >= kLength_bytes,
      "'{}' is not a safetensors file: it has {} bytes, and its header's length alone takes {}",
      name, bytes.size(), kLength_bytes);
  const auto header_bytes = element<uint64_t>(bytes, 0);
  EBT_CHECK(header_bytes <= kMaxHeader_bytes,
            "'{}' is not a safetensors file: its header would have {} bytes, above the limit of {}",
            name, header_bytes, kMaxHeader_bytes);
  EBT_CHECK(header_bytes <= bytes.size() - kLength_bytes,
            "'{}' is truncated: its header has {} bytes, and only {} follow", name, header_bytes,
            bytes.size() - kLength_bytes);
  read_header(file_.text().substr(kLength_bytes, header_bytes),
              bytes.subspan(kLength_bytes + header_bytes));
}

void SafetensorsFile::read_header(std::string_view text, std::span<const std::byte> data) {
  const std::string what = fmt::format("the header of '{}'", file_.path().string());
  EBT_CHECK(text.starts_with('{'), "{} does not begin with '{{'", what);
  const json header = parse_json(text, what);
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey) {
      EBT_CHECK(value.is_object(), "{} has {} that is not an object", what, kMetadataKey);
      for (const auto& [key, entry] : value.items()) {
        EBT_CHECK(entry.is_string(), "{} has metadata {} that is not a string", what, shown(key));
        metadata_[key] = entry.get<std::string>();
      }
    } else {
      tensors_.push_back(parse_tensor(name, value, data, described(name)));
    }
  }
  std::stable_sort(tensors_.begin(), tensors_.end(),
                   [](const StoredTensor& a, const StoredTensor& b) {
                     return std::pair(a.bytes.data(), a.bytes.size()) <
                            std::pair(b.bytes.data(), b.bytes.size());
                   });
  check_layout(data);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    index_[tensors_[i].name] = i;
  }
}

// The format allows neither overlaps nor gaps: the data is the tensors, one after another.
void SafetensorsFile::check_layout(std::span<const std::byte> data) const {
  size_t end = 0;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto begin = static_cast<size_t>(tensors_[i].bytes.data() - data.data());
    EBT_CHECK(begin >= end, "{} overlaps tensor {}", described(tensors_[i].name),
              shown(tensors_[i - 1].name));
    EBT_CHECK(begin == end, "'{}' has bytes {} to {} of its data in no tensor",
              file_.path().string(), end, begin);
    end = begin + tensors_[i].bytes.size();
  }
  EBT_CHECK(end == data.size(), "'{}' has {} bytes after its last tensor", file_.path().string(),
            data.size() - end);
}

std::string SafetensorsFile::described(const std::string& name) const {
  return fmt::format("tensor {} of '{}'", shown(name), file_.path().string());
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  EBT_CHECK(found != metadata_.end(), "'{}' has no metadata {}", file_.path().string(), shown(key));
  return found->second;
}

const StoredTensor& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = index_.find(name);
  EBT_CHECK(found != index_.end(), "'{}' has no tensor {}", file_.path().string(), shown(name));
  return tensors_[found->second];
}

template <class T>
void SafetensorsFile::read(const std::string& name, Tensor<T> out) const {
  const StoredTensor& stored = tensor(name);
  EBT_CHECK(stored.shape == out.shape, "{} is {}, but {} is needed", described(name),
            stored.shape.to_string(), out.shape.to_string());
  if constexpr (std::is_floating_point_v<T>) {
    EBT_CHECK(is_floating_point(stored.dtype), "{} is {}, but floating-point numbers are needed",
              described(name), dtype_name(stored.dtype));
    read_floats(stored, out);
  } else {
    switch (stored.dtype) {
      case Dtype::kI64:
        return convert_integers<int64_t>(stored.bytes, out, described(name));
      case Dtype::kI32:
        return convert_integers<int32_t>(stored.bytes, out, described(name));
      case Dtype::kU8:
        return convert_integers<uint8_t>(stored.bytes, out, described(name));
      default:
        fail("{} is {}, but integers are needed", described(name), dtype_name(stored.dtype));
    }
  }
}

template void SafetensorsFile::read(const std::string&, Tensor<double>) const;
template void SafetensorsFile::read(const std::string&, Tensor<float>) const;
template void SafetensorsFile::read(const std::string&, Tensor<int64_t>) const;
template void SafetensorsFile::read(const std::string&, Tensor<int32_t>) const;
template void SafetensorsFile::read(const std::string&, Tensor<uint8_t>) const;

void SafetensorsWriter::set_metadata(const std::string& key, const std::string& value) {
  metadata_[key] = value;
}

void SafetensorsWriter::add(Entry entry) {
  EBT_CHECK(entry.name != kMetadataKey && names_.insert(entry.name).second,
            "safetensors: the name {} is taken", shown(entry.name));
  entries_.push_back(std::move(entry));
}

void SafetensorsWriter::write(const std::filesystem::path& path) const {
  // Wider types first, so that every tensor is aligned to its own type.
  std::vector<const Entry*> ordered;
  for (const Entry& entry : entries_) {
    ordered.push_back(&entry);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Entry* a, const Entry* b) {
    return item_bytes(a->dtype) > item_bytes(b->dtype);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata_.empty()) {
    header[kMetadataKey] = metadata_;
  }
  size_t offset = 0;
  for (const Entry* entry : ordered) {
    nlohmann::ordered_json shape = nlohmann::ordered_json::array();
    for (int axis = 0; axis < entry->shape.rank(); ++axis) {
      shape.push_back(entry->shape[axis]);
    }
    const size_t end =
        offset + static_cast<size_t>(entry->shape.count()) * item_bytes(entry->dtype);
    header[entry->name] = {{"dtype", dtype_name(entry->dtype)},
                           {"shape", std::move(shape)},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  // Text that is not UTF-8, as a path in the metadata may be, is stored with replacement
  // characters.
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + kLength_bytes - 1) / kLength_bytes * kLength_bytes, ' ');
  EBT_CHECK(text.size() <= kMaxHeader_bytes, "cannot write '{}': its header has {} bytes, above {}",
            path.string(), text.size(), kMaxHeader_bytes);

  AtomicFile file(path);
  const uint64_t header_bytes = text.size();
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(text);
  for (const Entry* entry : ordered) {
    file.write(entry->bytes());
  }
  file.commit();
}

}  // namespace ebt
