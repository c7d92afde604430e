#include "ebt/data/tokenizer/bpe_tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "ebt/core/unicode.h"
#include "ebt/io/file.h"
#include "tests/support/error_text.h"
#include "tests/support/small_tokenizer.h"

namespace ebt {
namespace {

using nlohmann::json;
using testing::error_text;
using testing::small_tokenizer;
using Tokens = std::vector<int32_t>;

std::shared_ptr<const Tokenizer> made(const json& file) {
  return make_bpe_tokenizer(file.dump(), "'t.json'");
}

std::string refusal(const json& file) {
  return error_text([&] { made(file); });
}

// Any code point but surrogates, with a preference for what tokenizers treat specially.
std::string random_text(std::mt19937_64& random, size_t characters) {
  const std::u32string favourites =
      U" \n\r\t\0'sdtmhello .,1290_éü\u0301\u00a0\u2003\u3000\u2581\u180e\u200b日本語😀\u0120";
  std::string text;
  for (size_t i = 0; i < characters; ++i) {
    const auto any = static_cast<char32_t>(random() % 0x10F800);
    text += random() % 3 == 0 ? to_utf8(any < 0xD800 ? any : any + 0x800)
                              : to_utf8(favourites[random() % favourites.size()]);
  }
  return text;
}

TEST(BpeTokenizer, MergesWhatWasLearnedFirst) {
  const auto tokenizer = made(small_tokenizer());
  EXPECT_EQ(tokenizer->vocabulary_size(), 263);
  EXPECT_EQ(tokenizer->document_separator(), 262);
  EXPECT_EQ(tokenizer->name(), "tokenizer.json");
  EXPECT_EQ(tokenizer->encode("hello"), (Tokens{259}));
  // The blank merges with h only where no e follows: "h e" is learned first.
  EXPECT_EQ(tokenizer->encode(" hello hi he"), (Tokens{261, 260, 105, 32, 256}));
  EXPECT_EQ(tokenizer->encode("help"), (Tokens{256, 108, 112}));
  EXPECT_TRUE(tokenizer->encode("").empty());
}

TEST(BpeTokenizer, ReadsMergesAsPairs) {
  json file = small_tokenizer();
  for (json& merge : file["model"]["merges"]) {
    const std::string both = merge;
    merge = {both.substr(0, both.find(' ')), both.substr(both.find(' ') + 1)};
  }
  EXPECT_EQ(made(file)->encode("hello help"), made(small_tokenizer())->encode("hello help"));
}

TEST(BpeTokenizer, TakesWholeWordsWhereMergesAreIgnored) {
  json file = small_tokenizer();
  file["model"]["ignore_merges"] = true;
  EXPECT_EQ(made(file)->encode(" hello"), (Tokens{261}));
}

TEST(BpeTokenizer, CutsWordsAsGpt2Does) {
  // Every two bytes that these words hold are a token: tokens show where words begin.
  json file = small_tokenizer();
  int next = 263;
  for (const char* pair : {"\u0120 a", "a b", "b 1", "1 2", "\u0120 \u0120", "a .", "' s", "s a",
                           "\u010a a", "a \u0120", "\u0120 !", "' x"}) {
    std::string token = pair;
    token.erase(token.find(' '), 1);
    file["model"]["vocab"][token] = next++;
    file["model"]["merges"].push_back(pair);
  }
  const auto tokenizer = made(file);
  const auto pieces = [&](const std::string& text) {
    std::string joined;
    for (const int32_t token : tokenizer->encode(text)) {
      joined += (joined.empty() ? "" : "|") + tokenizer->decode({&token, 1});
    }
    return joined;
  };
  EXPECT_EQ(pieces("a a"), "a| a");
  EXPECT_EQ(pieces("a   a"), "a|  | a") << "the last blank belongs to the word";
  EXPECT_EQ(pieces("a   "), "a|  | ");
  EXPECT_EQ(pieces("a\na"), "a|\n|a");
  EXPECT_EQ(pieces("ab12"), "ab|12");
  EXPECT_EQ(pieces("a. !"), "a|.| !");
  EXPECT_EQ(pieces("'sa 'xa"), "'s|a| |'|x|a") << "a contraction is a word";
}

TEST(BpeTokenizer, PutsASpaceBeforeTextWhereAsked) {
  json file = small_tokenizer();
  file["pre_tokenizer"]["add_prefix_space"] = true;
  const auto tokenizer = made(file);
  EXPECT_EQ(tokenizer->encode("hi"), (Tokens{260, 105}));
  EXPECT_EQ(tokenizer->encode(" hi"), (Tokens{260, 105}));
}

TEST(BpeTokenizer, SplitsByTheFilesOwnPattern) {
  json file = small_tokenizer();
  const auto with_split = [&](const json& pattern, const char* behavior, bool invert) {
    file["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", pattern}, {"behavior", behavior}, {"invert", invert}},
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
    return made(file)->encode("hello.hell");
  };
  EXPECT_EQ(with_split({{"Regex", "he|."}}, "Isolated", false),
            (Tokens{256, 108, 108, 111, 46, 256, 108, 108}));
  EXPECT_EQ(with_split({{"String", "."}}, "Isolated", false), (Tokens{259, 46, 258}));
  EXPECT_EQ(with_split({{"String", "."}}, "Removed", false), (Tokens{259, 258}));
  EXPECT_EQ(with_split({{"Regex", "\\w+"}}, "Removed", true), (Tokens{259, 258}));
  EXPECT_EQ(with_split({{"Regex", "(?=l)|e"}}, "Isolated", false),
            (Tokens{104, 101, 108, 108, 111, 46, 104, 101, 108, 108}))
      << "matches of nothing cut as well";
}

TEST(BpeTokenizer, FindsAddedTokens) {
  json file = small_tokenizer();
  const auto add = [&](int id, const char* content, json more) {
    more["id"] = id;
    more["content"] = content;
    file["added_tokens"].push_back(more);
  };
  add(263, "<a>", {{"special", true}, {"lstrip", true}, {"rstrip", true}});
  add(264, "<a>b", {{"special", true}});
  add(265, "who", {{"single_word", true}});
  const auto tokenizer = made(file);
  EXPECT_EQ(tokenizer->encode("<|endoftext|>he"), (Tokens{262, 256}));
  EXPECT_EQ(tokenizer->encode("he \u2003<a>\n he"), (Tokens{256, 263, 256}));
  EXPECT_EQ(tokenizer->encode("<a>b"), (Tokens{264})) << "the longest wins";
  EXPECT_EQ(tokenizer->encode("who,"), (Tokens{265, 44}));
  EXPECT_EQ(tokenizer->encode("whoé"), (Tokens{119, 104, 111, 0xC3, 0xA9}));
  EXPECT_EQ(tokenizer->decode(Tokens{262, 263, 264}), "<a><a>b");
}

TEST(BpeTokenizer, FindsAddedTokensBeforeOrAfterNormalising) {
  json file = small_tokenizer();
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}}}};
  file["added_tokens"].push_back({{"id", 263}, {"content", "e\u0301"}, {"normalized", true}});
  EXPECT_EQ(made(file)->encode("\u00e9e\u0301"), (Tokens{263, 263}));
  file["added_tokens"][1]["normalized"] = false;
  EXPECT_EQ(made(file)->encode("\u00e9e\u0301"), (Tokens{0xC3, 0xA9, 263}));
}

