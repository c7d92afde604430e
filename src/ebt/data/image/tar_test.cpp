#include "ebt/data/image/tar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/support/error_text.h"
#include "tests/support/tar_builder.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::seal_tar_header;
using testing::tar_end;
using testing::tar_header;
using testing::tar_member;
using testing::TemporaryFolder;

std::vector<std::string> paths_of(const TarFile& tar) {
  std::vector<std::string> paths;
  for (const TarEntry& entry : tar.entries()) {
    paths.push_back(entry.path);
  }
  return paths;
}

using Paths = std::vector<std::string>;

class Tar : public ::testing::Test {
 protected:
  std::string refusal(const std::string& bytes) {
    folder_.write("x.tar", bytes);
    return error_text([&] { TarFile{path_}; });
  }
  TarFile open(const std::string& bytes) {
    folder_.write("x.tar", bytes);
    return TarFile(path_);
  }
  std::string damaged(const std::string& what) { return "'" + path_ + "' " + what; }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("x.tar");
};

// A record counts its own length, digits included.
std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) {
    ++length;
  }
  return std::to_string(length) + rest;
}

TEST_F(Tar, ReadsWhatTheProgramTarWrites) {
  const std::string long_name = std::string(90, 'd') + "/" + std::string(90, 'n') + ".jpg";
  const std::string longer_name = std::string(180, 'd') + "/" + std::string(160, 'n') + ".jpg";
  for (const char* format : {"v7", "ustar", "gnu", "oldgnu", "pax"}) {
    const TemporaryFolder folder;
    folder.write("in/b.png", "bytes of b");
    folder.write("in/a/c.png", std::string(513, 'c'));
    folder.write("in/empty", "");
    std::filesystem::create_hard_link(folder.file("in/b.png"), folder.file("in/hard.png"));
    std::filesystem::create_symlink("b.png", folder.file("in/soft.png"));
    Paths expected = {"a/c.png", "b.png", "empty", "hard.png"};
    const std::string name = format;
    if (name != "v7") {
      folder.write("in/" + long_name, "long");
      expected.push_back(long_name);
    }
    if (name != "v7" && name != "ustar") {
      folder.write("in/" + longer_name, "longer");
      expected.push_back(longer_name);
    }
    std::sort(expected.begin(), expected.end());
    const std::string command = fmt::format("tar --format={} -C '{}' -cf '{}' .", format,
                                            folder.file("in"), folder.file("x.tar"));
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    const TarFile tar(folder.file("x.tar"));
    EXPECT_EQ(paths_of(tar), expected) << format;
    EXPECT_EQ(tar.read(tar.entries()[0]), std::string(513, 'c')) << format;
    EXPECT_EQ(tar.read(tar.entries()[1]), "bytes of b") << format;
    for (const TarEntry& entry : tar.entries()) {
      const std::string bytes = tar.read(entry);
      EXPECT_EQ(bytes.size(), std::filesystem::file_size(folder.file("in/" + entry.path)));
      EXPECT_TRUE(entry.path != "hard.png" || bytes == "bytes of b");
    }
  }
}

TEST_F(Tar, ReadsSparseFilesNotAtAllAndThoseBehindThem) {
  for (const char* format : {"gnu", "pax"}) {
    const std::string in = folder_.file("in");
    folder_.write("in/z", "behind");
    // Six islands: more than the header of a GNU archive holds.
    const std::string command = fmt::format(
        "rm -f '{0}/holes' && for i in 1 2 3 4 5 6; do printf x | dd of='{0}/holes' bs=1 "
        "seek=${{i}}000000 conv=notrunc status=none; done && "
        "tar --format={1} --sparse -C '{0}' -cf '{2}' holes z",
        in, format, path_);
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    const TarFile tar(path_);
    ASSERT_EQ(tar.entries().size(), 2U);
    if (tar.entries()[0].size == std::filesystem::file_size(in + "/holes")) {
      GTEST_SKIP() << "the file system of " << in << " stores no holes";
    }
    EXPECT_TRUE(tar.entries()[0].sparse) << format;
    EXPECT_EQ(error_text([&] { tar.read(tar.entries()[0]); }),
              "it is stored as a sparse file, which is not supported");
    EXPECT_EQ(tar.entries()[1].path, "z");
    EXPECT_EQ(tar.read(tar.entries()[1]), "behind") << format;
  }
}

TEST_F(Tar, ReadsNumbersInBinary) {
  std::string header = tar_header("a", 0, '0');
  header.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x05", 12));
  seal_tar_header(header);
  const TarFile tar = open(header + "bytes" + std::string(507, '\0') + tar_end());
  ASSERT_EQ(tar.entries().size(), 1U);
  EXPECT_EQ(tar.read(tar.entries()[0]), "bytes");
  header.replace(124, 12, 12, '\xff');  // -1
  seal_tar_header(header);
  EXPECT_EQ(refusal(header + tar_end()), damaged("is damaged: the header at byte 0 has no size"));
}

TEST_F(Tar, ReadsTheBeginningOfAPathWhereUstarAloneHasIt) {
  std::string header = tar_header("name", 0, '0');
  header.replace(345, 6, "folder");
  seal_tar_header(header);
  EXPECT_EQ(paths_of(open(header + tar_end())), Paths{"folder/name"});
  header.replace(257, 8, std::string("ustar  \0", 8));  // GNU's own, which has times there
  seal_tar_header(header);
  EXPECT_EQ(paths_of(open(header + tar_end())), Paths{"name"});
}

