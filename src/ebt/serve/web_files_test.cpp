#include "ebt/serve/web_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace ebt {
namespace {

TEST(WebFiles, AreThoseOfTheFolderByteForByte) {
  ASSERT_GT(web_files().size(), 5U);
  std::set<std::string_view> names;
  for (const WebFile& file : web_files()) {
    std::ifstream stored(std::string(EBT_SOURCE_DIR) + "/web/" + std::string(file.name),
                         std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stored), {}};
    EXPECT_TRUE(text == file.content) << file.name;
    EXPECT_EQ(file.name.find("test"), std::string_view::npos);
    EXPECT_EQ(file.etag.size(), 18U);
    names.insert(file.name);
  }
  EXPECT_EQ(names.size(), web_files().size());
}

TEST(WebFiles, HaveTypes) {
  EXPECT_STREQ(content_type_of("a/b.js"), "text/javascript; charset=utf-8");
  EXPECT_STREQ(content_type_of("b.css"), "text/css; charset=utf-8");
  EXPECT_STREQ(content_type_of("b.svg"), "image/svg+xml");
  EXPECT_STREQ(content_type_of("index.html"), "text/html; charset=utf-8");
  EXPECT_STREQ(content_type_of("LICENSE"), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace ebt
