#include "ebt/data/text/token_corpus.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/text/corpus.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/data/text/token_shard.h"
#include "ebt/io/available_memory.h"

namespace ebt {
namespace {

using Spans = std::vector<TokenSpan>;

int64_t total_tokens(const Spans& spans) {
  int64_t total = 0;
  for (const TokenSpan& span : spans) {
    total += span.count;
  }
  return total;
}

int64_t document_count(const Spans& spans) {
  return std::count_if(spans.begin(), spans.end(),
                       [](const TokenSpan& span) { return span.ends_document; });
}

// Training and validation documents. A document is set aside whenever at least half of its length
// is owed to validation, which keeps the share by tokens and spreads the choice over the corpus.
std::pair<Spans, Spans> split_by_document(const Spans& spans, double validation) {
  std::pair<Spans, Spans> parts;
  double owed_tokens = 0;
  for (auto begin = spans.begin(); begin != spans.end();) {
    auto end = begin;
    double length = static_cast<double>(end->count);
    while (!end->ends_document) {
      length += static_cast<double>((++end)->count);
    }
    ++end;
    owed_tokens += validation * length;
    const bool set_aside = owed_tokens >= length / 2;
    owed_tokens -= set_aside ? length : 0;
    Spans& part = set_aside ? parts.second : parts.first;
    part.insert(part.end(), begin, end);
    begin = end;
  }
  return parts;
}

// The same, cutting the tokens at one place, which may lie within a document.
std::pair<Spans, Spans> split_by_position(const Spans& spans, double validation) {
  std::pair<Spans, Spans> parts;
  auto training_tokens =
      static_cast<int64_t>(static_cast<double>(total_tokens(spans)) * (1.0 - validation));
  for (const TokenSpan& span : spans) {
    const int64_t kept = std::min(span.count, training_tokens);
    training_tokens -= kept;
    if (kept > 0) {
      parts.first.push_back({span.data, kept, span.token_bytes, span.ends_document});
    }
    if (kept < span.count) {
      parts.second.push_back({span.data + kept * span.token_bytes, span.count - kept,
                              span.token_bytes, span.ends_document});
    }
  }
  return parts;
}

}  // namespace

TokenCorpus TokenCorpus::open(const TextSource& source, const Tokenizer& tokenizer) {
  TokenCorpus corpus;
  corpus.vocabulary_ = vocabulary_of(tokenizer);
  if (is_prepared_data(source.data)) {
    const auto prepared = std::make_shared<const PreparedData>(source.data, tokenizer);
    const PreparedSummary& summary = prepared->summary();
    corpus.name_ = fmt::format("'{}'", source.data);
    corpus.summary_ = {summary.shards, summary.documents, summary.bytes, summary.tokens, 0};
    corpus.spans_ = prepared->spans();
    corpus.owner_ = prepared;
    return corpus;
  }
  const auto text = std::make_shared<const Corpus>(Corpus::open(source));
  corpus.name_ = text->name();
  corpus.summary_ = text->summary();
  if (tokenizer.name() == kByteTokenizer) {
    corpus.spans_ = byte_spans(text->documents());
    corpus.summary_.tokens = total_tokens(corpus.spans_);
    corpus.owner_ = text;
    return corpus;
  }
  const auto shards = std::make_shared<std::deque<TokenShard>>();
  tokenize(text->documents(), tokenizer, [&](TokenShard shard) {
    const std::optional<size_t> available = available_memory_bytes();
    EBT_CHECK(!available || *available > shard.tokens.size(),
              "the tokens of {} do not fit in memory: 'ebt data prepare' writes them to a "
              "folder that is read from the disk",
              corpus.name_);
    shards->push_back(std::move(shard));
  });
  for (const TokenShard& shard : *shards) {
    append_spans(shard.tokens.data(), shard.count(), shard.token_bytes, shard.document_ends.data(),
                 shard.document_ends.size(), corpus.spans_);
  }
  corpus.summary_.tokens = total_tokens(corpus.spans_);
  corpus.owner_ = shards;
  return corpus;
}

TokenSequence TokenCorpus::tokens() const {
  TokenSequence tokens(spans_, vocabulary_, owner_);
  EBT_CHECK(tokens.size() >= 2, "{} is too short: one token leaves nothing to predict", name_);
  return tokens;
}

CorpusSplit TokenCorpus::split(double validation, int64_t context) const {
  EBT_CHECK(validation >= 0.0 && validation < 1.0,
            "the share kept for validation must be at least 0 and below 1, not {}", validation);
  constexpr int64_t kMinDocuments = 10;
  auto [training, validating] = document_count(spans_) >= kMinDocuments
                                    ? split_by_document(spans_, validation)
                                    : split_by_position(spans_, validation);
  CorpusSplit split = {{std::move(training), vocabulary_, owner_},
                       {std::move(validating), vocabulary_, owner_}};
  const auto check = [&](const TokenSequence& part, const char* part_name) {
    EBT_CHECK(part.size() > context,
              "{} is too short: its {} part, with {} of it kept for validation, has {} tokens, and "
              "a context of {} needs at least {}",
              name_, part_name, validation, part.size(), context, context + 1);
  };
  check(split.training, "training");
  if (validation > 0.0) {
    check(split.validation, "validation");
  }
  return split;
}

}  // namespace ebt