TEST(BpeTokenizer, Normalises) {
  json file = small_tokenizer();
  const auto bytes = [&](const char* form, const std::string& text) {
    file["normalizer"] = {{"type", form}};
    const auto tokenizer = made(file);
    return tokenizer->decode(tokenizer->encode(text));
  };
  EXPECT_EQ(bytes("NFC", "e\u0301\ufb01"), "\u00e9\ufb01");
  EXPECT_EQ(bytes("NFD", "\u00e9\ufb01"), "e\u0301\ufb01");
  EXPECT_EQ(bytes("NFKC", "e\u0301\ufb01"), "\u00e9fi");
  EXPECT_EQ(bytes("NFKD", "\u00e9\ufb01"), "e\u0301fi");
}

TEST(BpeTokenizer, DecodesWhatItEncoded) {
  const auto tokenizer = made(small_tokenizer());
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(random, random() % 40);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

// Of a file that asks for NFC the text comes back in NFC: one of the equivalent spellings, of which
// the model can write no other.
TEST(BpeTokenizer, DecodesTheNormalFormOfWhatItEncoded) {
  json file = small_tokenizer();
  file["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = made(file);
  std::mt19937_64 random(5);
  int changed = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(random, random() % 40);
    const std::string decoded = tokenizer->decode(tokenizer->encode(text));
    EXPECT_EQ(decoded, normalized(text, NormalForm::kNfc));
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(decoded)), decoded);
    changed += decoded != text ? 1 : 0;
  }
  EXPECT_GT(changed, 10);
}

