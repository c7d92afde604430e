// Byte-pair encoding as of a tokenizer.json: of bytes, as GPT-2 and GPT-NeoX use it, or of
// characters, as Llama 2 and its kin do.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {

inline constexpr char kBpeTokenizerFile[] = "tokenizer.json";

// The tokenizer of a tokenizer.json. Text becomes the same tokens as in Hugging Face's `tokenizers`
// without the post-processor; strings of added tokens are recognised in it. Bytes that are not
// UTF-8 become the tokens of these bytes (of U+FFFD where the file has none, as that of GPT-NeoX
// for 0xFF, which no UTF-8 holds). So decode(encode(x)) is x for any such bytes, unless the file
// changes or drops something of the text (docs/formats.md), or x spells the separator. Throws
// Error, in a sentence that begins with `what`, when the file is damaged, and UnsupportedTokenizer
// (json_part.h) when it asks for what is not supported.
std::shared_ptr<const Tokenizer> make_bpe_tokenizer(std::string_view file, const std::string& what,
                                                    const EndOfText& end_of_text = {});

}  // namespace ebt
