#include "ebt/data/image/tar.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr uint64_t kBlock_bytes = 512;
// Of what describes a file: a name, or a pax header.
constexpr uint64_t kMostDescription_bytes = 1 << 20;
constexpr uint64_t kMostPath_bytes = 4096;

using Block = std::array<char, kBlock_bytes>;

// The bytes of a field of a header.
std::string_view field(const Block& block, size_t begin, size_t size) {
  return std::string_view(block.data() + begin, size);
}

// Those up to the first zero.
std::string_view text_field(const Block& block, size_t begin, size_t size) {
  const std::string_view bytes = field(block, begin, size);
  return bytes.substr(0, bytes.find('\0'));
}

// Octal digits or, where the first bit is set, GNU's binary number. None: it is neither, or
// negative, or above 2^62.
std::optional<uint64_t> parse_number(std::string_view bytes) {
  constexpr uint64_t kMost = uint64_t{1} << 62U;
  const auto first = static_cast<unsigned char>(bytes[0]);
  uint64_t value = 0;
  if ((first & 0x80U) != 0) {
    value = first & 0x7FU;
    for (const char c : bytes.substr(1)) {
      if (value > kMost >> 8U) {
        return std::nullopt;
      }
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return value;
  }
  bytes = bytes.substr(0, bytes.find('\0'));
  bytes.remove_prefix(std::min(bytes.find_first_not_of(' '), bytes.size()));
  bytes = bytes.substr(0, bytes.find(' '));
  for (const char c : bytes) {
    if (c < '0' || c > '7') {
      return std::nullopt;
    }
    value = value << 3U | static_cast<uint64_t>(c - '0');
  }
  return value;
}

// The sum of a header's bytes, its own field read as spaces. Old programs took them with signs.
bool checksum_is_right(const Block& header) {
  constexpr size_t kSum_at = 148;
  constexpr size_t kSum_size = 8;
  int64_t plain = 0;
  int64_t with_signs = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kSum_at && i < kSum_at + kSum_size;
    plain += own ? ' ' : static_cast<unsigned char>(header[i]);
    with_signs += own ? ' ' : static_cast<signed char>(header[i]);
  }
  const std::optional<uint64_t> stated = parse_number(field(header, kSum_at, kSum_size));
  return stated &&
         (*stated == static_cast<uint64_t>(plain) || static_cast<int64_t>(*stated) == with_signs);
}

// What headers before a file's own say about it.
struct Description {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<uint64_t> size;
  bool sparse = false;
};

std::optional<uint64_t> parse_decimal(std::string_view digits) {
  constexpr size_t kMostDigits = 18;  // below 2^62
  if (digits.empty() || digits.size() > kMostDigits) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = 10 * value + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// Records "LENGTH KEY=VALUE\n", where LENGTH counts all of the record. False: they are not.
bool parse_pax(std::string_view records, Description& description) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    const std::optional<uint64_t> length =
        parse_decimal(records.substr(0, space == records.npos ? 0 : space));
    if (!length || *length > records.size() || *length < space + 2 ||
        records[*length - 1] != '\n') {
      return false;
    }
    const std::string_view record = records.substr(space + 1, *length - space - 2);
    const size_t equals = record.find('=');
    if (equals == record.npos) {
      return false;
    }
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key == "path") {
      description.path = value;
    } else if (key == "linkpath") {
      description.link = value;
    } else if (key == "size") {
      description.size = parse_decimal(value);
      if (!description.size) {
        return false;
      }
    } else if (key.starts_with("GNU.sparse.")) {
      description.sparse = true;
    }
    records.remove_prefix(*length);
  }
  return true;
}

// Without what stands for the folder that was packed, or for the root.
std::string clean_path(std::string_view path) {
  while (path.starts_with('/') || path.starts_with("./")) {
    path.remove_prefix(path[0] == '/' ? 1 : 2);
  }
  return std::string(path);
}

// Walks over the headers of an archive.
class TarIndexer {
 public:
  explicit TarIndexer(const RandomAccessFile& file)
      : file_(file), name_("'" + file.path().string() + "'") {}

  std::vector<TarEntry> entries() {
    while (next()) {
    }
    const auto by_path = [](const TarEntry& a, const TarEntry& b) { return a.path < b.path; };
    std::stable_sort(entries_.begin(), entries_.end(), by_path);
    add_links();
    std::stable_sort(entries_.begin(), entries_.end(), by_path);
    // The last of each path came last.
    const auto same = [](const TarEntry& a, const TarEntry& b) { return a.path == b.path; };
    entries_.erase(entries_.begin(), std::unique(entries_.rbegin(), entries_.rend(), same).base());
    return std::move(entries_);
  }

