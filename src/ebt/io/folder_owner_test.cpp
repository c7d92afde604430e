#include "ebt/io/folder_owner.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "ebt/io/file.h"
#include "ebt/io/file_lock.h"
#include "ebt/io/folder.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

std::string refusal(const fs::path& folder) {
  return error_text([&] { FolderOwner::take(folder); });
}

TEST(FolderOwner, KeepsOthersOutAndSaysWhoItIs) {
  const TemporaryFolder folder;
  {
    const FolderOwner owner = FolderOwner::take(folder.path());
    EXPECT_EQ(refusal(folder.path())
                  .find("'" + folder.path().string() + "' is in use by process " +
                        std::to_string(getpid()) + " on '"),
              0U)
        << refusal(folder.path());
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  const FolderOwner next = FolderOwner::take(folder.path());
}

TEST(FolderOwner, IsNotHeldUpByTheDead) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    const FolderOwner owner = FolderOwner::take(folder.path());
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(fs::exists(folder.path() / kOwnerFile));
  const FolderOwner owner = FolderOwner::take(folder.path());
}

TEST(FolderOwner, ToleratesAnythingInTheFileOfItsLock) {
  const TemporaryFolder folder;
  for (const char* text : {"", "x", "12", "12 ", "99999999999999999999 host\n", "\n"}) {
    folder.write(kOwnerFile, text);
    std::optional<FileLock> lock = FileLock::try_take(folder.path() / kOwnerFile);
    EXPECT_NE(refusal(folder.path()).find("' is in use by another process: "), std::string::npos)
        << refusal(folder.path());
  }
}

TEST(FolderOwner, RemovesWhatItMadeAndNobodyUsed) {
  const TemporaryFolder folder;
  { const FolderOwner owner = FolderOwner::take(folder.file("a/b/c")); }
  EXPECT_FALSE(fs::exists(folder.file("a")));
  {
    const FolderOwner owner = FolderOwner::take(folder.file("a/b/c/"));
    folder.write("a/b/kept", "");
  }
  EXPECT_FALSE(fs::exists(folder.file("a/b/c")));
  EXPECT_TRUE(fs::exists(folder.file("a/b/kept")));
}

TEST(FolderOwner, LeavesTheLockOfTheNextOwnerAlone) {
  const TemporaryFolder folder;
  std::optional<FolderOwner> robbed(FolderOwner::take(folder.path()));
  fs::remove(folder.path() / kOwnerFile);
  const FolderOwner next = FolderOwner::take(folder.path());
  robbed.reset();
  EXPECT_TRUE(FileLock::is_held(folder.path() / kOwnerFile));
}

TEST(FolderOwner, SaysWhyAFolderCannotBeTaken) {
  const TemporaryFolder folder;
  const std::string file = folder.write("file", "");
  EXPECT_EQ(refusal(file + "/run").find("cannot make the folder '" + file + "/run'"), 0U);
  fs::create_directory(folder.path() / kOwnerFile);
  EXPECT_EQ(refusal(folder.path()),
            "cannot write to the folder '" + folder.path().string() + "': Is a directory");
}

TEST(FileLock, IsAskedForWithoutBeingTaken) {
  const TemporaryFolder folder;
  const std::string path = folder.file("lock");
  EXPECT_FALSE(FileLock::is_held(path));
  {
    const std::optional<FileLock> lock = FileLock::try_take(path);
    ASSERT_TRUE(lock.has_value());
    EXPECT_TRUE(FileLock::is_held(path));
    EXPECT_FALSE(FileLock::try_take(path).has_value());
  }
  EXPECT_FALSE(FileLock::is_held(path));
}

TEST(Folder, LiesWithinAnotherByWhateverName) {
  const TemporaryFolder folder;
  fs::create_directories(folder.file("data/deep"));
  fs::create_directory_symlink(folder.file("data/deep"), folder.file("link"));
  const std::string data = folder.file("data");
  for (const char* inside : {"data", "data/", "data/new/run", "data/deep/..", "link", "link/run",
                             "x/../data/run", "link/../run"}) {
    EXPECT_TRUE(lies_within(folder.file(inside), data)) << inside;
  }
  for (const char* outside : {"", "database", "data/..", "data/../run", "run"}) {
    EXPECT_FALSE(lies_within(folder.file(outside), data)) << outside;
  }
  EXPECT_FALSE(lies_within(folder.file("run"), folder.file("none")));
  const fs::path here = fs::current_path();
  fs::current_path(data);
  EXPECT_TRUE(lies_within("run", data));
  EXPECT_TRUE(lies_within("run", "."));
  EXPECT_TRUE(lies_within(".", "../data"));
  EXPECT_FALSE(lies_within("..", "."));
  fs::current_path(here);
}

TEST(Folder, ChecksThatWhatIsWrittenAndReadLieApart) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data/text.txt", "x");
  const fs::path texts = folder.path() / "data";
  EXPECT_EQ(error_text([&] { check_apart(texts / "run", texts, "text"); }),
            "'" + (texts / "run").string() + "' lies within the text '" + texts.string() +
                "', and would become part of it: choose another folder with --out");
  EXPECT_EQ(error_text([&] { check_apart(texts, data, "text"); }),
            "the text '" + data + "' lies within '" + texts.string() +
                "', which is to be written: choose another folder with --out");
  check_outside(texts, data, "text");
  check_apart(folder.path() / "run", texts, "text");
  check_apart(folder.path() / "run", "", "text");
}

}  // namespace
}  // namespace ebt
