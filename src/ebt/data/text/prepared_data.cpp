#include "ebt/data/text/prepared_data.h"

#include <system_error>

#include "ebt/core/byte_progress.h"
#include "ebt/core/config_fields.h"
#include "ebt/core/error.h"
#include "ebt/data/text/shard_file.h"
#include "ebt/data/text/token_shard.h"
#include "ebt/data/tokenizer/bpe_tokenizer.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/sentence_piece.h"
#include "ebt/io/folder.h"
#include "ebt/io/folder_owner.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFormatVersion = 1;
constexpr size_t kMaxSummary_bytes = 100'000;

std::string hexadecimal(uint64_t number) { return fmt::format("{:016x}", number); }

fs::path shard_path(const fs::path& folder, int64_t index) {
  return folder / fmt::format("shard-{:05}.tokens", index);
}

// Whether a preparation that was interrupted leaves a file of this name.
bool is_leftover(const std::string& name) {
  const auto is = [&](const std::string& file) { return name == file || name == file + ".tmp"; };
  return is(kBpeTokenizerFile) || is(kSentencePieceFile) || is(kTokenizerConfigFile) ||
         is(kPreparedFile) || (name.starts_with("shard-") && name.find(".tokens") != name.npos);
}

// Empties a folder of what an interrupted preparation left. Everything is looked at
// before anything is removed.
void make_room(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  bool has_shards = false;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == kOwnerFile) {
      continue;
    }
    EBT_CHECK(is_leftover(name),
              "'{}' holds '{}', which is not of prepared data: choose another "
              "folder with --out",
              folder.string(), name);
    has_shards = has_shards || name.starts_with("shard-");
    leftovers.push_back(entry->path());
  }
  EBT_CHECK(!error, "cannot read folder '{}': {}", folder.string(), error.message());
  // The tokenizer is copied behind the last shard: without shards it is somebody's own.
  EBT_CHECK(has_shards || leftovers.empty(),
            "'{}' holds '{}', which is not of prepared data: choose another folder with --out",
            folder.string(), leftovers.empty() ? "" : leftovers.front().filename().string());
  for (const fs::path& leftover : leftovers) {
    fs::remove(leftover, error);
    EBT_CHECK(!error, "cannot remove '{}': {}", leftover.string(), error.message());
  }
}

PreparedSummary read_summary(const fs::path& folder) {
  const fs::path path = folder / kPreparedFile;
  const std::string source = "'" + path.string() + "'";
  const nlohmann::json object = parse_json(read_text_file(path, kMaxSummary_bytes), source);
  EBT_CHECK(object.is_object(), "{} must hold a JSON object", source);
  PreparedSummary summary;
  fields_from_json(object, source, summary);
  EBT_CHECK(summary.format_version == kFormatVersion,
            "{} has format version {}, and this program reads version {}", source,
            summary.format_version, kFormatVersion);
  return summary;
}

}  // namespace

PreparedSummary prepare_data(const TextSource& source, const std::string& tokenizer_path,
                             const fs::path& folder, const std::string& end_of_text) {
  check_apart(folder, source.data, "text");
  const FolderOwner owner = FolderOwner::take(folder);
  std::error_code ignored;  // whatever is wrong with a path, using it says so
  EBT_CHECK(!fs::exists(folder / kPreparedFile, ignored),
            "'{}' holds prepared data already: choose another folder with --out", folder.string());
  const auto tokenizer = open_tokenizer(tokenizer_path, end_of_text);
  const auto vocabulary = vocabulary_of(*tokenizer);
  const Corpus corpus = open_text(source);
  make_room(folder);

  PreparedSummary summary;
  summary.tokenizer = tokenizer->name();
  summary.vocabulary_size = tokenizer->vocabulary_size();
  summary.fingerprint = hexadecimal(vocabulary->fingerprint);
  summary.bytes = corpus.summary().bytes;
  tokenize(corpus.documents(), *tokenizer, [&](const TokenShard& shard) {
    write_shard_file(shard_path(folder, summary.shards), shard, vocabulary->fingerprint);
    ++summary.shards;
    summary.documents += static_cast<int64_t>(shard.document_ends.size());
    summary.tokens += shard.count();
  });
  EBT_CHECK(summary.tokens > 0, "{} has no text of which the tokenizer makes a token",
            corpus.name());
  copy_tokenizer(tokenizer_path, *tokenizer, folder);
  write_file_atomically(folder / kPreparedFile, fields_to_json(summary).dump(2) + '\n');
  return summary;
}

bool is_prepared_data(const std::string& path) {
  std::error_code ignored;
  if (path.empty() || !fs::is_directory(path, ignored)) {
    return false;
  }
  const bool complete = fs::exists(fs::path(path) / kPreparedFile, ignored);
  const std::string first_shard = shard_path(path, 0).string();
  EBT_CHECK(
      complete || (!fs::exists(first_shard, ignored) && !fs::exists(first_shard + ".tmp", ignored)),
      "the preparation of '{}' was interrupted: run 'ebt data prepare' again", path);
  return complete;
}

Corpus open_text(const TextSource& source) {
  EBT_CHECK(!is_prepared_data(source.data),
            "'{}' holds tokens already, made by 'ebt data prepare': name "
            "the text itself with --data",
            source.data);
  return Corpus::open(source);
}

std::string chosen_tokenizer(const std::string& asked_for, const std::string& data) {
  return !asked_for.empty() ? asked_for : is_prepared_data(data) ? data : kByteTokenizer;
}

PreparedData::PreparedData(const fs::path& folder, const Tokenizer& tokenizer)
    : summary_(read_summary(folder)) {
  const auto vocabulary = vocabulary_of(tokenizer);
  EBT_CHECK(summary_.fingerprint == hexadecimal(vocabulary->fingerprint),
            "'{0}' was prepared with another tokenizer ({1}, {2} tokens) than the one in use ({3}, "
            "{4} tokens): prepare the text with this one, or train with --tokenizer {0}",
            folder.string(), summary_.tokenizer, summary_.vocabulary_size, tokenizer.name(),
            tokenizer.vocabulary_size());
  // Not reserved: the number of shards is only what a file says.
  size_t bytes = 0;
  for (int64_t index = 0; index < summary_.shards; ++index) {
    bytes += files_.emplace_back(shard_path(folder, index)).bytes().size();
  }
  ByteProgress progress("checking the prepared text", bytes);
  for (const MappedFile& file : files_) {
    append_shard_spans(file, *vocabulary, spans_);
    progress.add(file.bytes().size());
  }
  int64_t tokens = 0;
  int64_t documents = 0;
  for (const TokenSpan& span : spans_) {
    tokens += span.count;
    documents += span.ends_document ? 1 : 0;
  }
  EBT_CHECK(tokens == summary_.tokens && documents == summary_.documents,
            "'{}' is damaged: its shards have {} tokens and {} documents, and {} says {} and {}",
            folder.string(), tokens, documents, kPreparedFile, summary_.tokens, summary_.documents);
  EBT_CHECK(!spans_.empty() && spans_.back().ends_document,
            "'{}' is damaged: its last document has no end", folder.string());
}

}  // namespace ebt
