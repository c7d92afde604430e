// Image files of folders, archives and lists.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "ebt/data/image/image_data.h"
#include "ebt/io/file.h"
#include "tests/support/compressor.h"
#include "tests/support/error_text.h"
#include "tests/support/tar_builder.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::tar_end;
using testing::tar_member;
using testing::TemporaryFolder;
using Paths = std::vector<std::string>;

Paths paths_of(const ImageFiles& files) {
  Paths paths;
  for (int64_t i = 0; i < files.count(); ++i) {
    paths.push_back(files.path(i));
  }
  return paths;
}

Paths paths_of(const std::string& data, const std::string& within = "") {
  return paths_of(*open_image_files(data, within));
}

std::string opening_error(const std::string& data, const std::string& within = "") {
  return error_text([&] { open_image_files(data, within); });
}

// A grey image of one pixel.
std::string dot(uint8_t level) { return encode_png({1, 1, 1, {level}}); }

TEST(ImageFolder, ListsPngAndJpegFilesBelowItInOrder) {
  const TemporaryFolder folder;
  for (const char* name : {"b.png", "a/2.JPG", "a/1.jpeg", "a/b/c.Png", "notes.txt", "x.gif",
                           ".hidden.png", ".git/x.png", "png", "a/jpg"}) {
    folder.write(name, dot(5));
  }
  const Paths expected = {"a/1.jpeg", "a/2.JPG", "a/b/c.Png", "b.png"};
  EXPECT_EQ(paths_of(folder.path().string()), expected);
  EXPECT_EQ(paths_of(folder.path().string() + "/"), expected);
  EXPECT_EQ(paths_of(folder.path().string(), "a/"), (Paths{"a/1.jpeg", "a/2.JPG", "a/b/c.Png"}));
  EXPECT_EQ(paths_of(folder.path().string(), "a/b"), (Paths{"a/b/c.Png"}));
  EXPECT_EQ(open_image_files(folder.path().string(), "")->read(2).pixels, std::vector<uint8_t>{5});
}

TEST(ImageFolder, WithoutImagesIsRefused) {
  const TemporaryFolder folder;
  folder.write("notes.txt", "text");
  const std::string path = folder.path().string();
  EXPECT_EQ(opening_error(path), "'" + path + "' holds no PNG or JPEG file");
  folder.write("a/x.png", dot(1));
  EXPECT_EQ(opening_error(path, "b/"),
            "'" + path + "' holds no PNG or JPEG file whose path begins with 'b/'");
}

TEST(ImageArchive, IsReadAsAFolderIs) {
  const TemporaryFolder folder;
  const std::string tar = folder.write(
      "x.tar", tar_member("b.png", dot(1)) + tar_member("./a/1.jpg", dot(2)) +
                   tar_member("._b.png", "of a Mac") + tar_member("a/._1.jpg", "of a Mac") +
                   tar_member("readme", "text") + tar_member("a/bad.png", "no image") + tar_end());
  EXPECT_EQ(paths_of(tar), (Paths{"a/1.jpg", "a/bad.png", "b.png"}));
  EXPECT_EQ(paths_of(tar, "a/"), (Paths{"a/1.jpg", "a/bad.png"}));
  const auto files = open_image_files(tar, "");
  EXPECT_EQ(files->read(0).pixels, std::vector<uint8_t>{2});
  EXPECT_EQ(files->read(2).pixels, std::vector<uint8_t>{1});
  EXPECT_EQ(error_text([&] { files->read(1); }),
            "'a/bad.png' of '" + tar + "' is neither a PNG nor a JPEG image");
}

TEST(ImageArchive, NamesFilesOnOneLine) {
  const TemporaryFolder folder;
  const std::string tar = folder.write("x.tar", tar_member("a\nb.png", "") + tar_end());
  EXPECT_EQ(error_text([&] { open_image_files(tar, "")->read(0); }),
            "'a?b.png' of '" + tar + "' is empty");
}

TEST(ImageList, NamesFilesFromItsFolderOn) {
  const TemporaryFolder folder;
  folder.write("images/a.png", dot(1));
  folder.write("images/b", dot(2));
  const std::string absolute = folder.write("c.png", dot(3));
  const std::string list =
      folder.write("images/list.txt", "b\r\n\n./a.png\na.png\n" + absolute + "\n../c.png\nmissing");
  const Paths expected = {"../c.png", absolute, "a.png", "b", "missing"};
  EXPECT_EQ(paths_of(list), expected) << "each once, in order";
  const auto files = open_image_files(list, "");
  for (const auto& [index, level] : std::map<int64_t, uint8_t>{{0, 3}, {1, 3}, {2, 1}, {3, 2}}) {
    EXPECT_EQ(files->read(index).pixels, std::vector<uint8_t>{level}) << index;
  }
  EXPECT_EQ(error_text([&] { files->read(4); }),
            "cannot read '" + folder.file("images/missing") + "': No such file or directory");
  const std::string empty = folder.write("empty.txt", "\n \n");
  EXPECT_EQ(opening_error(empty), "'" + empty + "' holds no PNG or JPEG file");
}

