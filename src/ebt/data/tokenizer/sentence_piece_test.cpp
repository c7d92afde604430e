#include "ebt/data/tokenizer/sentence_piece.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "ebt/core/unicode.h"
#include "ebt/io/file.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

// Sentences of words that are made of some syllables.
const std::string& story() {
  static const std::string text = [] {
    constexpr const char* kSyllables[] = {"ri",  "ver", "stone", "ba",  "lo",  "men", "tar", "qui",
                                          "sol", "the", "an",    "dro", "pel", "is",  "gra", "um"};
    std::mt19937_64 random(5);
    std::vector<std::string> words(400);
    for (std::string& word : words) {
      for (size_t syllables = 1 + random() % 4; syllables > 0; --syllables) {
        word += kSyllables[random() % std::size(kSyllables)];
      }
    }
    std::string lines;
    for (int line = 0; line < 1000; ++line) {
      for (size_t length = 4 + random() % 8; length > 0; --length) {
        lines += words[random() % words.size()] + (length > 1 ? " " : ", 17.\n");
      }
    }
    return lines;
  }();
  return text;
}

const std::string& model(SentencePieceType type) {
  const auto trained = [](SentencePieceType of) {
    return train_sentence_piece({story()}, 350, of);
  };
  static const std::string bpe = trained(SentencePieceType::kBpe);
  static const std::string unigram = trained(SentencePieceType::kUnigram);
  return type == SentencePieceType::kBpe ? bpe : unigram;
}

constexpr const char* kAbsent = "built without SentencePiece";

class SentencePiece : public ::testing::TestWithParam<SentencePieceType> {
 protected:
  void SetUp() override {
    if (!has_sentence_piece()) {
      GTEST_SKIP() << kAbsent;
    }
    tokenizer_ = make_sentence_piece_tokenizer(model(GetParam()), "'t.model'");
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
};

INSTANTIATE_TEST_SUITE_P(Types, SentencePiece,
                         ::testing::Values(SentencePieceType::kBpe, SentencePieceType::kUnigram),
                         [](const auto& info) {
                           return info.param == SentencePieceType::kBpe ? "Bpe" : "Unigram";
                         });

TEST_P(SentencePiece, HasAsManyTokensAsAskedFor) {
  EXPECT_EQ(tokenizer_->vocabulary_size(), 350);
  const int32_t separator = tokenizer_->document_separator();
  EXPECT_EQ(tokenizer_->decode({&separator, 1}), "");
  EXPECT_EQ(tokenizer_->name(), "tokenizer.model");
}

TEST_P(SentencePiece, LearnsTheWordsOfItsText) {
  const std::string line = story().substr(0, story().find('\n'));
  EXPECT_LT(tokenizer_->encode(line).size(), line.size() / 2);
  EXPECT_TRUE(tokenizer_->encode("").empty());
}

TEST_P(SentencePiece, DecodesWhatItEncoded) {
  std::mt19937_64 random(1);
  const std::u32string favourites = U"  \n\n\r\t\0\u2581\u2585abcthe.,12éü\u0301\u00a0日😀";
  for (int i = 0; i < 1000; ++i) {
    std::string text;
    for (size_t length = random() % 40; length > 0; --length) {
      const auto any = static_cast<char32_t>(random() % 0x10F800);
      text += random() % 4 == 0 ? to_utf8(any < 0xD800 ? any : any + 0x800)
                                : to_utf8(favourites[random() % favourites.size()]);
      if (random() % 16 == 0) {
        text.push_back(static_cast<char>(random()));
      }
    }
    EXPECT_EQ(tokenizer_->decode(tokenizer_->encode(text)), text);
  }
  EXPECT_EQ(tokenizer_->decode(tokenizer_->encode(story())), story());
}

// Whatever it learned from: spaces, ends of lines and signs that it never met are bytes.
TEST_P(SentencePiece, DecodesAnyTextWhateverItLearnedFrom) {
  constexpr int64_t kTokens = 259;
  for (const std::string& learned :
       {std::string("abcabcabd"), std::string("\u2581a\u2581"), std::string("a\tb\tc\t"),
        std::string("日本語日本"), std::string("\u2585\u2585ab\u2585"),
        std::string("a b\r\na b\r\n"), std::string("   "), std::string("ab\0ab", 5),
        std::string("ab\xff\xfe"
                    "ab")}) {
    const auto tokenizer =
        make_sentence_piece_tokenizer(train_sentence_piece({learned}, kTokens, GetParam()), "'t'");
    for (const std::string& text :
         {learned, std::string(" "), std::string("  a  b  "), std::string("\t\r\n a\r\n\n"),
          std::string("\u2581 \u2581 a\u2581"), std::string("a\0b", 3),
          std::string("\xff \xe2\x96 \x81"), std::string("日本 語\u3000"),
          std::string("\x01\x7f\u0085\u00a0"), std::string("<0x41></s><unk>")}) {
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text) << learned;
    }
  }
}

