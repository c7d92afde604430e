#include "ebt/io/mapped_ranges.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "ebt/io/file.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

// Touches the last byte of a file that was cut short since it was mapped.
void use_cut_file(const std::string& path) {
  tell_of_cut_files();
  const MappedFile file(path);
  MappedFile moved(MappedFile{path});
  if (truncate(path.c_str(), 0) != 0) {
    _exit(99);
  }
  _exit(moved.text().back() == 'x' ? 97 : 98);
}

TEST(MappedFile, ThatIsCutShortEndsTheProgramWithASentence) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.write("f", std::string(100'000, 'x'));
  EXPECT_EXIT(use_cut_file(path), ::testing::ExitedWithCode(1),
              "ebt: '" + path + "' was cut short while it was in use\nhint: ");
}

}  // namespace
}  // namespace ebt
