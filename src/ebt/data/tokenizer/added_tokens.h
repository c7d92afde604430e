// Tokens that stand for a string of their own wherever it occurs, before text is cut into words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

// An entry of "added_tokens" in a tokenizer.json.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;
  bool single_word = false;  // only where no letter or digit stands beside it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and behind it
  bool normalized = true;    // looked for after normalisation, else before
};

// Finds any of many strings: at the leftmost place, the longest, of equal ones the first. Immutable
// and thread-safe.
class AddedTokenFinder {
 public:
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  // Calls on_token(id) for every token in `text`, which must be valid UTF-8, and on_text(part) for
  // every non-empty stretch between two, in order.
  void split(std::string_view text, const std::function<void(int32_t id)>& on_token,
             const std::function<void(std::string_view part)>& on_text) const;

 private:
  static constexpr int32_t kNone = -1;
  struct Node {
    std::vector<std::pair<unsigned char, uint32_t>> children;  // byte, node
    int32_t token = kNone;                                     // index of the one that ends here
  };
  // The longest token that `text` begins with; null when there is none.
  const AddedToken* longest_at(std::string_view text) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;   // of the trie; the first is its root
  std::vector<bool> begins_;  // (256) whether a token begins with the byte
};

}  // namespace ebt
