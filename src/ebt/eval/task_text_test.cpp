#include "ebt/eval/task_text.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

using Split = std::pair<std::string_view, std::string_view>;

TEST(LastWord, IsWhatFollowsTheLastWhiteSpace) {
  EXPECT_EQ(split_last_word("Once upon a time"), Split("Once upon a", " time"));
  EXPECT_EQ(split_last_word("Once upon a time \n"), Split("Once upon a", " time"));
  EXPECT_EQ(split_last_word("one\ntwo"), Split("one", "\ntwo"));
  EXPECT_EQ(split_last_word("one  \"two\""), Split("one ", " \"two\""));
  EXPECT_EQ(split_last_word("one"), std::nullopt);
  EXPECT_EQ(split_last_word(" one "), std::nullopt);
  EXPECT_EQ(split_last_word("  "), std::nullopt);
  EXPECT_EQ(split_last_word(""), std::nullopt);
}

TEST(FinalNumber, FollowsTheMark) {
  EXPECT_EQ(final_number("2 + 2 = 4\n#### 4"), "4");
  EXPECT_EQ(final_number("####18 dollars"), "18");
  EXPECT_EQ(final_number("#### $1,234.50."), "1234.5");
  EXPECT_EQ(final_number("#### -3\n#### 5"), "-3");
  EXPECT_EQ(final_number("#### +007."), "7");
  EXPECT_EQ(final_number("#### 0.50"), "0.5");
  EXPECT_EQ(final_number("#### -0"), "0");
  EXPECT_EQ(final_number("#### 1.2.3"), "1.2");
  EXPECT_EQ(final_number("#### 1,000,000"), "1000000");
  EXPECT_EQ(final_number("42"), std::nullopt);
  EXPECT_EQ(final_number("#### about 42"), std::nullopt);
  EXPECT_EQ(final_number("#### ,."), std::nullopt);
  EXPECT_EQ(final_number("####"), std::nullopt);
}

TEST(Trimmed, DropsWhiteSpaceAtBothEnds) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed("\n "), "");
  EXPECT_EQ(trimmed(""), "");
}

// Tokens are letters, spaces, and some longer pieces, longest first; the separator is 0.
class PieceTokenizer : public Tokenizer {
 public:
  explicit PieceTokenizer(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
    pieces_.insert(pieces_.begin(), "");
    for (const char c : std::string(" abcdefghijklmnopqrstuvwxyz")) {
      pieces_.emplace_back(1, c);
    }
  }
  int64_t vocabulary_size() const override { return static_cast<int64_t>(pieces_.size()); }
  int32_t document_separator() const override { return 0; }
  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> tokens;
    while (!text.empty()) {
      size_t piece = 1;
      while (!text.starts_with(pieces_.at(piece))) {
        ++piece;
      }
      tokens.push_back(static_cast<int32_t>(piece));
      text.remove_prefix(pieces_[piece].size());
    }
    return tokens;
  }
  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    for (const int32_t token : tokens) {
      text += pieces_.at(static_cast<size_t>(token));
    }
    return text;
  }
  std::string name() const override { return "pieces"; }

 private:
  std::vector<std::string> pieces_;
};

std::string scored_part(const Tokenizer& tokenizer, const std::string& prompt,
                        const std::string& continuation) {
  const ScoredText text = scored_text(tokenizer, prompt, continuation);
  const std::span<const int32_t> tokens(text.request.prompt);
  EXPECT_EQ(tokens[0], tokenizer.document_separator());
  EXPECT_EQ(tokenizer.decode(tokens), prompt + continuation);
  EXPECT_EQ(text.request.max_tokens, 0);
  const auto first = static_cast<size_t>(text.request.score_from);
  EXPECT_EQ(text.scored, static_cast<int64_t>(tokens.size() - first));
  EXPECT_EQ(text.bytes, static_cast<int64_t>(continuation.size()));
  return tokenizer.decode(tokens.subspan(first));
}

