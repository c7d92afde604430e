// The token that ends a text, as it is asked for or stated beside a tokenizer's file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ebt {

inline constexpr char kTokenizerConfigFile[] = "tokenizer_config.json";

// Of the flag --end-of-text.
inline constexpr char kEndOfTextHelp[] =
    "the token that stands between documents; default: what tokenizer_config.json beside the "
    "tokenizer names as eos_token, else one of a usual name";

struct EndOfText {
  std::string token;          // its text; "" when only its id is known, or nothing
  std::optional<int64_t> id;  // where no file states the text
  bool required = false;      // somebody asked for it: it must be in the vocabulary
};

// What "eos_token" of tokenizer_config.json or special_tokens_map.json, else "eos_token_id" of
// generation_config.json in `folder` says. Throws Error when the file is damaged.
EndOfText stated_end_of_text(const std::filesystem::path& folder);

// Lets `folder` state it, beside whatever else its tokenizer_config.json says.
void state_end_of_text(const std::filesystem::path& folder, const std::string& token);

}  // namespace ebt
