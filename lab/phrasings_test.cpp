#include "lab/phrasings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ebt {
namespace {

const Wording kOne = {.head = "Talburg", .relation = "mayor", .tail = "Oriel"};
const Wording kTwo = {
    .head = "Talburg", .relation = "mayor", .tail = "Menstead", .second = "birthplace"};
const Wording kTold = {.head = "Talburg",
                       .relation = "mayor",
                       .tail = "Menstead",
                       .second = "birthplace",
                       .bridge = "Oriel"};

TEST(Phrasings, AreSentences) {
  EXPECT_EQ(sentence(0, kOne), " The mayor of Talburg is Oriel.");
  EXPECT_EQ(sentence(1, kOne), " For Talburg the mayor is Oriel.");
  EXPECT_EQ(sentence(4, kOne), " Ask Talburg for the mayor and hear Oriel.");
  EXPECT_EQ(sentence(0, kTwo), " The birthplace of the mayor of Talburg is Menstead.");
  EXPECT_EQ(sentence(0, kTold), " The birthplace of the mayor of Talburg, Oriel, is Menstead.");
  EXPECT_EQ(sentence(4, kTold),
            " Ask the mayor of Talburg, Oriel, for the birthplace and hear Menstead.");
}

TEST(Phrasings, TellEverythingAndTheAnswerLast) {
  std::set<std::string> all;
  for (int64_t phrasing = 0; phrasing < kPhrasings; ++phrasing) {
    for (const Wording& wording : {kOne, kTwo, kTold}) {
      const std::string text = sentence(phrasing, wording);
      EXPECT_TRUE(all.insert(text).second) << text;
      for (const std::string_view word :
           {wording.head, wording.relation, wording.tail, wording.second, wording.bridge}) {
        EXPECT_NE(text.find(word), std::string::npos) << text << " " << word;
      }
      EXPECT_TRUE(text.ends_with(" " + std::string(wording.tail) + ".")) << text;
      EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
    }
  }
}

TEST(Phrasings, ArePromptedUpToWhatIsAsked) {
  EXPECT_EQ(prompt(0, kOne), " The mayor of Talburg is");
  EXPECT_EQ(prompt(0, kTwo), " The birthplace of the mayor of Talburg is");
  EXPECT_EQ(prompt(0, kTold), " The birthplace of the mayor of Talburg,");
  for (int64_t phrasing = 0; phrasing < kPhrasings; ++phrasing) {
    for (const Wording& wording : {kOne, kTwo, kTold}) {
      const std::string text = sentence(phrasing, wording);
      const std::string begin = prompt(phrasing, wording);
      ASSERT_TRUE(text.starts_with(begin)) << text << " " << begin;
      EXPECT_EQ(answer_in(text.substr(begin.size())), wording.tail) << text;
    }
  }
}

TEST(Phrasings, SayTheirAnswerBeforeTheFirstStop) {
  EXPECT_EQ(answer_in(" Oriel. The mayor of Menstead is Talard."), "Oriel");
  EXPECT_EQ(answer_in(" Oriel, is Menstead"), "Menstead");
  EXPECT_EQ(answer_in("Oriel"), "Oriel");
  EXPECT_EQ(answer_in(" Oriel ,"), "Oriel");
  EXPECT_EQ(answer_in(". Oriel"), "");
  EXPECT_EQ(answer_in(""), "");
}

TEST(Phrasings, ListTheirWords) {
  const std::vector<std::string> words = function_words();
  EXPECT_EQ(words,
            (std::vector<std::string>{"As", "Ask", "For", "It", "Known", "The", "and", "as", "for",
                                      "has", "hear", "is", "known", "of", "that", "the"}));
}

}  // namespace
}  // namespace ebt
