#include "lab/phrasings.h"

#include <cstddef>
#include <set>

namespace ebt {
namespace {

// "{bridge}" stands directly behind the word that it explains: it brings its commas along.
constexpr std::string_view kOneHop[kPhrasings] = {
    "The {relation} of {head} is {tail}.",
    "For {head} the {relation} is {tail}.",
    "As {relation} {head} has {tail}.",
    "Known as the {relation} of {head} is {tail}.",
    "Ask {head} for the {relation} and hear {tail}.",
    "It is known that the {relation} of {head} is {tail}.",
};
constexpr std::string_view kTwoHops[kPhrasings] = {
    "The {second} of the {relation} of {head}{bridge} is {tail}.",
    "For {head} the {second} of the {relation}{bridge} is {tail}.",
    "As {second} the {relation} of {head}{bridge} has {tail}.",
    "Known as the {second} of the {relation} of {head}{bridge} is {tail}.",
    "Ask the {relation} of {head}{bridge} for the {second} and hear {tail}.",
    "It is known that the {second} of the {relation} of {head}{bridge} is {tail}.",
};

std::string_view template_of(int64_t phrasing, const Wording& wording) {
  return (wording.second.empty() ? kOneHop : kTwoHops)[static_cast<size_t>(phrasing)];
}

// Calls on_text(part) and on_slot(name) for what stands between and within braces, in order.
template <class OnText, class OnSlot>
void for_each_part(std::string_view text, const OnText& on_text, const OnSlot& on_slot) {
  while (!text.empty()) {
    const size_t open = text.find('{');
    on_text(text.substr(0, open));
    if (open == text.npos) {
      return;
    }
    const size_t close = text.find('}');
    on_slot(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
}

}  // namespace

std::string sentence(int64_t phrasing, const Wording& wording) {
  std::string text = " ";
  for_each_part(
      template_of(phrasing, wording), [&](std::string_view part) { text += part; },
      [&](std::string_view slot) {
        if (slot == "bridge") {
          text += wording.bridge.empty() ? "" : ", " + std::string(wording.bridge) + ",";
        } else {
          text += slot == "head"       ? wording.head
                  : slot == "relation" ? wording.relation
                  : slot == "second"   ? wording.second
                                       : wording.tail;
        }
      });
  return text;
}

std::string prompt(int64_t phrasing, const Wording& wording) {
  // Letters that no name has, where the sentence is to be cut.
  constexpr std::string_view kCut = "\n";
  Wording cut = wording;
  (wording.bridge.empty() ? cut.tail : cut.bridge) = kCut;
  std::string text = sentence(phrasing, cut);
  text.resize(text.find(kCut) - 1);  // and the space before it
  return text;
}

std::string answer_in(std::string_view completion) {
  completion = completion.substr(0, completion.find('.'));
  constexpr std::string_view kBetween = " ,\n";
  const size_t last = completion.find_last_not_of(kBetween);
  if (last == completion.npos) {
    return "";
  }
  completion = completion.substr(0, last + 1);
  const size_t before = completion.find_last_of(kBetween);
  return std::string(completion.substr(before == completion.npos ? 0 : before + 1));
}

std::vector<std::string> function_words() {
  std::set<std::string> words;
  for (const auto& templates : {kOneHop, kTwoHops}) {
    for (int64_t phrasing = 0; phrasing < kPhrasings; ++phrasing) {
      std::string word;
      const auto end_word = [&] {
        if (!word.empty()) {
          words.insert(word);
        }
        word.clear();
      };
      for_each_part(
          templates[phrasing],
          [&](std::string_view part) {
            for (const char letter : part) {
              if (letter == ' ' || letter == '.' || letter == ',') {
                end_word();
              } else {
                word += letter;
              }
            }
          },
          [&](std::string_view) { end_word(); });
      end_word();
    }
  }
  return {words.begin(), words.end()};
}

}  // namespace ebt
