#include "ebt/data/tokenizer/pre_tokenizer.h"

#include "ebt/data/tokenizer/byte_alphabet.h"
#include "ebt/data/tokenizer/byte_level_words.h"

namespace ebt {
namespace {

constexpr char kNumberPattern[] = R"(\p{N})";
constexpr char kPunctuationPattern[] = R"([!-/:-@\[-`{-~\p{P}])";
constexpr char kWhiteSpacePattern[] = R"(\s)";
// The joiners are parts of words in Rust's regular expressions, but not in Oniguruma's.
constexpr char kWordPattern[] = R"([\w\x{200c}\x{200d}]+|[^\w\s\x{200c}\x{200d}]+)";

}  // namespace

PreTokenizer::PreTokenizer(const JsonPart& pre_tokenizer) {
  if (!pre_tokenizer.absent()) {
    add(pre_tokenizer);
  }
  // Words of bytes are to be given as bytes: writing them in the alphabet would be undone at once.
  if (!steps_.empty() && std::holds_alternative<ByteAlphabet>(steps_.back())) {
    steps_.pop_back();
  }
}

void PreTokenizer::add(const JsonPart& pre_tokenizer) {
  const std::string& type = pre_tokenizer.type();
  if (type == "Sequence") {
    for (const JsonPart& entry : pre_tokenizer.list("pretokenizers")) {
      add(entry);
    }
  } else if (type == "ByteLevel") {
    add_byte_level(pre_tokenizer);
  } else if (type == "Split") {
    steps_.emplace_back(Split{read_pattern(pre_tokenizer["pattern"]), behavior_of(pre_tokenizer),
                              pre_tokenizer.flag("invert", false)});
  } else if (type == "Digits") {
    add_split(kNumberPattern, pre_tokenizer.flag("individual_digits", false)
                                  ? Behavior::kIsolated
                                  : Behavior::kContiguous);
  } else if (type == "Punctuation") {
    add_split(kPunctuationPattern, pre_tokenizer["behavior"].absent() ? Behavior::kIsolated
                                                                      : behavior_of(pre_tokenizer));
  } else if (type == "Whitespace") {
    add_split(kWordPattern, Behavior::kRemoved, true);
  } else if (type == "WhitespaceSplit") {
    add_split(kWhiteSpacePattern, Behavior::kRemoved);
  } else if (type == "Metaspace") {
    add_metaspace(pre_tokenizer);
  } else {
    pre_tokenizer.refuse(fmt::format("a pre-tokenizer of type {:?}", shortened(type)));
  }
}

void PreTokenizer::add_split(const char* pattern, Behavior behavior, bool invert) {
  steps_.emplace_back(
      Split{TextPattern(pattern, TextPattern::Kind::kRegex, "the tokenizer"), behavior, invert});
}

void PreTokenizer::add_byte_level(const JsonPart& byte_level) {
  if (is_byte_level_) {
    byte_level.refuse("ByteLevel twice");
  }
  is_byte_level_ = true;
  if (byte_level.flag("add_prefix_space", true)) {
    steps_.emplace_back(PrefixSpace{});
  }
  if (byte_level.flag("use_regex", true)) {
    steps_.emplace_back(ByteLevelWords{});
  }
  steps_.emplace_back(ByteAlphabet{});
}

void PreTokenizer::add_metaspace(const JsonPart& metaspace) {
  SpaceSymbol step{metaspace.text("replacement"), Prepend::kAlways};
  if (metaspace["prepend_scheme"].absent()) {  // older files
    step.prepend = metaspace.flag("add_prefix_space", true) ? Prepend::kAlways : Prepend::kNever;
  } else if (const std::string& scheme = metaspace.text("prepend_scheme"); scheme != "always") {
    EBT_CHECK(scheme == "first" || scheme == "never",
              "{} has a Metaspace whose \"prepend_scheme\" is {:?}", metaspace.what(),
              shortened(scheme));
    step.prepend = scheme == "first" ? Prepend::kFirst : Prepend::kNever;
  }
  const std::string symbol = step.symbol;
  steps_.emplace_back(std::move(step));
  if (metaspace.flag("split", true)) {
    steps_.emplace_back(Split{TextPattern(symbol, TextPattern::Kind::kLiteral, metaspace.what()),
                              Behavior::kMergedWithNext});
  }
}

PreTokenizer::Behavior PreTokenizer::behavior_of(const JsonPart& split) {
  const std::string& name = split.text("behavior");
  constexpr std::pair<const char*, Behavior> kBehaviors[] = {
      {"Removed", Behavior::kRemoved},
      {"Isolated", Behavior::kIsolated},
      {"MergedWithPrevious", Behavior::kMergedWithPrevious},
      {"MergedWithNext", Behavior::kMergedWithNext},
      {"Contiguous", Behavior::kContiguous}};
  for (const auto& [known, behavior] : kBehaviors) {
    if (name == known) {
      return behavior;
    }
  }
  split.refuse(fmt::format("the behavior {:?}", shortened(name)));
}

void PreTokenizer::split(std::string_view text, bool at_start, const OnWord& on_word) const {
  apply(0, text, at_start, on_word);
}

void PreTokenizer::apply(size_t step, std::string_view part, bool at_start,
                         const OnWord& on_word) const {
  if (part.empty()) {
    return;
  }
  if (step == steps_.size()) {
    on_word(part);
    return;
  }
  if (const auto* split = std::get_if<Split>(&steps_[step])) {
    apply(*split, step, part, at_start, on_word);
  } else if (const auto* space = std::get_if<SpaceSymbol>(&steps_[step])) {
    std::string text;
    for (const char byte : part) {
      text += byte == ' ' ? space->symbol : std::string(1, byte);
    }
    if (!text.starts_with(space->symbol) &&
        (space->prepend == Prepend::kAlways || (space->prepend == Prepend::kFirst && at_start))) {
      text = space->symbol + text;
    }
    apply(step + 1, text, at_start, on_word);
  } else if (std::holds_alternative<ByteLevelWords>(steps_[step])) {
    split_byte_level_words(part, [&](std::string_view word) {
      apply(step + 1, word, at_start && word.data() == part.data(), on_word);
    });
  } else if (std::holds_alternative<ByteAlphabet>(steps_[step])) {
    // Later steps see the alphabet; the words are bytes again.
    apply(step + 1, to_byte_alphabet(part), at_start,
          [&](std::string_view word) { on_word(from_byte_alphabet(word).value()); });
  } else if (part.front() != ' ') {
    apply(step + 1, " " + std::string(part), at_start, on_word);
  } else {
    apply(step + 1, part, at_start, on_word);
  }
}

void PreTokenizer::apply(const Split& split, size_t step, std::string_view part, bool at_start,
                         const OnWord& on_word) const {
  // What comes next may belong to what is held.
  std::string_view held;
  bool held_matches = false;
  bool holding = false;
  const auto joins_held = [&](bool matches) {
    switch (split.behavior) {
      case Behavior::kMergedWithPrevious:
        return matches && !held_matches;
      case Behavior::kMergedWithNext:
        return !matches && held_matches;
      case Behavior::kContiguous:
        return matches == held_matches;
      default:
        return false;
    }
  };
  const auto pass_on = [&] {
    if (split.behavior != Behavior::kRemoved || !held_matches) {
      apply(step + 1, held, at_start && held.data() == part.data(), on_word);
    }
  };
  split.pattern.for_each_part(part, [&](std::string_view piece, bool matched) {
    const bool matches = matched != split.invert;
    if (holding && joins_held(matches)) {
      held = {held.data(), held.size() + piece.size()};
    } else {
      pass_on();
      held = piece;
    }
    held_matches = matches;
    holding = true;
  });
  pass_on();
}

}  // namespace ebt