TEST(BpeTokenizer, DecodesTokenByToken) {
  const auto tokenizer = made(small_tokenizer());
  std::mt19937_64 random(2);
  const std::string text = random_text(random, 500);
  std::string joined;
  for (const int32_t token : tokenizer->encode(text)) {
    joined += tokenizer->decode({&token, 1});
  }
  EXPECT_EQ(joined, text);
}

TEST(BpeTokenizer, KeepsBytesThatAreNoText) {
  const auto tokenizer = made(small_tokenizer());
  EXPECT_EQ(tokenizer->encode("he\xffhe\xc3"), (Tokens{256, 255, 256, 0xC3}));
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (size_t length = random() % 40; length > 0; --length) {
      bytes.push_back(static_cast<char>(random()));
    }
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(bytes)), bytes);
  }
}

// Quadratic time would take minutes here.
TEST(BpeTokenizer, EncodesLongWords) {
  const auto tokenizer = made(small_tokenizer());
  std::string word;
  while (word.size() < 1'000'000) {
    word += "hellohelp";
  }
  const Tokens tokens = tokenizer->encode(word);
  EXPECT_EQ(tokens.size(), word.size() / 9 * 4);
  EXPECT_EQ(tokenizer->decode(tokens), word);
  EXPECT_EQ(tokenizer->encode(std::string(1'000'000, ' ')).size(), 1'000'000U);
}

