// Tokenisation of text into shards of bounded size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "ebt/data/text/token_sequence.h"
#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {

// Some tokens of a corpus, separators left out. A document may begin in one shard and end in a
// later one.
struct TokenShard {
  int32_t token_bytes = 2;              // that a token takes: 2 or 4
  std::vector<std::byte> tokens;        // (N) little-endian
  std::vector<uint64_t> document_ends;  // tokens before the end of each document that ends here

  int64_t count() const { return static_cast<int64_t>(tokens.size()) / token_bytes; }
};

// Bytes that a token of such a vocabulary takes.
int32_t stored_token_bytes(int64_t vocabulary_size);

// Appends one span for each document, or part of one, of a shard whose tokens lie at `tokens`.
void append_spans(const std::byte* tokens, int64_t count, int32_t token_bytes,
                  const uint64_t* document_ends, size_t end_count, std::vector<TokenSpan>& spans);

// Encodes documents and hands them on in shards of about 2^24 tokens, using as many threads as
// OpenMP has; the result does not depend on their number. Documents without tokens are dropped. One
// of more than about a mebibyte is encoded in pieces, each of which ends with a line or, where
// lines are too long, with a word or character. Shows progress on stderr.
void tokenize(const std::vector<std::string_view>& documents, const Tokenizer& tokenizer,
              const std::function<void(TokenShard)>& on_shard);

}  // namespace ebt
