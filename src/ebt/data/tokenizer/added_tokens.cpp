#include "ebt/data/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "ebt/core/unicode.h"

namespace ebt {
namespace {

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  return (begin == 0 || !is_word_character(last_character(text.substr(0, begin)))) &&
         (end == text.size() || !is_word_character(first_character(text.substr(end))));
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), nodes_(1), begins_(256) {
  for (size_t index = 0; index < tokens_.size(); ++index) {
    const AddedToken& token = tokens_[index];
    if (token.content.empty()) {  // normalised away
      continue;
    }
    uint32_t node = 0;
    for (const char character : token.content) {
      const auto byte = static_cast<unsigned char>(character);
      const auto& children = nodes_[node].children;
      const auto child = std::find_if(children.begin(), children.end(),
                                      [&](const auto& entry) { return entry.first == byte; });
      if (child != children.end()) {
        node = child->second;
        continue;
      }
      const auto added = static_cast<uint32_t>(nodes_.size());
      nodes_[node].children.emplace_back(byte, added);
      nodes_.emplace_back();
      node = added;
    }
    if (nodes_[node].token == kNone) {
      nodes_[node].token = static_cast<int32_t>(index);
    }
    begins_[static_cast<unsigned char>(token.content.front())] = true;
  }
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text) const {
  int32_t longest = kNone;
  uint32_t node = 0;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const auto& children = nodes_[node].children;
    const auto child = std::find_if(children.begin(), children.end(),
                                    [&](const auto& entry) { return entry.first == byte; });
    if (child == children.end()) {
      break;
    }
    node = child->second;
    if (nodes_[node].token != kNone) {
      longest = nodes_[node].token;
    }
  }
  return longest == kNone ? nullptr : &tokens_[static_cast<size_t>(longest)];
}

void AddedTokenFinder::split(std::string_view text, const std::function<void(int32_t)>& on_token,
                             const std::function<void(std::string_view)>& on_text) const {
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* const token =
        begins_[static_cast<unsigned char>(text[at])] ? longest_at(text.substr(at)) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + token->content.size();
    if (token->single_word && !stands_alone(text, begin, end)) {
      at = end;
      continue;
    }
    begin -= token->lstrip ? white_space_at_end(text.substr(done, begin - done)) : 0;
    end += token->rstrip ? white_space_at_start(text.substr(end)) : 0;
    if (begin > done) {
      on_text(text.substr(done, begin - done));
    }
    on_token(token->id);
    done = at = end;
  }
  if (done < text.size()) {
    on_text(text.substr(done));
  }
}

}  // namespace ebt
