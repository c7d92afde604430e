#include "ebt/data/bpe_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "ebt/core/error.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

using nlohmann::json;

// GPT-2's: contractions, letters, digits, other signs, and white space, of which the last blank
// belongs to the word behind it. White space is spelled out: PCRE2's \s has one character more.
constexpr char kWordPattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{L}\p{N}\x{9}-\x{d} \x{85}\x{a0}\x{1680})"
    R"(\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+|)"
    R"([\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+)"
    R"((?![^\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f})"
    R"(\x{3000}])|)"
    R"([\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+)";

// In the order in which they are preferred as document separator.
constexpr const char* kSeparatorNames[] = {
    "<|endoftext|>", "<|end_of_text|>",   "<|endofdocument|>", "<|eos|>", "</s>",  "<eos>", "[EOS]",
    "<|im_end|>",    "<|begin_of_text|>", "<|bos|>",           "<s>",     "<bos>", "[BOS]"};

// The characters that stand for bytes in the vocabulary: printable ones for themselves, the others
// for the code points from 256 on.
std::vector<char32_t> byte_alphabet() {
  std::vector<char32_t> alphabet(256);
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    alphabet[byte] = printable ? byte : next++;
  }
  return alphabet;
}

class Reader {
 public:
  explicit Reader(std::string what) : what_(std::move(what)) {}

