// Sentence templates that state facts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

// Phrasings are numbered from 0, which questions are put in, to kPhrasings - 1.
inline constexpr int64_t kPhrasings = 6;

// What a sentence is about. "The {relation} of {head} is {tail}."; with a second relation, "The
// {second} of the {relation} of {head} is {tail}.", where a bridge, who the {relation} of {head}
// is, may be told on the way: "The {second} of the {relation} of {head}, {bridge}, is {tail}."
struct Wording {
  std::string_view head;
  std::string_view relation;
  std::string_view tail;
  std::string_view second = {};  // empty: one hop
  std::string_view bridge = {};  // empty: not told; only with a second relation
};

// Both begin with a space, as every word in them does, and nothing else separates sentences.
std::string sentence(int64_t phrasing, const Wording& wording);
// The sentence up to what it is about to tell: the tail, or the bridge where one is told.
std::string prompt(int64_t phrasing, const Wording& wording);

// What a completion of a prompt says: its last word before the first full stop, or before its end;
// empty where there is none. So a bridge that is told on the way does not matter.
std::string answer_in(std::string_view completion);

// All words of the phrasings but the names and relations, once each, in order.
std::vector<std::string> function_words();

}  // namespace ebt