TEST(ScoredText, IsEveryByteOfTheContinuation) {
  EXPECT_EQ(scored_part(*byte_tokenizer(), "a small", " cat"), " cat");
  EXPECT_EQ(scored_part(*byte_tokenizer(), "", "cat"), "cat");
  EXPECT_EQ(scored_part(PieceTokenizer({"small", " cat"}), "a small", " cat"), " cat");
  EXPECT_EQ(scored_part(PieceTokenizer({" c", "at"}), "a small", " cat"), " cat");
}

TEST(ScoredText, TakesATokenThatSpansTheSeam) {
  EXPECT_EQ(scored_part(PieceTokenizer({"l c"}), "a small", " cat"), "l cat");
  EXPECT_EQ(scored_part(PieceTokenizer({"l cat"}), "a small", " cat"), "l cat");
}

TEST(ScoredText, RefusesNothing) {
  EXPECT_EQ(error_text([] { scored_text(*byte_tokenizer(), "a", ""); }),
            "evaluation: the tokenizer leaves nothing of a text that is to be scored");
}

TEST(WrittenText, IsOnlyWhatWasWritten) {
  std::vector<TokenReport> tokens(3);
  tokens[0].token = 'a';
  tokens[0].from_prompt = true;
  tokens[1].token = 'b';
  tokens[2].token = 'c';
  EXPECT_EQ(written_by(*byte_tokenizer(), tokens), "bc");
  std::string seen;
  const auto tokenizer = byte_tokenizer();
  const Query query = written_text(*tokenizer, "ab", 7, [&](const std::string& text) {
    seen = text;
    return true;
  });
  EXPECT_TRUE(query.is_done(tokens));
  EXPECT_EQ(seen, "bc");
  EXPECT_EQ(query.request.prompt, (std::vector<int32_t>{256, 'a', 'b'}));
  EXPECT_EQ(query.request.max_tokens, 7);
  EXPECT_EQ(query.request.end_token, 256);
  EXPECT_EQ(query.request.score_from, -1);
}

TEST(JsonLines, AreVisitedInOrderWithTheirNumbers) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.write("a.jsonl", "\n{\"a\": \"x\"}\r\n \n{\"a\": \"y\"}");
  std::string seen;
  for_each_example(path, [&](const std::string& what, const nlohmann::json& object) {
    seen += what + " " + text_member(object, what, "a") + ";";
  });
  EXPECT_EQ(seen, "line 2 of '" + path + "' x;line 4 of '" + path + "' y;");
}

TEST(JsonLines, AreRefusedInOneSentence) {
  const testing::TemporaryFolder folder;
  const auto error_of = [&](const std::string& text) {
    const std::string path = folder.write("F", text);
    std::string error = error_text([&] {
      for_each_example(path, [](const std::string& what, const nlohmann::json& object) {
        text_member(object, what, "text");
      });
    });
    const size_t found = error.find(path);
    return found == std::string::npos ? error : error.replace(found, path.size(), "F");
  };
  EXPECT_EQ(error_of(""), "'F' is empty: there is no example to measure");
  EXPECT_EQ(error_of("{\"text\": \"x\"}\n[]"), "line 2 of 'F' is not a JSON object");
  EXPECT_EQ(error_of("{}"), "line 1 of 'F' has no \"text\"");
  EXPECT_EQ(error_of("{\"text\": 3}"), "line 1 of 'F' has a \"text\" that is not a string");
  EXPECT_EQ(error_of("{\"text\": \" \"}"), "line 1 of 'F' has an empty \"text\"");
  EXPECT_NE(error_of("{\"text").find("line 1 of 'F' is not valid JSON"), std::string::npos);
}

TEST(SomeOf, SaysHowManyOfWhat) {
  EXPECT_EQ(some_of(2, 9, "texts"), "2 of the 9 texts");
  EXPECT_EQ(some_of(9, 9, "texts"), "all 9 texts");
}

}  // namespace
}  // namespace ebt
