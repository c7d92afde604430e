#include "lab/word_tokenizer.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "ebt/core/error.h"
#include "ebt/core/unicode.h"
#include "ebt/io/file.h"
#include "lab/phrasings.h"

namespace ebt {
namespace {

using Json = nlohmann::ordered_json;

// GPT-2's names of bytes: those that are printable stand for themselves, the others are moved
// behind all bytes.
std::vector<std::string> byte_names() {
  std::vector<std::string> names;
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    names.push_back(to_utf8(printable ? byte : next++));
  }
  return names;
}

Json added_token(int32_t id, const std::string& content, bool special) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

}  // namespace

std::vector<std::string> words_of(const KnowledgeGraph& graph) {
  std::vector<std::string> words = function_words();
  for (const Relation& relation : graph.relations()) {
    words.push_back(relation.name);
  }
  for (const Entity& entity : graph.entities()) {
    words.push_back(entity.name);
  }
  return words;
}

void write_word_tokenizer(const std::filesystem::path& path,
                          const std::vector<std::string>& words) {
  Json vocabulary = Json::object();
  for (const std::string& name : byte_names()) {
    vocabulary[name] = vocabulary.size();
  }
  Json added = Json::array({added_token(kFirstWordToken - 1, "<|endoftext|>", true)});
  std::unordered_set<std::string> seen;
  for (const std::string& word : words) {
    EBT_CHECK(!word.empty() && word.find(' ') == word.npos, "word tokenizer: {:?} is not one word",
              word);
    EBT_CHECK(seen.insert(word).second, "word tokenizer: the word {:?} is there twice", word);
    const auto id = kFirstWordToken + static_cast<int32_t>(seen.size()) - 1;
    added.push_back(added_token(id, " " + word, false));
  }
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const Json file = {
      {"version", "1.0"},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer", byte_level},
      {"post_processor", nullptr},
      {"decoder", byte_level},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
  write_file_atomically(path, file.dump(1) + "\n");
}

}  // namespace ebt
