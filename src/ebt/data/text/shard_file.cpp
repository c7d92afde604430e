#include "ebt/data/text/shard_file.h"

#include <array>
#include <cstring>
#include <span>

#include "ebt/core/error.h"
#include "ebt/io/checksum.h"

namespace ebt {
namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr std::array<char, 8> kMagic = {'E', 'B', 'T', 'S', 'H', 'A', 'R', 'D'};

// Behind it follow the document ends, u64 each, and the tokens.
struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = kFormatVersion;
  uint32_t token_bytes = 0;
  uint64_t fingerprint = 0;
  uint64_t document_end_count = 0;
  uint64_t token_count = 0;
  uint64_t checksum = 0;  // of all else in the file
};
static_assert(sizeof(Header) == 48);

uint64_t checksum_of(const Header& header, std::span<const std::byte> document_ends,
                     std::span<const std::byte> tokens) {
  Checksum sum;
  sum.add(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum)));
  sum.add(document_ends);
  sum.add(tokens);
  return sum.value();
}

}  // namespace

void write_shard_file(const std::filesystem::path& path, const TokenShard& shard,
                      uint64_t fingerprint) {
  const auto document_ends = std::as_bytes(std::span(shard.document_ends));
  Header header;
  header.token_bytes = static_cast<uint32_t>(shard.token_bytes);
  header.fingerprint = fingerprint;
  header.document_end_count = shard.document_ends.size();
  header.token_count = static_cast<uint64_t>(shard.count());
  header.checksum = checksum_of(header, document_ends, shard.tokens);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header, 1)));
  file.write(document_ends);
  file.write(shard.tokens);
  file.commit();
}

void append_shard_spans(const MappedFile& file, const Vocabulary& vocabulary,
                        std::vector<TokenSpan>& spans) {
  const std::string what = "'" + file.path().string() + "'";
  const std::span<const std::byte> bytes = file.bytes();
  Header header;
  EBT_CHECK(bytes.size() >= sizeof header, "{} is truncated", what);
  std::memcpy(&header, bytes.data(), sizeof header);
  EBT_CHECK(header.magic == kMagic, "{} is no shard of prepared data", what);
  EBT_CHECK(header.version == kFormatVersion,
            "{} has format version {}, and this program reads version {}", what, header.version,
            kFormatVersion);
  EBT_CHECK(header.fingerprint == vocabulary.fingerprint,
            "{} was made with another tokenizer than its folder", what);
  EBT_CHECK(header.token_bytes == static_cast<uint32_t>(stored_token_bytes(vocabulary.size())),
            "{} stores tokens in {} bytes, and a vocabulary of {} takes {}", what,
            header.token_bytes, vocabulary.size(), stored_token_bytes(vocabulary.size()));
  const std::span<const std::byte> behind_header = bytes.subspan(sizeof header);
  EBT_CHECK(header.document_end_count <= behind_header.size() / sizeof(uint64_t), "{} is truncated",
            what);
  const auto end_bytes = behind_header.first(header.document_end_count * sizeof(uint64_t));
  const auto tokens = behind_header.subspan(end_bytes.size());
  EBT_CHECK(header.token_count == tokens.size() / header.token_bytes &&
                tokens.size() % header.token_bytes == 0,
            "{} has {} bytes of tokens, and its header says {} tokens", what, tokens.size(),
            header.token_count);
  EBT_CHECK(header.checksum == checksum_of(header, end_bytes, tokens),
            "{} is damaged: its checksum is another", what);
  std::vector<uint64_t> ends(header.document_end_count);
  std::memcpy(ends.data(), end_bytes.data(), end_bytes.size());
  for (size_t i = 0; i < ends.size(); ++i) {
    // One that ended with the last shard ends here before the first token.
    EBT_CHECK(ends[i] <= header.token_count && (i == 0 || ends[i] > ends[i - 1]),
              "{} is damaged: the ends of its documents are out of order", what);
  }
  append_spans(tokens.data(), static_cast<int64_t>(header.token_count),
               static_cast<int32_t>(header.token_bytes), ends.data(), ends.size(), spans);
}

}  // namespace ebt
