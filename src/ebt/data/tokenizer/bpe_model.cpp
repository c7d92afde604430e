#include "ebt/data/tokenizer/bpe_model.h"

#include <algorithm>

#include "ebt/core/unicode.h"
#include "ebt/data/tokenizer/byte_alphabet.h"

namespace ebt {

using nlohmann::json;

BpeModel::BpeModel(const JsonPart& model, bool byte_level) : byte_level_(byte_level) {
  // Older files leave the type out.
  if (!model["type"].absent() && model.type() != "BPE") {
    model.refuse(fmt::format("a model of type {:?}", shortened(model.type())));
  }
  if (const json& dropout = model["dropout"].value(); !dropout.is_null() && dropout != 0) {
    model.refuse("dropout");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model[key].absent() && !model.text(key).empty()) {
      model.refuse(fmt::format("\"{}\"", key));
    }
  }
  const json& vocabulary = model["vocab"].value();
  EBT_CHECK(vocabulary.is_object() && !vocabulary.empty(), "{} has no vocabulary", model.what());
  for (const auto& [name, id] : vocabulary.items()) {
    ids_.emplace(name, id_of({id, model.what(), name}));
  }
  if (!byte_level && !model["unk_token"].absent()) {
    const auto found = ids_.find(model.text("unk_token"));
    unknown_ = found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
  fuse_unknown_ = model.flag("fuse_unk", false);
  read_byte_tokens(model);
  read_merges(model);
  if (model.flag("ignore_merges", false)) {
    for (const auto& [name, id] : ids_) {
      if (const auto word = byte_level_ ? from_byte_alphabet(name) : std::optional(name)) {
        whole_words_.emplace(*word, id);
      }
    }
  }
}

int32_t BpeModel::id_of(const JsonPart& id) {
  constexpr int64_t kMostTokens = 1 << 24;
  const json& value = id.value();
  EBT_CHECK(value.is_number_integer() && value >= 0 && value < kMostTokens,
            "{} has a token whose id is not a number from 0 to {}", id.what(), kMostTokens - 1);
  return value.get<int32_t>();
}

void BpeModel::read_byte_tokens(const JsonPart& model) {
  has_byte_tokens_ = byte_level_ || model.flag("byte_fallback", false);
  EBT_CHECK(has_byte_tokens_ || unknown_.has_value(),
            "{} has neither ByteLevel, nor \"byte_fallback\", nor an unknown token: not every text "
            "could be written",
            model.what());
  for (size_t byte = 0; has_byte_tokens_ && byte < byte_tokens_.size(); ++byte) {
    const auto found =
        ids_.find(byte_level_ ? to_byte_alphabet(std::string(1, static_cast<char>(byte)))
                              : fmt::format("<0x{:02X}>", byte));
    const bool in_no_text = byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
    EBT_CHECK(found != ids_.end() || in_no_text,
              "{} has no token for the byte {}: not every text could be written", model.what(),
              byte);
    byte_tokens_[byte] = found == ids_.end() ? kNoToken : found->second;
  }
}

int32_t BpeModel::part_of_merge(const std::string& name, const JsonPart& model) const {
  const auto found = ids_.find(name);
  EBT_CHECK(found != ids_.end(), "{} merges {:?}, which is no token", model.what(),
            shortened(name));
  return found->second;
}

void BpeModel::read_merges(const JsonPart& model) {
  const json& list = model["merges"].value();
  EBT_CHECK(list.is_array(), "{}: \"merges\" must be a list", model.what());
  for (const json& entry : list) {
    std::string left;
    std::string right;
    if (entry.is_string()) {
      const auto& both = entry.get_ref<const std::string&>();
      const size_t blank = both.find(' ');
      EBT_CHECK(blank != both.npos, "{} has a merge {:?} of one part", model.what(),
                shortened(both));
      left = both.substr(0, blank);
      right = both.substr(blank + 1);
    } else {
      EBT_CHECK(
          entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string(),
          "{} has a merge that is neither \"a b\" nor [\"a\", \"b\"]", model.what());
      left = entry[0].get<std::string>();
      right = entry[1].get<std::string>();
    }
    merger_.add(part_of_merge(left, model), part_of_merge(right, model),
                part_of_merge(left + right, model));
  }
}

void BpeModel::encode(std::string_view word, Tokens& tokens) const {
  if (byte_level_ && word.size() == 1) {
    append_bytes(word, tokens);
    return;
  }
  if (const auto whole = whole_words_.find(word); whole != whole_words_.end()) {
    tokens.push_back(whole->second);
    return;
  }
  Tokens of_word;
  of_word.reserve(word.size());
  if (byte_level_) {
    append_bytes(word, of_word);
  } else {
    append_characters(word, of_word);
  }
  merger_.merge(of_word);
  tokens.insert(tokens.end(), of_word.begin(), of_word.end());
}

void BpeModel::append_bytes(std::string_view bytes, Tokens& tokens) const {
  for (const char byte : bytes) {
    tokens.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
  }
}

void BpeModel::append_characters(std::string_view word, Tokens& tokens) const {
  bool after_unknown = false;
  while (!word.empty()) {
    const std::string_view character = word.substr(0, first_character_bytes(word));
    word.remove_prefix(character.size());
    const auto known = ids_.find(character);
    const bool is_unknown = known == ids_.end() && !has_byte_tokens_;
    if (known != ids_.end()) {
      tokens.push_back(known->second);
    } else if (has_byte_tokens_) {
      append_bytes(character, tokens);
    } else if (!fuse_unknown_ || !after_unknown) {
      tokens.push_back(*unknown_);
    }
    after_unknown = is_unknown;
  }
}

void BpeModel::encode_stray_byte(char byte, Tokens& tokens) const {
  const int32_t token = byte_tokens_[static_cast<unsigned char>(byte)];
  if (has_byte_tokens_ && token != kNoToken) {
    tokens.push_back(token);
  } else {
    encode("\uFFFD", tokens);
  }
}

}  // namespace ebt
