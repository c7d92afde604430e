// The vocabulary of synthetic worlds: types of entities, nouns of relations between them, and
// invented names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lab/draws.h"

namespace ebt {

// Types of entities are numbered from 0 to kEntityTypes - 1, from persons to dishes.
inline constexpr int64_t kEntityTypes = 8;

// "person"; `type` must be one of the types.
std::string_view type_word(int64_t type);
// What names of the type end with; no ending of one type ends with that of another.
const std::vector<std::string_view>& name_endings(int64_t type);

// "The {noun} of {head} is {tail}.": one lower-case English word for every pair of types.
struct RelationNoun {
  std::string_view noun;
  int64_t head_type = 0;
  int64_t tail_type = 0;
};

// All relations among the first `types` types, in the order in which a world should take them.
std::vector<RelationNoun> relation_nouns(int64_t types);

// Invents names: two syllables and an ending of the type, one capitalised word of ASCII letters,
// easily spoken, no two alike. The n-th name follows from the seed and the types asked for so far.
// There are over 100,000 of each type.
class NameMaker {
 public:
  explicit NameMaker(uint64_t seed) : draws_(seed, LabPart::kNames, 0) {}

  std::string next(int64_t type);

 private:
  Draws draws_;
  std::unordered_set<std::string> taken_;
};

}  // namespace ebt
