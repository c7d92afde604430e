#include "ebt/io/byte_stream.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "ebt/io/spooled_text.h"
#include "tests/support/error_text.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

std::string all_of(ByteStream& stream) {
  std::string all;
  read_blocks(stream, "it", [&](std::string_view block) { all += block; });
  return all;
}

std::string opening_error(const std::string& path) {
  return error_text([&] { open_bytes(path); });
}

// A pipe that holds a few bytes, under the name that the shell gives one.
class Pipe {
 public:
  explicit Pipe(const std::string& text) {
    if (pipe(ends_) != 0 || write(ends_[1], text.data(), text.size()) < 0) {
      throw std::runtime_error("no pipe");
    }
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { close(ends_[0]); }
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

 private:
  int ends_[2];
};

TEST(ByteStream, ReadsFilesAndPipes) {
  const TemporaryFolder folder;
  const OpenedBytes file = open_bytes(folder.write("f", "text"));
  EXPECT_EQ(file.file_bytes, 4U);
  EXPECT_EQ(all_of(*file.stream), "text");
  const Pipe pipe("from a pipe");
  EXPECT_EQ(all_of(*open_bytes(pipe.path()).stream), "from a pipe");
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(fifo) << "from a named pipe"; });
  EXPECT_EQ(all_of(*open_bytes(fifo).stream), "from a named pipe");
  writer.join();
}

TEST(ByteStream, KnowsWhatCanBeReadOnlyOnce) {
  const TemporaryFolder folder;
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path :
       {std::string("-"), std::string("/dev/stdin"), std::string("/dev/fd/63"),
        std::string("/proc/self/fd/7"), fifo}) {
    EXPECT_TRUE(is_stream(path)) << path;
  }
  for (const std::string& path : {folder.write("-", "a file"), folder.path().string(),
                                  std::string("/dev/fd/x"), std::string("none")}) {
    EXPECT_FALSE(is_stream(path)) << path;
  }
  EXPECT_EQ(source_name("-"), "standard input");
  EXPECT_EQ(source_name("/dev/stdin"), "standard input");
  EXPECT_EQ(source_name("/dev/fd/63"), "'/dev/fd/63'");
}

TEST(ByteStream, SaysWhatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_EQ(opening_error("/nowhere/f"), "cannot read '/nowhere/f': No such file or directory");
  EXPECT_EQ(opening_error("/dev/fd/999"), "cannot read '/dev/fd/999': Bad file descriptor");
  EXPECT_EQ(opening_error("/dev/zero"), "cannot read '/dev/zero': it is not a regular file");
  const std::string path = folder.path().string();
  EXPECT_EQ(opening_error(path), "cannot read '" + path + "': it is a folder, not a file");
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_NE(opening_error(folder.file("loop")).find("symbolic links"), std::string::npos);
}

TEST(ByteStream, SaysThatAFileChangedWhileItWasRead) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "text");
  const OpenedBytes file = open_bytes(path);
  std::ofstream(path, std::ios::app) << " and more";
  EXPECT_EQ(error_text([&] { all_of(*file.stream); }),
            "'" + path + "' changed while it was read: read it when it is complete");
}

TEST(BufferedBytes, CanBeLookedAtAndReadByLines) {
  const TemporaryFolder folder;
  const std::string long_line(300'000, 'x');
  BufferedBytes bytes(
      open_bytes(folder.write("f", "one\n\n" + long_line + "\ntwo\r\nlast")).stream);
  EXPECT_EQ(bytes.peek(3), "one");
  EXPECT_EQ(bytes.get(), 'o');
  std::string line;
  const auto next = [&](size_t most) { return bytes.read_line(line, most) ? line : "none"; };
  EXPECT_EQ(next(100), "ne");
  EXPECT_EQ(next(100), "");
  EXPECT_EQ(next(100).size(), 101U) << "so much of a longer line";
  EXPECT_EQ(next(100), "two\r");
  EXPECT_EQ(bytes.peek(1000), "last");
  EXPECT_EQ(next(100), "last");
  EXPECT_EQ(next(100), "none");
  EXPECT_EQ(bytes.get(), -1);
}

TEST(SpooledText, IsTheSameInMemoryAndInAFile) {
  for (const size_t held : {0, 10, 1'000'000}) {
    SpooledText text(held);
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
      const std::string part = std::to_string(i);
      text.append(part);
      expected += part;
    }
    EXPECT_EQ(text.size(), expected.size());
    EXPECT_EQ(text.finish(), expected);
    EXPECT_EQ(text.finish(), expected);
  }
  EXPECT_EQ(SpooledText().finish(), "");
}

TEST(SpooledText, SaysThatTheDiskIsFull) {
  const testing::FileSizeLimit limit(100'000);
  SpooledText text(10);
  EXPECT_EQ(error_text([&] {
              for (int i = 0; i < 10; ++i) {
                text.append(std::string(2'000'000, 'x'));
              }
            }),
            "cannot write a temporary file in '" + std::filesystem::temp_directory_path().string() +
                "': File too large; TMPDIR names another folder");
}

}  // namespace
}  // namespace ebt