 private:
  // Reads the header at at_ and passes over what belongs to it. False: it is the mark of the end.
  bool next() {
    const uint64_t header_at = at_;
    const Block header = read_block();
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) {
      return false;
    }
    if (!checksum_is_right(header)) {
      EBT_CHECK(header_at != 0, "{} is no tar archive", name_);
      fail("{} is damaged: the header at byte {} has another checksum", name_, header_at);
    }
    const std::optional<uint64_t> stated_size = parse_number(field(header, 124, 12));
    EBT_CHECK(stated_size, "{} is damaged: the header at byte {} has no size", name_, header_at);
    take(header, *stated_size);
    return true;
  }

  void take(const Block& header, uint64_t size) {
    const char kind = header[156];
    switch (kind) {
      case 'L':
        next_.path = text_up_to_zero(read_description(size));
        return;
      case 'K':
        next_.link = text_up_to_zero(read_description(size));
        return;
      case 'x':
        EBT_CHECK(parse_pax(read_description(size), next_),
                  "{} is damaged: the pax header before byte {} cannot be read", name_, at_);
        return;
      case 'g':  // of all files that follow: comments, mostly, and nothing that names a file
        pass_over(size);
        return;
      default:
        break;
    }
    const Description description = std::exchange(next_, {});
    const std::string path = clean_path(description.path ? *description.path : own_path(header));
    EBT_CHECK(path.size() <= kMostPath_bytes, "{} holds a path of {} bytes", name_, path.size());
    if (kind == '1') {
      links_.emplace_back(
          path, clean_path(description.link ? *description.link : text_field(header, 157, 100)));
      return;
    }
    if (kind >= '2' && kind <= '6') {  // links, devices, folders: no bytes, whatever the size says
      return;
    }
    if (kind == 'S') {
      pass_over_sparse_map(header);
    }
    const uint64_t begin = at_;
    const uint64_t file_size = description.size.value_or(size);
    pass_over(file_size);
    const bool is_file = kind == '0' || kind == '\0' || kind == '7' || kind == 'S';
    if (is_file && !path.empty() && !path.ends_with('/')) {
      entries_.push_back({path, begin, file_size, kind == 'S' || description.sparse});
    }
  }

  // A hard link is another path of a file of the archive. The entries are sorted.
  void add_links() {
    const size_t count = entries_.size();
    for (auto& [path, target] : links_) {
      const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(count);
      const auto after = std::upper_bound(
          entries_.begin(), end, target,
          [](const std::string& wanted, const TarEntry& entry) { return wanted < entry.path; });
      if (after != entries_.begin() && std::prev(after)->path == target) {
        TarEntry entry = *std::prev(after);
        entry.path = path;
        entries_.push_back(std::move(entry));
      }
    }
  }

  // ustar keeps the beginning of a long path apart.
  static std::string own_path(const Block& header) {
    constexpr std::string_view kUstar("ustar\0", 6);
    std::string path(text_field(header, 0, 100));
    const std::string_view prefix = text_field(header, 345, 155);
    if (field(header, 257, 6) == kUstar && !prefix.empty()) {
      path = std::string(prefix) + "/" + path;
    }
    return path;
  }

  static std::string text_up_to_zero(const std::string& text) {
    return text.substr(0, text.find('\0'));
  }

  std::string read_description(uint64_t size) {
    EBT_CHECK(size <= kMostDescription_bytes, "{} is damaged: it has a name of {} bytes", name_,
              size);
    const uint64_t begin = at_;
    pass_over(size);
    std::string text(static_cast<size_t>(size), '\0');
    file_.read(begin, text);
    return text;
  }

  void pass_over_sparse_map(const Block& header) {
    bool more = header[482] != '\0';
    while (more) {
      more = read_block()[504] != '\0';
    }
  }

  Block read_block() {
    EBT_CHECK(at_ != 0 || file_.size() != 0, "{} is empty", name_);
    EBT_CHECK(at_ != 0 || file_.size() >= kBlock_bytes, "{} is no tar archive", name_);
    EBT_CHECK(at_ <= file_.size() && file_.size() - at_ >= kBlock_bytes,
              "{} is truncated: its end is missing", name_);
    Block block;
    file_.read(at_, block);
    at_ += kBlock_bytes;
    return block;
  }

  // Contents fill whole blocks.
  void pass_over(uint64_t size) {
    EBT_CHECK(size <= file_.size() - at_, "{} is truncated: its end is missing", name_);
    at_ += (size + kBlock_bytes - 1) / kBlock_bytes * kBlock_bytes;
  }

  const RandomAccessFile& file_;
  std::string name_;
  uint64_t at_ = 0;  // never above the file's size by a block or more
  Description next_;
  std::vector<TarEntry> entries_;
  std::vector<std::pair<std::string, std::string>> links_;  // path, path of the file
};

}  // namespace

TarFile::TarFile(RandomAccessFile file)
    : file_(std::move(file)), entries_(TarIndexer(file_).entries()) {}

std::string TarFile::read(const TarEntry& entry) const {
  EBT_CHECK(!entry.sparse, "it is stored as a sparse file, which is not supported");
  std::string bytes(static_cast<size_t>(entry.size), '\0');
  file_.read(entry.offset, bytes);
  return bytes;
}

}  // namespace ebt
