#include "ebt/io/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace ebt {
namespace {

TEST(JsonText, IsUtf8WhateverTheStringsAre) {
  const Json json = {{"path", "a\xff"}, {"list", {"\\xff", "\xe2\x80\x94"}}};
  EXPECT_EQ(json_text(json), R"({"path":"a\\xff","list":["\\xff",")"
                             "\xe2\x80\x94\"]}");
  EXPECT_EQ(json_text({{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

TEST(JsonText, OfEscapedStringsGivesBackTheirBytes) {
  const Json json = {{"a", {{"path", "\xff\\xff\\x5c"}}}, {"b", 1}, {"c", {"plain", "\xe2\x80"}}};
  Json escaped = json;
  escape_strings(escaped);
  nlohmann::json read = nlohmann::json::parse(escaped.dump());
  unescape_strings(read);
  EXPECT_EQ(read["a"]["path"].get<std::string>(), "\xff\\xff\\x5c");
  EXPECT_EQ(read["b"], 1);
  EXPECT_EQ(read["c"][1].get<std::string>(), "\xe2\x80");
}

TEST(JsonText, OfAModelHasReplacementsForBytesThatAreNoUtf8) {
  EXPECT_EQ(replace_invalid_bytes("a\xFF\xC3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(replace_invalid_bytes("\\xff \"\n\u00E9"), "\\xff \"\n\u00E9");
}

}  // namespace
}  // namespace ebt
