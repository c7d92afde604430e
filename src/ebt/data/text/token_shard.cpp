#include "ebt/data/text/token_shard.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <span>
#include <utility>

#include "ebt/core/byte_progress.h"

namespace ebt {
namespace {

constexpr size_t kPiece_bytes = 1 << 20;
constexpr int64_t kShardTokens = 1 << 24;
// Pieces that are encoded before any of them is handed on.
constexpr size_t kPiecesAtOnce = 32;

struct Piece {
  std::string_view text;
  bool ends_document = false;
};

// How much of `text` is the next piece.
size_t piece_bytes(std::string_view text) {
  if (text.size() <= kPiece_bytes) {
    return text.size();
  }
  constexpr size_t kLeast = kPiece_bytes / 2;
  const std::string_view part = text.substr(0, kPiece_bytes);
  if (const size_t line_end = part.rfind('\n'); line_end != part.npos && line_end >= kLeast) {
    return line_end + 1;
  }
  // A blank belongs to the word behind it.
  if (const size_t blank = part.rfind(' '); blank != part.npos && blank >= kLeast) {
    return blank;
  }
  size_t end = kPiece_bytes;
  while (end > kLeast && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return end;
}

std::vector<Piece> pieces_of(const std::vector<std::string_view>& documents) {
  std::vector<Piece> pieces;
  for (std::string_view rest : documents) {
    while (!rest.empty()) {
      const size_t bytes = piece_bytes(rest);
      pieces.push_back({rest.substr(0, bytes), bytes == rest.size()});
      rest.remove_prefix(bytes);
    }
  }
  return pieces;
}

// The tokens of some pieces, encoded side by side.
std::vector<std::vector<int32_t>> encode_all(std::span<const Piece> pieces,
                                             const Tokenizer& tokenizer) {
  std::vector<std::vector<int32_t>> tokens(pieces.size());
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic)
  for (size_t i = 0; i < pieces.size(); ++i) {
    try {
      tokens[i] = tokenizer.encode(pieces[i].text);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  return tokens;
}

class ShardWriter {
 public:
  ShardWriter(int64_t vocabulary_size, const std::function<void(TokenShard)>& on_shard)
      : on_shard_(on_shard) {
    shard_.token_bytes = stored_token_bytes(vocabulary_size);
  }

  void append(std::span<const int32_t> tokens, bool ends_document) {
    const auto width = static_cast<size_t>(shard_.token_bytes);
    for (const int32_t token : tokens) {
      const auto bytes = std::as_bytes(std::span(&token, 1)).first(width);
      shard_.tokens.insert(shard_.tokens.end(), bytes.begin(), bytes.end());
    }
    document_has_tokens_ = document_has_tokens_ || !tokens.empty();
    if (ends_document) {
      if (document_has_tokens_) {
        shard_.document_ends.push_back(static_cast<uint64_t>(shard_.count()));
      }
      document_has_tokens_ = false;
    }
    if (shard_.count() >= kShardTokens) {
      finish();
    }
  }

  void finish() {
    if (shard_.tokens.empty() && shard_.document_ends.empty()) {
      return;
    }
    const int32_t token_bytes = shard_.token_bytes;
    on_shard_(std::exchange(shard_, {}));
    shard_.token_bytes = token_bytes;
  }

 private:
  const std::function<void(TokenShard)>& on_shard_;
  TokenShard shard_;
  bool document_has_tokens_ = false;
};

}  // namespace

int32_t stored_token_bytes(int64_t vocabulary_size) {
  return vocabulary_size <= std::numeric_limits<uint16_t>::max() + int64_t{1} ? 2 : 4;
}

void append_spans(const std::byte* tokens, int64_t count, int32_t token_bytes,
                  const uint64_t* document_ends, size_t end_count, std::vector<TokenSpan>& spans) {
  int64_t begin = 0;
  for (size_t i = 0; i < end_count; ++i) {
    const auto end = static_cast<int64_t>(document_ends[i]);
    spans.push_back({tokens + begin * token_bytes, end - begin, token_bytes, true});
    begin = end;
  }
  if (begin < count) {
    spans.push_back({tokens + begin * token_bytes, count - begin, token_bytes, false});
  }
}

void tokenize(const std::vector<std::string_view>& documents, const Tokenizer& tokenizer,
              const std::function<void(TokenShard)>& on_shard) {
  const std::vector<Piece> pieces = pieces_of(documents);
  size_t total_bytes = 0;
  for (const Piece& piece : pieces) {
    total_bytes += piece.text.size();
  }
  ByteProgress progress("tokenising", total_bytes);
  ShardWriter writer(tokenizer.vocabulary_size(), on_shard);
  for (size_t first = 0; first < pieces.size();) {
    // As many pieces as make up the bytes of kPiecesAtOnce long ones: documents may be tiny.
    size_t count = 0;
    size_t bytes = 0;
    while (first + count < pieces.size() && bytes < kPiecesAtOnce * kPiece_bytes) {
      bytes += pieces[first + count++].text.size();
    }
    const std::span<const Piece> group = std::span(pieces).subspan(first, count);
    const std::vector<std::vector<int32_t>> tokens = encode_all(group, tokenizer);
    for (size_t i = 0; i < count; ++i) {
      writer.append(tokens[i], group[i].ends_document);
    }
    first += count;
    progress.add(bytes);
  }
  writer.finish();
}

}  // namespace ebt
