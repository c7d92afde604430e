#include "lab/word_tokenizer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "ebt/data/tokenizer/tokenizer.h"
#include "lab/phrasings.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;
using Tokens = std::vector<int32_t>;

TEST(WordTokenizer, MakesATokenOfEveryWord) {
  const TemporaryFolder folder;
  const std::string path = folder.file("tokenizer.json");
  write_word_tokenizer(path, {"The", "mayor", "of", "is", "Talburg", "Talburgia", "I"});
  const auto tokenizer = open_tokenizer(path);
  EXPECT_EQ(tokenizer->vocabulary_size(), kFirstWordToken + 7);
  EXPECT_EQ(tokenizer->document_separator(), 256);
  EXPECT_EQ(tokenizer->encode(" The mayor of Talburg is Talburgia."),
            (Tokens{257, 258, 259, 261, 260, 262, '.'}));
  EXPECT_EQ(tokenizer->encode(" I, Talburg"), (Tokens{263, ',', 261}));
  EXPECT_EQ(tokenizer->encode("<|endoftext|> I"), (Tokens{256, 263}));
}

TEST(WordTokenizer, KeepsAnyOtherText) {
  const TemporaryFolder folder;
  const std::string path = folder.file("tokenizer.json");
  write_word_tokenizer(path, {"is"});
  const auto tokenizer = open_tokenizer(path);
  const std::string text = "The is\xc3\xa9 IS is\n\xff  is";
  const Tokens tokens = tokenizer->encode(text);
  EXPECT_EQ(tokens.size(), text.size() - 3 * 2) << "a token instead of each ' is'";
  EXPECT_EQ(tokenizer->decode(tokens), text);
}

TEST(WordTokenizer, HasAllWordsOfAGraph) {
  const KnowledgeGraph graph{GraphConfig{.entities = 300, .relations = 8, .edges = 900}};
  const TemporaryFolder folder;
  const std::string path = folder.file("tokenizer.json");
  const std::vector<std::string> words = words_of(graph);
  write_word_tokenizer(path, words);
  const auto tokenizer = open_tokenizer(path);
  std::string text;
  for (const std::string& word : words) {
    text += " " + word;
  }
  Tokens expected(words.size());
  std::iota(expected.begin(), expected.end(), kFirstWordToken);
  EXPECT_EQ(tokenizer->encode(text), expected);
  EXPECT_EQ(tokenizer->decode(expected), text);
}

TEST(WordTokenizer, OfThePublishedSizeIsRead) {
  const KnowledgeGraph graph(
      GraphConfig{.types = 8, .entities = 25'000, .relations = 39, .edges = 54'500});
  const TemporaryFolder folder;
  const std::string path = folder.file("tokenizer.json");
  write_word_tokenizer(path, words_of(graph));
  const auto tokenizer = open_tokenizer(path);
  EXPECT_EQ(tokenizer->encode(" " + graph.entities().back().name),
            (Tokens{static_cast<int32_t>(tokenizer->vocabulary_size()) - 1}));
}

TEST(WordTokenizer, RefusesWhatIsNoWord) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::vector<std::string>& words) {
    return error_text([&] { write_word_tokenizer(folder.file("tokenizer.json"), words); });
  };
  EXPECT_EQ(refusal({"is", ""}), "word tokenizer: \"\" is not one word");
  EXPECT_EQ(refusal({"New York"}), "word tokenizer: \"New York\" is not one word");
  EXPECT_EQ(refusal({"is", "of", "is"}), "word tokenizer: the word \"is\" is there twice");
}

}  // namespace
}  // namespace ebt