TEST(ImageFiles, MayLieInACompressedArchive) {
  const TemporaryFolder folder;
  const std::string tar = tar_member("a/1.png", dot(1)) + tar_member("b.png", dot(2)) + tar_end();
  std::vector<std::string> archives = {folder.write("x.tar.gz", testing::gzip(tar)),
                                       folder.write("x.TGZ", testing::gzip(tar)),
                                       folder.write("no name", testing::gzip(tar))};
  if (testing::reads_zstd()) {
    archives.push_back(folder.write("x.tar.zst", testing::zstd(tar)));
  }
  for (const std::string& archive : archives) {
    EXPECT_EQ(paths_of(archive), (Paths{"a/1.png", "b.png"}));
    EXPECT_EQ(open_image_files(archive, "")->read(1).pixels, decode_image(dot(2), "'x'").pixels);
  }
  const std::string packed = testing::gzip(tar);
  const std::string cut = folder.write("x.tar.gz", packed.substr(0, packed.size() / 2));
  EXPECT_EQ(opening_error(cut),
            "'" + cut + "' is truncated: the end of its compressed bytes is missing");
}

TEST(ImageFiles, ThatAreNoneAreRefused) {
  const TemporaryFolder folder;
  const std::string choices =
      ": name a folder, a .tar, which may be a .gz or .zst, or a .txt that "
      "lists files";
  const std::string text = folder.write("x", "text");
  EXPECT_EQ(opening_error(text), "'" + text + "' is no source of images" + choices);
  const std::string zip = folder.write("x.tar", "PK\x03\x04");
  EXPECT_EQ(opening_error(zip), "'" + zip + "' is a zip archive" + choices);
  const std::string png = folder.write("x.tar.gz", testing::gzip("\x89PNG\r\n\x1a\n"));
  EXPECT_EQ(opening_error(png), "'" + png + "' holds a PNG image" + choices);
  for (const char* missing : {"/nowhere", "/nowhere/x.tar", "/nowhere/x.txt"}) {
    EXPECT_EQ(opening_error(missing),
              std::string("cannot read '") + missing + "': No such file or directory");
  }
}

TEST(ImageFiles, HaveTheFingerprintOfTheirPaths) {
  const TemporaryFolder folder;
  folder.write("a/1.png", dot(1));
  folder.write("a/2.png", dot(2));
  const auto fingerprint = [&] {
    return open_image_files(folder.path().string(), "")->fingerprint();
  };
  const uint64_t first = fingerprint();
  folder.write("a/readme", "text");
  EXPECT_EQ(fingerprint(), first);
  const std::string tar = folder.write(
      "x.tar", tar_member("a/2.png", "other") + tar_member("a/1.png", "bytes") + tar_end());
  EXPECT_EQ(open_image_files(tar, "")->fingerprint(), first);
  folder.write("a/3.png", dot(3));
  EXPECT_NE(fingerprint(), first);
  std::filesystem::remove(folder.file("a/3.png"));
  std::filesystem::rename(folder.file("a/2.png"), folder.file("a/4.png"));
  EXPECT_NE(fingerprint(), first);
}

Paths labels_of(const Paths& paths) {
  const TemporaryFolder folder;
  for (const std::string& path : paths) {
    folder.write(path, "");
  }
  return image_labels(*open_image_files(folder.path().string(), ""));
}

TEST(ImageLabels, AreFoldersWhereThereAreSeveral) {
  EXPECT_EQ(labels_of({"train/cat/1.png", "train/cat/2.png", "train/dog/1_x.png", "z.png"}),
            (Paths{"cat", "cat", "dog", ""}));
  EXPECT_EQ(labels_of({"test/cat/1.png", "train/cat/1.png", "train/dog/1.png"}),
            (Paths{"cat", "cat", "dog"}));
}

TEST(ImageLabels, AreTheBeginningsOfNamesInOneFolder) {
  const Paths expected = {"a-b", "plain", "truck", "truck"};
  const Paths names = {"a-b-1.png", "plain.png", "truck_0566.jpg", "truck_1.2.png"};
  EXPECT_EQ(labels_of(names), expected);
  Paths within;
  for (const std::string& name : names) {
    within.push_back("some_folder/" + name);
  }
  EXPECT_EQ(labels_of(within), expected);
}

}  // namespace
}  // namespace ebt
