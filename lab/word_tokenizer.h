// A tokenizer whose tokens are words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/knowledge_graph.h"

namespace ebt {

// Tokens below are the 256 bytes, among them punctuation, and the document separator.
inline constexpr int32_t kFirstWordToken = 257;

// Every word that a text about the graph may have: function words, relations, names of entities.
std::vector<std::string> words_of(const KnowledgeGraph& graph);

// Writes a tokenizer.json of byte-level BPE without merges, in which words are added tokens, each
// with the space before it: word i is token kFirstWordToken + i. So text in which every word has a
// space before it, the first one too, is a token for each word and each punctuation mark, and any
// other text is bytes. Throws Error when a word is empty, has a space, or is there twice, or the
// file cannot be written.
void write_word_tokenizer(const std::filesystem::path& path, const std::vector<std::string>& words);

}  // namespace ebt
