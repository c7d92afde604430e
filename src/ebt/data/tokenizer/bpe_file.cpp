#include "ebt/data/tokenizer/bpe_file.h"

#include <algorithm>
#include <map>

#include "ebt/core/error.h"
#include "ebt/data/tokenizer/token_decoder.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

using nlohmann::json;

// In the order in which they are preferred as document separator where none is asked for or stated.
constexpr const char* kSeparatorNames[] = {
    "<|endoftext|>", "<|end_of_text|>",   "<|endofdocument|>", "<|eos|>", "</s>",  "<eos>", "[EOS]",
    "<|im_end|>",    "<|begin_of_text|>", "<|bos|>",           "<s>",     "<bos>", "[BOS]"};

std::vector<AddedToken> read_added_tokens(const JsonPart& file) {
  std::vector<AddedToken> tokens;
  for (const JsonPart& entry : file.list("added_tokens")) {
    EBT_CHECK(entry.value().is_object(), "{}: an added token must be an object", file.what());
    AddedToken token;
    token.id = BpeModel::id_of(entry["id"]);
    token.content = entry.text("content");
    token.special = entry.flag("special", false);
    token.single_word = entry.flag("single_word", false);
    token.lstrip = entry.flag("lstrip", false);
    token.rstrip = entry.flag("rstrip", false);
    token.normalized = entry.flag("normalized", !token.special);
    EBT_CHECK(!token.content.empty(), "{} has an added token without content", file.what());
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// A token of the vocabulary, or added to it.
struct NamedToken {
  std::string name;
  bool added = false;
};

// All tokens by their ids. Ids may have gaps.
std::map<int32_t, NamedToken> all_tokens(const BpeModel::Ids& vocabulary,
                                         const std::vector<AddedToken>& added_tokens,
                                         const std::string& what) {
  std::map<int32_t, NamedToken> tokens;
  for (const auto& [name, id] : vocabulary) {
    EBT_CHECK(tokens.emplace(id, NamedToken{name}).second, "{} gives the id {} to two tokens", what,
              id);
  }
  for (const AddedToken& token : added_tokens) {
    const auto known = vocabulary.find(token.content);
    EBT_CHECK(known == vocabulary.end() || known->second == token.id,
              "{} gives the token {:?} two ids, {} and {}", what, shortened(token.content),
              known->second, token.id);
    NamedToken& entry = tokens.try_emplace(token.id, NamedToken{token.content}).first->second;
    EBT_CHECK(entry.name == token.content, "{} gives the id {} to two tokens", what, token.id);
    entry.added = true;
  }
  constexpr size_t kMostGaps = 1 << 20;  // what is made of each id takes memory
  const auto largest = static_cast<size_t>(tokens.rbegin()->first);
  EBT_CHECK(largest < tokens.size() + kMostGaps,
            "{} has {} tokens but an id {}: too many ids have no token", what, tokens.size(),
            largest);
  return tokens;
}

// The token that ends a text: the one that was asked for or stated, else one of a usual name.
int32_t find_separator(const std::map<int32_t, NamedToken>& tokens, const EndOfText& end_of_text,
                       const std::vector<AddedToken>& added_tokens, const std::string& what) {
  for (const auto& [id, token] : tokens) {
    if (end_of_text.id == id || (!end_of_text.token.empty() && token.name == end_of_text.token)) {
      return id;
    }
  }
  EBT_CHECK(!end_of_text.required, "--end-of-text: {} has no token {:?}", what,
            shortened(end_of_text.token));
  for (const char* name : kSeparatorNames) {
    for (const AddedToken& token : added_tokens) {
      if (token.special && token.content == name) {
        return token.id;
      }
    }
  }
  fail(
      "{} has no special token that could stand between documents, such as {} or </s>: name one "
      "with --end-of-text",
      what, kSeparatorNames[0]);
}

}  // namespace

BpeFile parse_bpe_file(std::string_view text, const EndOfText& end_of_text,
                       const std::string& what) {
  const json parsed = parse_json(text, what);
  EBT_CHECK(parsed.is_object(), "{} must hold a JSON object", what);
  const JsonPart file(parsed, what, "tokenizer");
  EBT_CHECK(file["model"].value().is_object(), "{} has no \"model\": it is no tokenizer.json",
            what);
  PreTokenizer pre_tokenizer(file["pre_tokenizer"]);
  const bool byte_level = pre_tokenizer.is_byte_level();
  BpeFile result{TextNormalizer(file["normalizer"]),
                 std::move(pre_tokenizer),
                 BpeModel(file["model"], byte_level),
                 read_added_tokens(file),
                 {},
                 0,
                 {}};
  const TokenDecoder decoder(file["decoder"], byte_level);
  const auto tokens = all_tokens(result.model.vocabulary(), result.added_tokens, what);
  result.texts.resize(static_cast<size_t>(tokens.rbegin()->first) + 1);
  for (const auto& [id, token] : tokens) {
    result.texts[static_cast<size_t>(id)] = token.added ? token.name : decoder(token.name);
  }
  if (const auto unknown = result.model.unknown()) {
    result.texts[static_cast<size_t>(*unknown)] = "\uFFFD";
  }
  result.document_separator = find_separator(tokens, end_of_text, result.added_tokens, what);
  result.separator_name = tokens.at(result.document_separator).name;
  result.texts[static_cast<size_t>(result.document_separator)].clear();
  return result;
}

}  // namespace ebt
