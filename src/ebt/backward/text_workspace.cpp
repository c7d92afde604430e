#include "ebt/backward/text_workspace.h"

namespace ebt {

std::vector<Chunk> cut_into_chunks(int64_t batch, int64_t queries, int64_t positions) {
  std::vector<Chunk> chunks;
  if (batch == 0 || queries == 0) {
    return chunks;
  }
  const int64_t rows = std::clamp<int64_t>(positions / queries, 1, batch);
  const int64_t parts = (queries + positions - 1) / positions;
  const int64_t part = (queries + parts - 1) / parts;
  for (int64_t row = 0; row < batch; row += rows) {
    for (int64_t query = 0; query < queries; query += part) {
      chunks.push_back(
          {row, std::min(rows, batch - row), query, std::min(part, queries - query), queries});
    }
  }
  return chunks;
}

}  // namespace ebt
