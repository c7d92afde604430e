// Image files of a folder, of an archive, or of a list.
#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <system_error>

#include "ebt/core/error.h"
#include "ebt/data/image/image_data.h"
#include "ebt/data/image/tar.h"
#include "ebt/io/checksum.h"
#include "ebt/io/compression.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/io/temporary_file.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

// Of an archive, which are read into memory.
constexpr uint64_t kMostFile_bytes = 1 << 30;

bool ends_with_ignoring_case(std::string_view text, std::string_view ending) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return text.size() >= ending.size() &&
         std::equal(ending.begin(), ending.end(), text.end() - static_cast<int64_t>(ending.size()),
                    [&](char b, char a) { return same(a, b); });
}

bool has_image_name(std::string_view path) {
  return ends_with_ignoring_case(path, ".png") || ends_with_ignoring_case(path, ".jpg") ||
         ends_with_ignoring_case(path, ".jpeg");
}

// As in a folder, whose hidden files are not listed: archives made on a Mac hold some beside
// images.
bool is_hidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != path.npos;
}

// A path that stands in an error: on one line, whatever the path.
std::string quoted(std::string path) {
  std::replace_if(
      path.begin(), path.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  return "'" + path + "'";
}

// Files by their own paths.
class LooseFiles : public ImageFiles {
 public:
  // The files are paths[i] in the folder.
  LooseFiles(fs::path folder, std::vector<std::string> paths)
      : folder_(std::move(folder)), paths_(std::move(paths)) {}

  int64_t count() const override { return static_cast<int64_t>(paths_.size()); }
  const std::string& path(int64_t index) const override {
    return paths_[static_cast<size_t>(index)];
  }
  Image read(int64_t index) const override {
    const fs::path path = folder_ / paths_[static_cast<size_t>(index)];
    return decode_image(MappedFile(path).text(), quoted(path.string()));
  }

 private:
  fs::path folder_;
  std::vector<std::string> paths_;
};

class ArchivedFiles : public ImageFiles {
 public:
  ArchivedFiles(std::shared_ptr<const TarFile> archive, std::vector<TarEntry> entries)
      : archive_(std::move(archive)), entries_(std::move(entries)) {}

  int64_t count() const override { return static_cast<int64_t>(entries_.size()); }
  const std::string& path(int64_t index) const override {
    return entries_[static_cast<size_t>(index)].path;
  }
  Image read(int64_t index) const override {
    const TarEntry& entry = entries_[static_cast<size_t>(index)];
    const std::string name =
        fmt::format("{} of '{}'", quoted(entry.path), archive_->path().string());
    EBT_CHECK(!entry.sparse, "{} is stored as a sparse file, which is not supported", name);
    EBT_CHECK(entry.size <= kMostFile_bytes, "{} has {} bytes: files of more than {} are not read",
              name, entry.size, kMostFile_bytes);
    return decode_image(archive_->read(entry), name);
  }

 private:
  std::shared_ptr<const TarFile> archive_;
  std::vector<TarEntry> entries_;
};

// Some of the files of a source.
class SomeFiles : public ImageFiles {
 public:
  SomeFiles(std::shared_ptr<const ImageFiles> all, std::vector<int64_t> chosen)
      : all_(std::move(all)), chosen_(std::move(chosen)) {}

  int64_t count() const override { return static_cast<int64_t>(chosen_.size()); }
  const std::string& path(int64_t index) const override {
    return all_->path(chosen_[static_cast<size_t>(index)]);
  }
  Image read(int64_t index) const override {
    return all_->read(chosen_[static_cast<size_t>(index)]);
  }

 private:
  std::shared_ptr<const ImageFiles> all_;
  std::vector<int64_t> chosen_;
};

// The paths of the images of a folder, as seen from it.
std::vector<std::string> paths_in_folder(const fs::path& folder) {
  std::vector<std::string> paths;
  for (const fs::path& file : files_below(folder)) {
    paths.push_back(file.lexically_relative(folder).generic_string());
  }
  std::erase_if(paths, [](const std::string& path) { return !has_image_name(path); });
  return paths;
}

// Those that a list names, a line each, whatever their names.
std::vector<std::string> paths_in_list(const std::string& list) {
  const MappedFile file(list);
  std::vector<std::string> paths;
  std::string_view rest = file.text();
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.find_first_not_of(" \t") != line.npos) {
      paths.push_back(fs::path(line).lexically_normal().generic_string());
    }
  }
  return paths;
}

// In order, each once, and only those within.
template <class Item, class PathOf>
void select(std::vector<Item>& items, const std::string& within, PathOf&& path_of) {
  std::erase_if(items, [&](const Item& item) { return !path_of(item).starts_with(within); });
  std::sort(items.begin(), items.end(),
            [&](const Item& a, const Item& b) { return path_of(a) < path_of(b); });
  const auto same = [&](const Item& a, const Item& b) { return path_of(a) == path_of(b); };
  items.erase(std::unique(items.begin(), items.end(), same), items.end());
}

