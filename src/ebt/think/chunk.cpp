#include "ebt/think/chunk.h"

namespace ebt {

QueryRange range_of_targets(Tensor<const int32_t> targets) {
  const int64_t context = targets.dim(1);
  QueryRange range{context, 0};
  for (int64_t row = 0; row < targets.dim(0); ++row) {
    const int32_t* const begin = targets.data + row * context;
    for (int64_t query = 0; query < range.begin; ++query) {
      if (begin[query] >= 0) {
        range.begin = query;
      }
    }
    for (int64_t query = context; query > range.end; --query) {
      if (begin[query - 1] >= 0) {
        range.end = query;
      }
    }
  }
  return range.begin < range.end ? range : QueryRange{};
}

std::vector<Chunk> cut_into_chunks(int64_t batch, int64_t context, QueryRange range,
                                   int64_t positions) {
  std::vector<Chunk> chunks;
  const int64_t queries = range.count();
  if (batch == 0 || queries == 0) {
    return chunks;
  }
  // Equal parts of n, each of at most `size`.
  const auto part_of = [](int64_t n, int64_t size) {
    const int64_t parts = (n + size - 1) / size;
    return (n + parts - 1) / parts;
  };
  // A chunk of the whole context, which memory is laid out for.
  const int64_t most = std::max<int64_t>(positions / context, 1) * part_of(context, positions);
  const int64_t rows = std::clamp<int64_t>(most / queries, 1, batch);
  const int64_t part = part_of(queries, most);
  for (int64_t row = 0; row < batch; row += rows) {
    for (int64_t query = range.begin; query < range.end; query += part) {
      chunks.push_back(
          {row, std::min(rows, batch - row), query, std::min(part, range.end - query), context});
    }
  }
  return chunks;
}

}  // namespace ebt