  BpeFile read(const json& file) {
    EBT_CHECK(file.is_object(), "{} must hold a JSON object", what_);
    const json& model = part(file, "model");
    EBT_CHECK(model.is_object(), "{} has no \"model\": it is no tokenizer.json", what_);
    read_model(model);
    read_added_tokens(part(file, "added_tokens"));
    finish_tokens();
    read_merges(part(model, "merges"));
    read_normalizer(part(file, "normalizer"));
    read_pre_tokenizer(part(file, "pre_tokenizer"));
    check_decoder(part(file, "decoder"));
    find_separator();
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(const std::string& feature) const {
    fail("{} uses {}, which is not supported: byte-level BPE as of GPT-2 and GPT-NeoX is", what_,
         feature);
  }

  // The value of a key, or null when the object has none.
  static const json& part(const json& object, const char* key) {
    static const json null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
  }
  bool flag(const json& object, const char* key, bool otherwise) const {
    const json& value = part(object, key);
    EBT_CHECK(value.is_null() || value.is_boolean(), "{}: \"{}\" must be true or false", what_,
              key);
    return value.is_null() ? otherwise : value.get<bool>();
  }
  const std::string& text(const json& object, const char* key) const {
    const json& value = part(object, key);
    EBT_CHECK(value.is_string(), "{}: \"{}\" must be a string", what_, key);
    return value.get_ref<const std::string&>();
  }
  // The "type" of a part of the pipeline.
  const std::string& type_of(const json& object, const char* key) const {
    EBT_CHECK(object.is_object(), "{}: \"{}\" must be an object", what_, key);
    return text(object, "type");
  }
  static std::string shortened(const std::string& name) {
    return name.size() <= 60 ? name : name.substr(0, 60) + "...";
  }

  int32_t id_of(const json& value) const {
    constexpr int64_t kMostTokens = 1 << 24;
    EBT_CHECK(value.is_number_integer() && value >= 0 && value < kMostTokens,
              "{} has a token whose id is not a number from 0 to {}", what_, kMostTokens - 1);
    return value.get<int32_t>();
  }

  void read_model(const json& model) {
    // Older files leave the type out.
    if (const std::string type = part(model, "type").is_null() ? "BPE" : text(model, "type");
        type != "BPE") {
      refuse(fmt::format("a model of type {:?}", shortened(type)));
    }
    if (const json& dropout = part(model, "dropout"); !dropout.is_null() && dropout != 0) {
      refuse("dropout");
    }
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!part(model, key).is_null() && !text(model, key).empty()) {
        refuse(fmt::format("\"{}\"", key));
      }
    }
    result_.ignore_merges = flag(model, "ignore_merges", false);
    const json& vocabulary = part(model, "vocab");
    EBT_CHECK(vocabulary.is_object() && !vocabulary.empty(), "{} has no vocabulary", what_);
    for (const auto& [name, id] : vocabulary.items()) {
      ids_.emplace(name, id_of(id));
    }
  }

  void read_added_tokens(const json& list) {
    EBT_CHECK(list.is_null() || list.is_array(), "{}: \"added_tokens\" must be a list", what_);
    for (const json& entry : list) {
      EBT_CHECK(entry.is_object(), "{}: an added token must be an object", what_);
      AddedToken token;
      token.id = id_of(part(entry, "id"));
      token.content = text(entry, "content");
      token.special = flag(entry, "special", false);
      token.single_word = flag(entry, "single_word", false);
      token.lstrip = flag(entry, "lstrip", false);
      token.rstrip = flag(entry, "rstrip", false);
      token.normalized = flag(entry, "normalized", !token.special);
      EBT_CHECK(!token.content.empty(), "{} has an added token without content", what_);
      const auto [known, added] = ids_.emplace(token.content, token.id);
      EBT_CHECK(added || known->second == token.id, "{} gives the token {:?} two ids, {} and {}",
                what_, shortened(token.content), known->second, token.id);
      result_.added_tokens.push_back(std::move(token));
    }
  }

  // The bytes of every token.
  void finish_tokens() {
    const std::vector<char32_t> alphabet = byte_alphabet();
    std::unordered_map<char32_t, char> byte_of;
    for (size_t byte = 0; byte < alphabet.size(); ++byte) {
      byte_of.emplace(alphabet[byte], static_cast<char>(byte));
    }
    result_.tokens.resize(ids_.size());
    result_.is_added.resize(ids_.size());
    std::vector<bool> taken(ids_.size());
    for (const AddedToken& token : result_.added_tokens) {
      if (static_cast<size_t>(token.id) < ids_.size()) {
        result_.is_added[static_cast<size_t>(token.id)] = true;
      }
    }
    for (const auto& [name, id] : ids_) {
      const auto index = static_cast<size_t>(id);
      EBT_CHECK(index < ids_.size(), "{} has {} tokens but an id {}: ids must have no gaps", what_,
                ids_.size(), id);
      EBT_CHECK(!taken[index], "{} gives the id {} to two tokens", what_, id);
      taken[index] = true;
      result_.tokens[index] = result_.is_added[index] ? name : bytes_of(name, byte_of);
    }
    for (size_t byte = 0; byte < alphabet.size(); ++byte) {
      const auto found = ids_.find(to_utf8(alphabet[byte]));
      const bool in_no_text = byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
      EBT_CHECK(found != ids_.end() || in_no_text,
                "{} has no token for the byte {}: not every text could be written", what_, byte);
      result_.byte_tokens[byte] = found == ids_.end() ? BpeFile::kNoToken : found->second;
    }
  }

  std::string bytes_of(const std::string& name,
                       const std::unordered_map<char32_t, char>& byte_of) const {
    std::string bytes;
    for (std::string_view rest = name; !rest.empty();
         rest.remove_prefix(first_character_bytes(rest))) {
      const auto byte = byte_of.find(first_character(rest));
      EBT_CHECK(byte != byte_of.end(),
                "{} has a token {:?} that is not written in the byte alphabet: it is no byte-level "
                "tokenizer",
                what_, shortened(name));
      bytes.push_back(byte->second);
    }
    return bytes;
  }

  int32_t part_of_merge(const std::string& name) const {
    const auto found = ids_.find(name);
    EBT_CHECK(found != ids_.end(), "{} merges {:?}, which is no token", what_, shortened(name));
    return found->second;
  }

  void read_merges(const json& list) {
    EBT_CHECK(list.is_array(), "{}: \"merges\" must be a list", what_);
    result_.merges.reserve(list.size());
    for (const json& entry : list) {
      std::string left;
      std::string right;
      if (entry.is_string()) {
        const auto& both = entry.get_ref<const std::string&>();
        const size_t blank = both.find(' ');
        EBT_CHECK(blank != both.npos, "{} has a merge {:?} of one part", what_, shortened(both));
        left = both.substr(0, blank);
        right = both.substr(blank + 1);
      } else {
        EBT_CHECK(
            entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string(),
            "{} has a merge that is neither \"a b\" nor [\"a\", \"b\"]", what_);
        left = entry[0].get<std::string>();
        right = entry[1].get<std::string>();
      }
      result_.merges.push_back(
          {part_of_merge(left), part_of_merge(right), part_of_merge(left + right)});
    }
  }

  void read_normalizer(const json& normalizer) {
    if (normalizer.is_null()) {
      return;
    }
    const std::string& type = type_of(normalizer, "normalizer");
    if (type == "Sequence") {
      const json& list = part(normalizer, "normalizers");
      EBT_CHECK(list.is_array(), "{}: \"normalizers\" must be a list", what_);
      for (const json& entry : list) {
        read_normalizer(entry);
      }
    } else if (type == "NFC") {
      result_.normal_forms.push_back(NormalForm::kNfc);
    } else if (type == "NFD") {
      result_.normal_forms.push_back(NormalForm::kNfd);
    } else if (type == "NFKC") {
      result_.normal_forms.push_back(NormalForm::kNfkc);
    } else if (type == "NFKD") {
      result_.normal_forms.push_back(NormalForm::kNfkd);
    } else {
      refuse(fmt::format("a normalizer of type {:?}", shortened(type)));
    }
  }

  void read_pre_tokenizer(const json& pre_tokenizer) {
    EBT_CHECK(!pre_tokenizer.is_null() && add_pre_tokenizer(pre_tokenizer),
              "{} has a pre-tokenizer without ByteLevel: it is no byte-level tokenizer", what_);
  }

  // Whether it is, or ends with, ByteLevel.
  bool add_pre_tokenizer(const json& pre_tokenizer) {
    const std::string& type = type_of(pre_tokenizer, "pre_tokenizer");
    if (type == "Sequence") {
      const json& list = part(pre_tokenizer, "pretokenizers");
      EBT_CHECK(list.is_array(), "{}: \"pretokenizers\" must be a list", what_);
      bool ended = false;
      for (const json& entry : list) {
        if (ended) {
          refuse("a pre-tokenizer after ByteLevel");
        }
        ended = add_pre_tokenizer(entry);
      }
      return ended;
    }
    if (type == "ByteLevel") {
      result_.add_prefix_space = flag(pre_tokenizer, "add_prefix_space", true);
      if (flag(pre_tokenizer, "use_regex", true)) {
        result_.words.push_back({TextPattern(kWordPattern, TextPattern::Kind::kRegex, what_)});
      }
      return true;
    }
    if (type != "Split") {
      refuse(fmt::format("a pre-tokenizer of type {:?}", shortened(type)));
    }
    add_split(pre_tokenizer);
    return false;
  }

  void add_split(const json& split) {
    const json& pattern = part(split, "pattern");
    EBT_CHECK(pattern.is_object(), "{}: the \"pattern\" of Split must be an object", what_);
    const bool is_regex = pattern.contains("Regex");
    const std::string& text_of_pattern = text(pattern, is_regex ? "Regex" : "String");
    const std::string& behavior = text(split, "behavior");
    const bool invert = flag(split, "invert", false);
    TextSplit::Keep keep = TextSplit::Keep::kEverything;
    if (behavior == "Removed") {
      keep = invert ? TextSplit::Keep::kMatches : TextSplit::Keep::kGaps;
    } else if (behavior != "Isolated") {
      refuse(fmt::format("Split with the behavior {:?}", shortened(behavior)));
    }
    result_.splits.push_back(
        {TextPattern(text_of_pattern,
                     is_regex ? TextPattern::Kind::kRegex : TextPattern::Kind::kLiteral, what_),
         keep});
  }

  void check_decoder(const json& decoder) {
    EBT_CHECK(!decoder.is_null(), "{} has no decoder: a byte-level tokenizer has ByteLevel", what_);
    const std::string& type = type_of(decoder, "decoder");
    if (type == "Sequence") {
      const json& list = part(decoder, "decoders");
      EBT_CHECK(list.is_array() && !list.empty(), "{}: \"decoders\" must be a list", what_);
      for (const json& entry : list) {
        check_decoder(entry);
      }
    } else if (type != "ByteLevel") {
      refuse(fmt::format("a decoder of type {:?}", shortened(type)));
    }
  }

  void find_separator() {
    for (const char* name : kSeparatorNames) {
      for (const AddedToken& token : result_.added_tokens) {
        if (token.special && token.content == name) {
          result_.document_separator = token.id;
          result_.tokens[static_cast<size_t>(token.id)].clear();
          return;
        }
      }
    }
    fail("{} has no special token that could stand between documents, such as {} or </s>", what_,
         kSeparatorNames[0]);
  }

  std::string what_;
  std::unordered_map<std::string, int32_t> ids_;
  BpeFile result_;
};

}  // namespace

BpeFile parse_bpe_file(std::string_view text, const std::string& what) {
  return Reader(what).read(parse_json(text, what));
}

}  // namespace ebt