std::shared_ptr<const ImageFiles> open_loose(const fs::path& folder, std::vector<std::string> paths,
                                             const std::string& within) {
  select(paths, within, [](const std::string& path) -> const std::string& { return path; });
  return std::make_shared<LooseFiles>(folder, std::move(paths));
}

bool has_archive_name(const std::string& path) {
  return ends_with_ignoring_case(path, ".tar") || ends_with_ignoring_case(path, ".tar.gz") ||
         ends_with_ignoring_case(path, ".tgz") || ends_with_ignoring_case(path, ".tar.zst");
}

// An archive that is compressed, or comes as a stream, is unpacked into a temporary file first.
std::shared_ptr<const TarFile> open_tar(const std::string& path) {
  const DecodedBytes decoded = open_decoded(path);
  const std::string name = source_name(path);
  const bool is_tar = decoded.kind != nullptr && decoded.kind->use == FileUse::kTar;
  EBT_CHECK(is_tar || decoded.kind == nullptr,
            "{} {} {}: name a folder, a .tar, which may be a .gz "
            "or .zst, or a .txt that lists files",
            name, decoded.was_compressed ? "holds" : "is", decoded.kind->name);
  // The oldest kind of tar has no signature.
  EBT_CHECK(
      is_tar || has_archive_name(path),
      "{} is no source of images: name a folder, a .tar, which may be a .gz or .zst, or a .txt "
      "that lists files",
      name);
  if (!decoded.was_compressed && !is_stream(path)) {
    return std::make_shared<TarFile>(RandomAccessFile(path));
  }
  TemporaryFile unpacked;
  read_blocks(*decoded.bytes, name, [&](std::string_view block) { unpacked.write(block); });
  return std::make_shared<TarFile>(RandomAccessFile(unpacked.duplicate(), path));
}

std::shared_ptr<const ImageFiles> open_archive(const std::string& path, const std::string& within) {
  auto archive = open_tar(path);
  std::vector<TarEntry> entries = archive->entries();
  std::erase_if(entries, [](const TarEntry& entry) {
    return !has_image_name(entry.path) || is_hidden(entry.path);
  });
  select(entries, within, [](const TarEntry& entry) -> const std::string& { return entry.path; });
  return std::make_shared<ArchivedFiles>(std::move(archive), std::move(entries));
}

std::shared_ptr<const ImageFiles> open_source(const std::string& data, const std::string& within) {
  std::error_code ignored;  // whatever is wrong with the path, reading it says so
  if (fs::is_directory(data, ignored)) {
    return open_loose(data, paths_in_folder(data), within);
  }
  if (ends_with_ignoring_case(data, ".txt")) {
    return open_loose(fs::path(data).parent_path(), paths_in_list(data), within);
  }
  return open_archive(data, within);
}

std::string_view folder_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) {
    return {};
  }
  path = path.substr(0, slash);
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string_view class_in_name(std::string_view path) {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  const std::string_view stem = file.substr(0, file.rfind('.'));
  return stem.substr(0, stem.find_last_of("_-"));
}

}  // namespace

uint64_t ImageFiles::fingerprint() const {
  Checksum sum;
  for (int64_t i = 0; i < count(); ++i) {
    sum.add(static_cast<uint64_t>(path(i).size()));
    sum.add(std::string_view(path(i)));
  }
  return sum.value();
}

std::shared_ptr<const ImageFiles> open_image_files(const std::string& data,
                                                   const std::string& within) {
  std::shared_ptr<const ImageFiles> files = open_source(data, within);
  EBT_CHECK(files->count() > 0, "'{}' holds no PNG or JPEG file{}", data,
            within.empty() ? "" : " whose path begins with '" + within + "'");
  return files;
}

std::shared_ptr<const ImageFiles> files_within(std::shared_ptr<const ImageFiles> files,
                                               const std::string& within) {
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < files->count(); ++i) {
    if (files->path(i).starts_with(within)) {
      chosen.push_back(i);
    }
  }
  EBT_CHECK(!chosen.empty(), "no image file has a path that begins with '{}'", within);
  return std::make_shared<SomeFiles>(std::move(files), std::move(chosen));
}

std::vector<std::string> image_labels(const ImageFiles& files) {
  std::set<std::string_view> folders;
  for (int64_t i = 0; i < files.count(); ++i) {
    folders.insert(folder_name(files.path(i)));
  }
  const bool by_folder = folders.size() > 1;
  std::vector<std::string> labels;
  labels.reserve(static_cast<size_t>(files.count()));
  for (int64_t i = 0; i < files.count(); ++i) {
    labels.emplace_back(by_folder ? folder_name(files.path(i)) : class_in_name(files.path(i)));
  }
  return labels;
}

}  // namespace ebt