TEST_F(Tar, TakesTheLastOfFilesWithOnePath) {
  const TarFile tar = open(tar_member("a", "old") + tar_member("b", "b") +
                           tar_member("./a", "newer") + tar_member("/a", "newest") + tar_end());
  EXPECT_EQ(paths_of(tar), (Paths{"a", "b"}));
  EXPECT_EQ(tar.read(tar.entries()[0]), "newest");
}

TEST_F(Tar, ListsFilesAlone) {
  const TarFile tar =
      open(tar_member("folder", "", '5') + tar_member("old-folder/", "") +
           tar_header("folder-with-a-size", 4096, '5') + tar_header("device", 0, '3') +
           tar_member("of a vendor", "some bytes", 'V') + tar_member("link to nothing", "", '1') +
           tar_member("comment", pax_record("comment", "x"), 'g') + tar_member("file", "x", '7') +
           tar_member("old", "y", '\0') + tar_end());
  EXPECT_EQ(paths_of(tar), (Paths{"file", "old"}));
}

TEST_F(Tar, ReadsWhatPaxHeadersSay) {
  const std::string records =
      pax_record("mtime", "1.5") + pax_record("path", "long/ä=name") + pax_record("size", "3");
  std::string header = tar_header("short", 0, '0');
  const TarFile tar = open(tar_member("x", records, 'x') + header + "abc" + std::string(509, '\0') +
                           tar_member("next", "n") + tar_end());
  EXPECT_EQ(paths_of(tar), (Paths{"long/ä=name", "next"}));
  EXPECT_EQ(tar.read(tar.entries()[0]), "abc");
  for (const std::string& bad :
       {std::string("x path=a\n"), std::string("99 path=a\n"), std::string("9 path=a "),
        std::string("8 path=a\n"), std::string("6 path\n"), pax_record("size", "-1"),
        pax_record("size", "99999999999999999999"), std::string("2 "), std::string("0 a=b\n"),
        std::string("12")}) {
    EXPECT_EQ(refusal(tar_member("x", bad, 'x') + tar_member("a", "a") + tar_end()),
              damaged("is damaged: the pax header before byte 1024 cannot be read"))
        << bad;
  }
}

TEST_F(Tar, ThatIsNoneSaysSo) {
  EXPECT_EQ(refusal(""), damaged("is empty"));
  EXPECT_EQ(refusal("short"), damaged("is no tar archive"));
  EXPECT_EQ(refusal(std::string(2000, 'x')), damaged("is no tar archive"));
  EXPECT_EQ(error_text([&] { TarFile("/nowhere/x.tar"); }),
            "cannot read '/nowhere/x.tar': No such file or directory");
  EXPECT_EQ(error_text([&] { TarFile{folder_.path()}; }),
            "cannot read '" + folder_.path().string() + "': it is a folder, not a file");
}

TEST_F(Tar, TruncatedAnywhereIsRefused) {
  const std::string whole = tar_member("a", "some bytes") + tar_member("b", std::string(600, 'b'));
  EXPECT_EQ(open(whole + tar_end()).entries().size(), 2U);
  EXPECT_EQ(open(whole + std::string(512, '\0')).entries().size(), 2U);
  for (size_t length = 512; length < whole.size() + 512; length += 100) {
    EXPECT_EQ(refusal((whole + tar_end()).substr(0, length)),
              damaged("is truncated: its end is missing"))
        << length;
  }
}

TEST_F(Tar, ThatIsDamagedIsRefused) {
  std::string bytes = tar_member("a", "a") + tar_member("b", "b") + tar_end();
  bytes[1024] = 'c';
  EXPECT_EQ(refusal(bytes), damaged("is damaged: the header at byte 1024 has another checksum"));
  std::string header = tar_header("a", 0, '0');
  header.replace(124, 3, "9x9");
  seal_tar_header(header);
  EXPECT_EQ(refusal(header + tar_end()), damaged("is damaged: the header at byte 0 has no size"));
  EXPECT_EQ(refusal(tar_header("a", 1'000'000, '0') + tar_end()),
            damaged("is truncated: its end is missing"));
  EXPECT_EQ(refusal(tar_header("a", 077777777777U, 'L') + tar_end()),
            damaged("is damaged: it has a name of 8589934591 bytes"));
  EXPECT_EQ(
      refusal(tar_member("a", std::string(5000, 'p'), 'L') + tar_member("a", "a") + tar_end()),
      damaged("holds a path of 5000 bytes"));
}

TEST_F(Tar, MayBeCutWhileItIsOpen) {
  const TarFile tar = open(tar_member("a", std::string(5000, 'a')) + tar_end());
  std::filesystem::resize_file(path_, 1000);
  EXPECT_EQ(error_text([&] { tar.read(tar.entries()[0]); }), damaged("is truncated"));
}

TEST_F(Tar, IsReadByManyThreads) {
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    bytes += tar_member(fmt::format("{:02}", i), std::string(static_cast<size_t>(i * 37), 'x'));
  }
  const TarFile tar = open(bytes + tar_end());
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < 50; ++i) {
        right += tar.read(tar.entries()[i]) == std::string(i * 37, 'x') ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, 200);
}

}  // namespace
}  // namespace ebt
