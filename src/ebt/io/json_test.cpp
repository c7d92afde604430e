#include "ebt/io/json.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

std::string parse_error(std::string_view text) {
  return testing::error_text([&] { parse_json(text, "'run.json'"); });
}

std::string nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']');
}

TEST(Json, ThatIsAnotherFileSaysWhich) {
  EXPECT_EQ(parse_error("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            "'run.json' is a Git LFS pointer, not JSON: fetch the file itself with 'git lfs pull'");
  EXPECT_EQ(parse_error("<!DOCTYPE html>"), "'run.json' is an HTML page, not JSON");
}

TEST(Json, ParsesAValue) {
  const nlohmann::json value = parse_json(R"({"a": [1, -2.5, "é", null], "b": {"a": true}})", "it");
  EXPECT_EQ(value["a"][0], 1);
  EXPECT_EQ(value["a"][2], "é");
  EXPECT_EQ(value["b"]["a"], true);
}

TEST(Json, SaysWhereTextIsNotJson) {
  EXPECT_EQ(parse_error(R"({"a": 1,})"),
            "'run.json' is not valid JSON: column 9: syntax error while parsing object key - "
            "unexpected '}'; expected string literal");
  EXPECT_EQ(parse_error("{\n  \"a\": trap}"),
            "'run.json' is not valid JSON: line 2, column 10: syntax error while parsing value - "
            "invalid literal");
}

TEST(Json, RefusesNothingAtAll) {
  EXPECT_EQ(parse_error(""),
            "'run.json' is not valid JSON: column 1: syntax error while parsing value - unexpected "
            "end of input; expected '[', '{', or a literal");
}

TEST(Json, RefusesTextAfterTheValue) {
  EXPECT_EQ(parse_error("1 2"),
            "'run.json' is not valid JSON: column 3: syntax error while parsing value - unexpected "
            "number literal; expected end of input");
}

TEST(Json, RefusesStringsThatAreNotUtf8) {
  EXPECT_EQ(parse_error("\"\xff\""),
            "'run.json' is not valid JSON: column 2: syntax error while parsing value - invalid "
            "string: ill-formed UTF-8 byte");
}

TEST(Json, DoesNotRepeatGarbageInItsMessage) {
  EXPECT_LT(parse_error("\"" + std::string(100000, 'x')).size(), 200U);
}

TEST(Json, RefusesARepeatedKey) {
  EXPECT_EQ(parse_error(R"({"b": {"a": 1}, "a": 1, "a": 2})"),
            "'run.json' repeats the JSON key \"a\"");
}

TEST(Json, AllowsAKeyInTwoObjects) {
  EXPECT_EQ(parse_error(R"([{"a": 1}, {"a": {"a": 2}}])"), "no error");
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_EQ(parse_error(nested(64)), "no error");
  EXPECT_EQ(parse_error(nested(65)), "'run.json' is JSON nested deeper than 64 levels");
  std::string objects;
  for (int i = 0; i < 100000; ++i) {
    objects += R"({"a":)";
  }
  EXPECT_EQ(parse_error(objects), "'run.json' is JSON nested deeper than 64 levels");
}

TEST(Json, RefusesNumbersOutOfRange) {
  EXPECT_EQ(parse_error("[1e999]"), "'run.json' holds a JSON number that is out of range");
}

TEST(Json, RefusesTextAboveTheLimit) {
  EXPECT_EQ(parse_error(std::string(kMaxJson_bytes + 1, ' ')),
            "'run.json' has 100000001 bytes of JSON, above the limit of 100000000");
}

TEST(Json, NamesTheFirstKeyThatDiffers) {
  const auto difference = [](const char* a, const char* b) {
    return first_difference(nlohmann::json::parse(a), nlohmann::json::parse(b));
  };
  EXPECT_EQ(difference(R"({"a": 1, "b": [2]})", R"({"b": [2], "a": 1})"), "");
  EXPECT_EQ(difference(R"({"a": 1, "b": [2]})", R"({"b": [3], "a": 1})"), "b");
  EXPECT_EQ(difference(R"({"a": 1})", R"({"a": 1, "c": null})"), "c");
  EXPECT_EQ(difference(R"({"a": 1, "c": null})", R"({"a": 1})"), "c");
  EXPECT_EQ(difference(R"({"a": 1})", "3"), "(all)");
  EXPECT_EQ(difference("3", "3"), "");
}

}  // namespace
}  // namespace ebt