TEST_P(SentencePiece, LearnsFromScriptsOfThousandsOfCharacters) {
  std::mt19937_64 random(3);
  std::vector<std::string> words(1500);
  char32_t next = 0;
  for (std::string& word : words) {
    word = to_utf8(0x4E00 + next % 2500) + to_utf8(0x4E00 + (next + 1) % 2500);
    next += 2;
  }
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += words[random() % words.size()] + (i % 30 == 29 ? "。\n" : "");
  }
  const auto tokenizer =
      make_sentence_piece_tokenizer(train_sentence_piece({text}, 1000, GetParam()), "'t.model'");
  EXPECT_EQ(tokenizer->vocabulary_size(), 1000);
  EXPECT_LT(tokenizer->encode(text).size(), text.size());
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
}

TEST_P(SentencePiece, RefusesTextsWithoutCharacters) {
  for (const char* text : {"", "\n\n", "\xff\xfe", "\t\t\n", "\u2585"}) {
    EXPECT_EQ(error_text([&] { train_sentence_piece({text}, 300, GetParam()); }),
              "the text has no characters that a tokenizer could learn from");
  }
}

// Quadratic time would take hours here.
TEST_P(SentencePiece, EncodesLongLines) {
  for (const char* part : {"stone", " ", "\u2581", "\n", "日"}) {
    std::string line;
    while (line.size() < 1'000'000) {
      line += part;
    }
    EXPECT_TRUE(tokenizer_->decode(tokenizer_->encode(line)) == line) << part;
  }
}

TEST_P(SentencePiece, EndsTextsWithThePieceThatIsAskedFor) {
  EXPECT_EQ(tokenizer_->separator_name(), "</s>");
  const auto made = [&](const EndOfText& end_of_text) {
    return make_sentence_piece_tokenizer(model(GetParam()), "'t.model'", end_of_text);
  };
  EXPECT_EQ(made({.token = "no piece", .id = {}})->separator_name(), "</s>");
  const std::string piece = "<0x00>";
  EXPECT_EQ(made({.token = piece, .id = {}})->separator_name(), piece);
  EXPECT_EQ(error_text([&] { made({.token = "none", .id = {}, .required = true}); }),
            "--end-of-text: 't.model' has no token \"none\"");
}

TEST_P(SentencePiece, DecodesTokenByToken) {
  const std::string text = "  The bridge,\n\n  and \u2581 \xff the é valley. ";
  std::string joined;
  for (const int32_t token : tokenizer_->encode(text)) {
    joined += tokenizer_->decode({&token, 1});
  }
  EXPECT_EQ(joined, text);
}

TEST_P(SentencePiece, IsLearnedTheSameWayAgain) {
  EXPECT_EQ(train_sentence_piece({story()}, 350, GetParam()), model(GetParam()));
}

TEST_P(SentencePiece, RefusesTokensOutsideTheVocabulary) {
  const int32_t token = 350;
  EXPECT_EQ(error_text([&] {
              tokenizer_->decode({&token, 1});
            }),
            "cannot decode token 350: the tokenizer has tokens 0 to 349");
}

