#include "ebt/io/compression.h"

#include <gtest/gtest.h>

#include "tests/support/compressor.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::gzip;
using testing::reads_zstd;
using testing::TemporaryFolder;
using testing::zstd;
using testing::zstd_begin;
using testing::zstd_block;
using testing::zstd_bomb;

// All of a stream, read in parts of so many bytes.
std::string all_of(ByteStream& stream, size_t part = 1000) {
  std::string all;
  std::vector<char> block(part);
  for (size_t count = 0; (count = stream.read(block)) > 0;) {
    all.append(block.data(), count);
  }
  return all;
}

class Compressed : public ::testing::Test {
 protected:
  std::string decoded(const std::string& bytes, size_t part = 1000) {
    return all_of(*open_decoded(folder_.write("F", bytes)).bytes, part);
  }
  // What is wrong with a file, which is called F.
  std::string refusal(const std::string& bytes) {
    const std::string path = folder_.file("F");
    std::string error = error_text([&] { decoded(bytes); });
    const size_t found = error.find(path);
    return found == std::string::npos ? error : error.replace(found, path.size(), "F");
  }

  TemporaryFolder folder_;
  std::string text_ = [] {
    std::string text;
    for (int i = 0; i < 50'000; ++i) {
      text += std::to_string(i * i);
    }
    return text;
  }();
};

class Zstd : public Compressed {
  void SetUp() override {
    if (!reads_zstd()) {
      GTEST_SKIP() << "built without libzstd";
    }
  }
};

TEST_F(Compressed, PlainBytesStayAsTheyAre) {
  EXPECT_EQ(decoded(text_), text_);
  EXPECT_EQ(decoded(""), "");
}

TEST_F(Compressed, GzipIsDecodedInPartsOfAnySize) {
  for (const size_t part : {1, 7, 100'000'000}) {
    EXPECT_EQ(decoded(gzip(text_), part), text_);
  }
  EXPECT_EQ(decoded(gzip("")), "");
}

TEST_F(Compressed, GzipMayHaveSeveralMembersAndZerosBehindThem) {
  EXPECT_EQ(decoded(gzip("one ") + gzip("") + gzip("two")), "one two");
  EXPECT_EQ(decoded(gzip(text_) + gzip(text_)), text_ + text_);
  EXPECT_EQ(decoded(gzip("one") + std::string(200'000, '\0')), "one");
  EXPECT_EQ(refusal(gzip("one") + "two"), "'F' has bytes behind its end that are no gzip");
}

TEST_F(Compressed, GzipTruncatedAnywhereIsRefused) {
  const std::string whole = gzip("some text, some text, and some more");
  for (size_t length = 2; length < whole.size(); ++length) {
    EXPECT_EQ(refusal(whole.substr(0, length)),
              "'F' is truncated: the end of its compressed bytes is missing")
        << length;
  }
}

TEST_F(Compressed, GzipThatIsDamagedIsRefused) {
  std::string damaged = gzip(text_);
  damaged[damaged.size() - 6] ^= 1;
  EXPECT_EQ(refusal(damaged), "'F' is damaged: its compressed bytes have an incorrect data check");
  EXPECT_EQ(refusal("\x1f\x8b\x07 what is this"),
            "'F' is damaged: its compressed bytes have an unknown compression method");
}

TEST_F(Compressed, IsDecodedOnceAndKnownForWhatItHolds) {
  const DecodedBytes once = open_decoded(folder_.write("F", gzip(gzip("text"))));
  EXPECT_TRUE(once.was_compressed);
  ASSERT_NE(once.kind, nullptr);
  EXPECT_EQ(once.kind->name, "a gzip file");
  const std::string tar = std::string(257, 'x') + "ustar";
  EXPECT_EQ(open_decoded(folder_.write("F", gzip(tar))).kind->use, FileUse::kTar);
}

TEST_F(Zstd, IsDecodedInPartsOfAnySize) {
  const std::string text = text_.substr(0, 100'000);
  for (const size_t part : {1, 7, 100'000'000}) {
    EXPECT_EQ(decoded(zstd(text), part), text);
  }
}

TEST_F(Zstd, MayHaveSeveralFramesAndSomeToSkip) {
  const std::string skipped("\x53\x2a\x4d\x18\x03\0\0\0abc", 11);
  EXPECT_EQ(decoded(zstd("one ") + skipped + zstd("two")), "one two");
  EXPECT_EQ(decoded(skipped + zstd("one")), "one");
  EXPECT_EQ(decoded(skipped), "");
}

TEST_F(Zstd, OfFewBytesMayBeLong) {
  const std::string decoded_bomb = decoded(zstd_bomb(200, 'b'), 1 << 20);
  EXPECT_EQ(decoded_bomb, std::string(200 * 128 * 1024, 'b'));
}

TEST_F(Zstd, TruncatedAnywhereIsRefused) {
  const std::string whole = zstd("some text") + zstd("more");
  const size_t first = zstd("some text").size();
  for (size_t length = 4; length < whole.size(); ++length) {
    if (length != first) {
      EXPECT_EQ(refusal(whole.substr(0, length)),
                "'F' is truncated: the end of its compressed bytes is missing")
          << length;
    }
  }
}

TEST_F(Zstd, ThatIsDamagedIsRefused) {
  const std::string reserved_block = zstd_begin() + zstd_block(3, 10, true) + "0123456789";
  EXPECT_TRUE(refusal(reserved_block).starts_with("'F' is damaged: ")) << refusal(reserved_block);
  EXPECT_TRUE(refusal(zstd("one") + "two and more").starts_with("'F' is damaged: "));
}

TEST_F(Zstd, WithAHugeWindowIsRefused) {
  EXPECT_EQ(refusal(zstd_begin(31) + zstd_block(0, 1, true) + "x"),
            "'F' takes a window of more than 128 MiB: unpack it, as 'zstd --long=31 -dc FILE | ebt "
            "... --data -' does");
}

}  // namespace
}  // namespace ebt
