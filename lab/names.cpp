#include "lab/names.h"

#include <array>
#include <cstddef>

namespace ebt {
namespace {

using Words = std::vector<std::string_view>;

enum Type : int64_t { kPerson, kTown, kFirm, kCountry, kSchool, kBook, kRiver, kDish };

struct EntityType {
  std::string_view word;
  Words endings;
};

const std::array<EntityType, kEntityTypes>& entity_types() {
  static const std::array<EntityType, kEntityTypes> kTypes = {{
      {"person", {"iel", "ard", "ina", "ette", "os", "wyn"}},
      {"town", {"ville", "burg", "haven", "stead", "minster", "bridge"}},
      {"firm", {"corp", "works", "tex", "soft", "motors", "bank"}},
      {"country", {"land", "stan", "avia", "mark", "onia", "opolis"}},
      {"school", {"lyceum", "college", "academy", "hall", "seminary", "campus"}},
      {"book", {"iad", "saga", "quest", "lore", "legend", "diary"}},
      {"river", {"water", "brook", "stream", "beck", "rapids", "flow"}},
      {"dish", {"stew", "soup", "cake", "pie", "bread", "roast"}},
  }};
  return kTypes;
}

// Ordered so that every beginning of the list ties the types that it has together.
constexpr RelationNoun kNouns[] = {
    {"birthplace", kPerson, kTown},  {"employer", kPerson, kFirm},
    {"mayor", kTown, kPerson},       {"founder", kFirm, kPerson},
    {"headquarters", kFirm, kTown},  {"teacher", kPerson, kPerson},
    {"supplier", kFirm, kFirm},      {"country", kTown, kCountry},
    {"capital", kCountry, kTown},    {"president", kCountry, kPerson},
    {"homeland", kPerson, kCountry}, {"school", kPerson, kSchool},
    {"principal", kSchool, kPerson}, {"location", kSchool, kTown},
    {"sponsor", kSchool, kFirm},     {"author", kBook, kPerson},
    {"publisher", kBook, kFirm},     {"setting", kBook, kTown},
    {"textbook", kSchool, kBook},    {"river", kTown, kRiver},
    {"mouth", kRiver, kTown},        {"explorer", kRiver, kPerson},
    {"tributary", kRiver, kRiver},   {"speciality", kTown, kDish},
    {"inventor", kDish, kPerson},    {"origin", kDish, kCountry},
    {"border", kCountry, kRiver},    {"neighbour", kTown, kTown},
    {"rival", kFirm, kFirm},         {"ally", kCountry, kCountry},
    {"sequel", kBook, kBook},        {"garnish", kDish, kDish},
    {"friend", kPerson, kPerson},    {"lawyer", kFirm, kPerson},
    {"brewery", kTown, kFirm},       {"translator", kBook, kPerson},
    {"breakfast", kPerson, kDish},   {"epic", kCountry, kBook},
    {"partner", kSchool, kSchool},   {"market", kFirm, kCountry},
    {"spouse", kPerson, kPerson},    {"champion", kTown, kPerson},
    {"canteen", kSchool, kFirm},     {"critic", kBook, kPerson},
    {"mentor", kPerson, kPerson},    {"treasurer", kSchool, kPerson},
    {"landlord", kPerson, kPerson},  {"port", kRiver, kTown},
    {"lender", kFirm, kFirm},        {"doctor", kPerson, kPerson},
};

// The parts of a syllable; the empty ones leave a part out.
const Words kOnsets = {"b",  "d",  "f",  "g",  "h",  "j",  "k",  "l",  "m",  "n",
                       "p",  "r",  "s",  "t",  "v",  "z",  "br", "dr", "fl", "gr",
                       "kl", "kr", "pl", "pr", "sh", "sk", "st", "th", "tr"};
const Words kVowels = {"a", "e", "i", "o", "u"};
const Words kCodas = {"", "", "l", "m", "n", "r", "s"};
const Words kLinks = {"d", "l", "n", "r", "v"};  // between two vowels

bool is_vowel(char letter) { return std::string_view("aeiou").find(letter) != std::string::npos; }

}  // namespace

std::string_view type_word(int64_t type) { return entity_types()[static_cast<size_t>(type)].word; }

const std::vector<std::string_view>& name_endings(int64_t type) {
  return entity_types()[static_cast<size_t>(type)].endings;
}

std::vector<RelationNoun> relation_nouns(int64_t types) {
  std::vector<RelationNoun> nouns;
  for (const RelationNoun& one : kNouns) {
    if (one.head_type < types && one.tail_type < types) {
      nouns.push_back(one);
    }
  }
  return nouns;
}

std::string NameMaker::next(int64_t type) {
  for (;;) {
    std::string name;
    for (int syllable = 0; syllable < 2; ++syllable) {
      name += draws_.pick(kOnsets);
      name += draws_.pick(kVowels);
      name += draws_.pick(kCodas);
    }
    const std::string_view ending = draws_.pick(name_endings(type));
    if (is_vowel(name.back()) && is_vowel(ending.front())) {
      name += draws_.pick(kLinks);
    }
    name += ending;
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
    if (taken_.insert(name).second) {
      return name;
    }
  }
}

}  // namespace ebt