TEST_P(SentencePiece, RefusesASizeThatTheTextDoesNotYield) {
  const std::string error =
      error_text([] { train_sentence_piece({"a few words"}, 10'000, GetParam()); });
  EXPECT_EQ(error.rfind("cannot learn 10000 tokens from this text: it yields 259 to about 2", 0),
            0U)
      << error;
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  EXPECT_EQ(error_text([] { train_sentence_piece({story()}, 258, GetParam()); }),
            "--vocab-size: 258 is not between 259 and 1000000");
}

TEST(SentencePieceFile, OfSomethingElseIsRefused) {
  if (!has_sentence_piece()) {
    GTEST_SKIP() << kAbsent;
  }
  for (const char* file : {"", "text", "\x0a\xff\xff\xff\xff"}) {
    EXPECT_EQ(error_text([&] { make_sentence_piece_tokenizer(file, "'t.model'"); }),
              "'t.model' is not a SentencePiece model, nor a tokenizer.json");
  }
}

TEST(SentencePieceFile, NeedsTheLibrary) {
  if (has_sentence_piece()) {
    GTEST_SKIP() << "built with SentencePiece";
  }
  EXPECT_EQ(error_text([] { make_sentence_piece_tokenizer("", "'t.model'"); }),
            "reading 't.model' takes SentencePiece, which this program was built without: install "
            "libsentencepiece-dev and build it again");
}

TEST(OpenTokenizer, FindsTheKindByTheFile) {
  if (!has_sentence_piece()) {
    GTEST_SKIP() << kAbsent;
  }
  const TemporaryFolder folder;
  const std::string path = folder.write("some.name", model(SentencePieceType::kBpe));
  EXPECT_EQ(open_tokenizer(path)->vocabulary_size(), 350);
  EXPECT_EQ(error_text([&] { open_tokenizer(folder.write("t.json", "{}")); }),
            "'" + folder.file("t.json") + "' has no \"model\": it is no tokenizer.json");
  EXPECT_EQ(error_text([&] { open_tokenizer(folder.file("none")); }),
            "cannot read '" + folder.file("none") + "': No such file or directory");
}

TEST(OpenTokenizer, TakesTheModelOfAFolderWhoseJsonIsNotSupported) {
  if (!has_sentence_piece()) {
    GTEST_SKIP() << kAbsent;
  }
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  folder.write("tokenizer.json", R"({"model": {"type": "Unigram", "vocab": [["a", 0.5]]}})");
  EXPECT_EQ(error_text([&] { open_tokenizer(path); }),
            "'" + folder.file("tokenizer.json") +
                "' uses a model of type \"Unigram\", which is not supported");
  folder.write("tokenizer.model", model(SentencePieceType::kBpe));
  ::testing::internal::CaptureStderr();
  const auto tokenizer = open_tokenizer(path);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "'" + folder.file("tokenizer.json") +
                "' uses a model of type \"Unigram\", which is not supported; '" +
                folder.file("tokenizer.model") + "' is used instead\n");
  EXPECT_EQ(tokenizer->name(), "tokenizer.model");
  std::filesystem::create_directory(folder.file("copy"));
  copy_tokenizer(path, *tokenizer, folder.file("copy"));
  EXPECT_EQ(open_tokenizer(folder.file("copy"))->encode("the stone"),
            tokenizer->encode("the stone"));
  // What is damaged is not passed over.
  folder.write("tokenizer.json", R"({"model": {"type": "BPE")");
  EXPECT_NE(error_text([&] { open_tokenizer(path); }), "");
}

TEST(OpenTokenizer, FindsTheFileOfAFolder) {
  if (!has_sentence_piece()) {
    GTEST_SKIP() << kAbsent;
  }
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_EQ(error_text([&] { open_tokenizer(path); }),
            "the folder '" + path +
                "' holds neither a tokenizer (tokenizer.json or tokenizer.model) nor a model");
  folder.write("config.json", R"({"format_version": 1})");
  EXPECT_EQ(open_tokenizer(path), byte_tokenizer());
  copy_tokenizer("bytes", *byte_tokenizer(), path);
  EXPECT_EQ(open_tokenizer(path), byte_tokenizer());
  folder.write("config.json", R"({"model_type": "somebody else's"})");
  const std::string elsewhere = folder.write("elsewhere", model(SentencePieceType::kBpe));
  copy_tokenizer(elsewhere, *open_tokenizer(elsewhere), path);
  EXPECT_EQ(open_tokenizer(path)->name(), "tokenizer.model");
}

}  // namespace
}  // namespace ebt
