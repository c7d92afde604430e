#include "ebt/io/fingerprint.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

TEST(Fingerprint, DiffersWhereOneBitDoes) {
  const std::string text(37, 'a');
  std::set<std::string> seen = {fingerprint(text)};
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    seen.insert(fingerprint(changed));
  }
  EXPECT_EQ(seen.size(), 8 * text.size() + 1);
}

TEST(Fingerprint, KnowsZerosAtTheEnd) {
  std::set<std::string> seen;
  for (size_t length = 0; length < 20; ++length) {
    seen.insert(fingerprint(std::string(length, '\0')));
  }
  EXPECT_EQ(seen.size(), 20U);
}

TEST(Fingerprint, OfAFileIsThatOfItsBytes) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(file_fingerprint(folder.write("file", "some bytes")), fingerprint("some bytes"));
  EXPECT_EQ(fingerprint("some bytes").size(), 16U);
}

}  // namespace
}  // namespace ebt