// Of a million signs that are no letters each is a match: what is looked for again and again must
// not be looked for in all that follows.
TEST(BpeTokenizer, CutsLongTexts) {
  json file = small_tokenizer();
  for (const char* pattern :
       {"",
        R"((?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
        R"(\s+(?!\S)|\s+)"}) {
    if (*pattern != 0) {
      file["pre_tokenizer"] = {
          {"type", "Sequence"},
          {"pretokenizers",
           {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}},
            {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
    }
    const auto tokenizer = made(file);
    for (const char* part : {" ", "\n", "a", "1", "!", "! ", "a ", "\n ", "'s", "\u0301", "日"}) {
      std::string text;
      while (text.size() < 300'000) {
        text += part;
      }
      text += "x";
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    }
  }
}

TEST(BpeTokenizer, RefusesTextsThatTakeAnExpressionTooLong) {
  json file = small_tokenizer();
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"behavior", "Isolated"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  const auto tokenizer = made(file);
  EXPECT_EQ(error_text([&] { tokenizer->encode(std::string(100, 'a') + "b"); }),
            "the tokenizer's regular expression fails on a text of 101 bytes: "
            "retry-limit-in-match over");
}

// Of characters, as Llama 2's: a space is a sign of its own, and what has no token is written as
// bytes.
TEST(BpeTokenizer, WritesCharactersWithoutATokenAsBytes) {
  json file = small_tokenizer();
  json& vocabulary = file["model"]["vocab"];
  vocabulary = {{"<unk>", 0}, {"</s>", 1}};
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[fmt::format("<0x{:02X}>", byte)] = byte + 2;
  }
  int next = 258;
  for (const char* token : {"\u2581", "h", "e", "l", "o", "he", "\u2581h", "\u2581he"}) {
    vocabulary[token] = next++;
  }
  file["model"]["merges"] = {"h e", "\u2581 h", "\u2581 he"};
  file["model"]["byte_fallback"] = true;
  file["model"]["unk_token"] = "<unk>";
  file["added_tokens"][0] = {{"id", 1}, {"content", "</s>"}, {"special", true}};
  file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  file["pre_tokenizer"] = nullptr;
  file["decoder"] = {{"type", "Sequence"},
                     {"decoders",
                      {{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
                       {{"type", "ByteFallback"}},
                       {{"type", "Fuse"}}}}};
  const auto tokenizer = made(file);
  EXPECT_EQ(tokenizer->encode("he hé"), (Tokens{263, 264, 0xC3 + 2, 0xA9 + 2}));
  std::mt19937_64 random(6);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = random_text(random, random() % 40) + "\xff\xc3 o";
    std::string expected = text;  // the sign that stands for a space comes back as one
    for (size_t at = 0; (at = expected.find("\u2581", at)) != expected.npos;) {
      expected.replace(at, 3, " ");
    }
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), expected);
  }
  file["model"]["vocab"].erase("<0x41>");
  EXPECT_EQ(refusal(file),
            "'t.json' has no token for the byte 65: not every text could be written");
}

TEST(BpeTokenizer, RefusesTokensOutsideTheVocabulary) {
  const auto tokenizer = made(small_tokenizer());
  for (const int32_t token : {-1, 263}) {
    EXPECT_EQ(error_text([&] {
                tokenizer->decode({&token, 1});
              }),
              fmt::format("cannot decode token {}: the tokenizer has tokens 0 to 262", token));
  }
}

// ---- The published tokenizer, where it is at hand.

class GptNeoX : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_ / "gpt_neox_tokenizer.json")) {
      GTEST_SKIP() << "there is no " << folder_ << " with the tokenizer of GPT-NeoX";
    }
    tokenizer_ = open_tokenizer((folder_ / "gpt_neox_tokenizer.json").string());
  }

  std::filesystem::path folder_ = std::filesystem::path(EBT_SOURCE_DIR) / "../shared/data";
  std::shared_ptr<const Tokenizer> tokenizer_;
};

// A line is a text, as it stands, then " => " and its tokens with commas between.
TEST_F(GptNeoX, EncodesAsPublished) {
  std::ifstream file(folder_ / "gpt_neox_tokenizer_vectors.txt");
  int lines = 0;
  for (std::string line; std::getline(file, line);) {
    const size_t arrow = line.rfind(" => ");
    if (arrow == std::string::npos) {
      continue;
    }
    Tokens expected;
    std::istringstream numbers(line.substr(arrow + 4));
    for (std::string number; std::getline(numbers, number, ',');) {
      expected.push_back(std::stoi(number));
    }
    EXPECT_EQ(tokenizer_->encode(line.substr(0, arrow)), expected) << line;
    ++lines;
  }
  EXPECT_EQ(lines, 100);
}

TEST_F(GptNeoX, DecodesWhatItEncoded) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 500; ++i) {
    const std::string text = normalized(random_text(random, 40), NormalForm::kNfc);
    EXPECT_EQ(tokenizer_->decode(tokenizer_->encode(text)), text);
  }
  EXPECT_EQ(tokenizer_->decode(tokenizer_->encode("a\xff\xc3z")), "a\uFFFD\xc3z")
      << "GPT-NeoX has no token for 0xFF";
  EXPECT_EQ(tokenizer_->vocabulary_size(), 50277);
  EXPECT_EQ(tokenizer_->document_separator(), 0);
}

}  // namespace
}  // namespace ebt
