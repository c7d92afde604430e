// A shard of tokens as a file: docs/formats.md describes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "ebt/data/text/token_sequence.h"
#include "ebt/data/text/token_shard.h"
#include "ebt/io/file.h"

namespace ebt {

// `fingerprint` is that of the vocabulary. Throws Error when the file cannot be written.
void write_shard_file(const std::filesystem::path& path, const TokenShard& shard,
                      uint64_t fingerprint);

// Appends the spans of a shard, which point into the mapped file. Reads all of it, for its
// checksum. Throws Error when it is damaged or holds the tokens of another vocabulary.
void append_shard_spans(const MappedFile& file, const Vocabulary& vocabulary,
                        std::vector<TokenSpan>& spans);

}  // namespace ebt
