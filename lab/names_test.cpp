#include "lab/names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ebt {
namespace {

std::vector<std::string> names_of(uint64_t seed, int64_t type, int count) {
  NameMaker maker(seed);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.push_back(maker.next(type));
  }
  return names;
}

bool ends_with_one_of(const std::string& name, int64_t type) {
  const std::vector<std::string_view>& endings = name_endings(type);
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

TEST(Names, AreUniqueByTheHundredThousand) {
  for (const int64_t type : {0, 7}) {
    const std::vector<std::string> names = names_of(3, type, 100'000);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  }
}

TEST(Names, AreCapitalisedWordsThatCanBeSpoken) {
  for (int64_t type = 0; type < kEntityTypes; ++type) {
    for (const std::string& name : names_of(1, type, 2000)) {
      EXPECT_TRUE(name[0] >= 'A' && name[0] <= 'Z') << name;
      EXPECT_TRUE(std::all_of(name.begin() + 1, name.end(), [](char letter) {
        return letter >= 'a' && letter <= 'z';
      })) << name;
      EXPECT_GE(name.size(), 6U) << name;
      EXPECT_LE(name.size(), 16U) << name;
      int consonants = 0;
      for (const char letter : name) {
        consonants =
            std::string_view("aeiouyAEIOU").find(letter) == std::string::npos ? consonants + 1 : 0;
        EXPECT_LE(consonants, 4) << name;
      }
    }
  }
}

TEST(Names, SayOfWhatTypeTheyAre) {
  for (int64_t type = 0; type < kEntityTypes; ++type) {
    for (const std::string& name : names_of(2, type, 500)) {
      for (int64_t other = 0; other < kEntityTypes; ++other) {
        EXPECT_EQ(ends_with_one_of(name, other), other == type) << name << " " << type_word(other);
      }
    }
  }
}

TEST(Names, FollowFromTheSeed) {
  EXPECT_EQ(names_of(5, 1, 100), names_of(5, 1, 100));
  EXPECT_NE(names_of(5, 1, 100), names_of(6, 1, 100));
}

TEST(Names, OfOneMakerDifferAcrossTypes) {
  NameMaker maker(4);
  std::set<std::string> names;
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_TRUE(names.insert(maker.next(i % kEntityTypes)).second);
  }
}

TEST(RelationNouns, AreDifferentLowerCaseWords) {
  const std::vector<RelationNoun> nouns = relation_nouns(kEntityTypes);
  EXPECT_GE(nouns.size(), 39U) << "as many as published";
  std::set<std::string_view> words;
  for (const RelationNoun& one : nouns) {
    EXPECT_TRUE(words.insert(one.noun).second) << one.noun;
    EXPECT_TRUE(std::all_of(one.noun.begin(), one.noun.end(), [](char letter) {
      return letter >= 'a' && letter <= 'z';
    })) << one.noun;
  }
}

TEST(RelationNouns, StayAmongTheTypesAndReachAllOfThem) {
  for (int64_t types = 1; types <= kEntityTypes; ++types) {
    const std::vector<RelationNoun> nouns = relation_nouns(types);
    std::set<int64_t> seen;
    for (const RelationNoun& one : nouns) {
      EXPECT_LT(std::max(one.head_type, one.tail_type), types) << one.noun;
      seen.insert(one.head_type);
      seen.insert(one.tail_type);
    }
    EXPECT_EQ(static_cast<int64_t>(seen.size()), types);
  }
}

}  // namespace
}  // namespace ebt
