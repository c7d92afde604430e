#include "ebt/io/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/error_text.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::FileSizeLimit;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

// Permissions do not bind root: as long as this lives, the test is somebody else.
class Unprivileged {
 public:
  Unprivileged() : user_(geteuid()) {
    if (user_ == 0 && seteuid(65534) != 0) {
      throw std::runtime_error("cannot give up root's rights");
    }
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (seteuid(user_) != 0) {
      std::abort();
    }
  }

 private:
  uid_t user_;
};

size_t files_in(const TemporaryFolder& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST(MappedFile, ShowsTheBytesOfTheFile) {
  const TemporaryFolder folder;
  const std::string text("a\0b\xff", 4);
  const MappedFile file(folder.write("f", text));
  EXPECT_EQ(file.text(), text);
  EXPECT_EQ(file.bytes().size(), 4U);
  EXPECT_EQ(file.path(), folder.file("f"));
}

TEST(MappedFile, AllowsAnEmptyFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(MappedFile(folder.write("f", "")).bytes().empty());
}

TEST(MappedFile, KeepsItsBytesWhenMoved) {
  const TemporaryFolder folder;
  MappedFile first(folder.write("f", "first"));
  const char* const address = first.text().data();
  MappedFile second(std::move(first));
  EXPECT_EQ(second.text().data(), address);
  MappedFile third(folder.write("g", "third"));
  third = std::move(second);
  EXPECT_EQ(third.text(), "first");
}

TEST(MappedFile, SaysThatAFileIsMissing) {
  EXPECT_EQ(error_text([] { MappedFile("/nowhere/text"); }),
            "cannot read '/nowhere/text': No such file or directory");
}

TEST(MappedFile, RefusesAFolder) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_EQ(error_text([&] { MappedFile{folder.path()}; }),
            "cannot read '" + path + "': it is a folder, not a file");
}

TEST(MappedFile, RefusesAPipeWithoutWaitingForIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error_text([&] { MappedFile{path}; }),
            "cannot read '" + path + "': it is not a regular file");
}

TEST(MappedFile, SaysThatAFileIsUnreadable) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "text");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(path, fs::perms::none);
  const Unprivileged unprivileged;
  EXPECT_EQ(error_text([&] { MappedFile{path}; }), "cannot read '" + path + "': Permission denied");
}

TEST(ReadTextFile, ReadsTheWholeFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_text_file(folder.write("f", "four"), 4), "four");
}

TEST(ReadTextFile, RefusesALargeFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "four");
  EXPECT_EQ(error_text([&] { read_text_file(path, 3); }),
            "cannot read '" + path + "': it has 4 bytes, above the limit of 3");
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TemporaryFolder folder;
  AtomicFile file(folder.file("f"));
  file.write("one ");
  file.write("two");
  EXPECT_FALSE(fs::exists(folder.file("f")));
  file.commit();
  EXPECT_EQ(read_text_file(folder.file("f"), 100), "one two");
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(AtomicFile, LeavesNothingWhenItIsNotCommitted) {
  const TemporaryFolder folder;
  folder.write("f", "old");
  { AtomicFile(folder.file("f")).write("new"); }
  EXPECT_EQ(read_text_file(folder.file("f"), 100), "old");
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(AtomicFile, ReplacesAFileAndWhatAKilledWriterLeft) {
  const TemporaryFolder folder;
  folder.write("f", "old");
  folder.write("f.tmp", "half of something longer");
  write_file_atomically(folder.file("f"), "new");
  EXPECT_EQ(read_text_file(folder.file("f"), 100), "new");
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(AtomicFile, HasTheRightsOfAnOrdinaryFile) {
  const TemporaryFolder folder;
  const mode_t mask = umask(022);
  write_file_atomically(folder.file("f"), "text");
  umask(mask);
  EXPECT_EQ(fs::status(folder.file("f")).permissions(), fs::perms(0644));
}

TEST(AtomicFile, RefusesASecondWriterUntilTheFirstIsDone) {
  const TemporaryFolder folder;
  const std::string path = folder.file("f");
  AtomicFile first(path);
  first.write("first");
  EXPECT_EQ(error_text([&] { write_file_atomically(path, "second"); }),
            "cannot write '" + path + "': another process is writing it");
  first.commit();
  EXPECT_EQ(read_text_file(path, 100), "first");
  write_file_atomically(path, "second");
  EXPECT_EQ(read_text_file(path, 100), "second");
}

TEST(AtomicFile, SaysThatItsFolderIsMissing) {
  EXPECT_EQ(error_text([] { write_file_atomically("/nowhere/f", "text"); }),
            "cannot write '/nowhere/f': No such file or directory");
}

TEST(AtomicFile, SaysThatItsFolderIsNotWritable) {
  const TemporaryFolder folder;
  const std::string path = folder.file("f");
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                     fs::perms::others_read | fs::perms::others_exec);
  const Unprivileged unprivileged;
  EXPECT_EQ(error_text([&] { write_file_atomically(path, "text"); }),
            "cannot write '" + path + "': Permission denied");
}

TEST(AtomicFile, CannotReplaceAFolderAndLeavesNoTrace) {
  const TemporaryFolder folder;
  const std::string path = folder.file("f");
  fs::create_directory(path);
  EXPECT_EQ(error_text([&] { write_file_atomically(path, "text"); }),
            "cannot write '" + path + "': Is a directory");
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(AtomicFile, KeepsTheOldFileWhenWritingFails) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "old");
  std::string text;
  {
    const FileSizeLimit limit(1000);
    text = error_text([&] { write_file_atomically(path, std::string(5000, 'x')); });
  }
  EXPECT_EQ(text, "cannot write '" + path + "': File too large");
  EXPECT_EQ(read_text_file(path, 100), "old");
  EXPECT_EQ(files_in(folder), 1U);
}

}  // namespace
}  // namespace ebt
