#include "ebt/serve/text_writer.h"

#include <utility>

namespace ebt {

TextWriter::TextWriter(const ServedModel& model, const std::vector<std::string>& stop_strings)
    : model_(model), stream_(stop_strings) {}

TextPiece TextWriter::add(TokenReport report) {
  TextPiece piece;
  if (report.from_prompt) {
    piece.tokens.push_back(std::move(report));
    return piece;
  }
  if (stopped()) {
    return piece;
  }
  const std::string bytes = model_.bytes_of(report.token);
  const int64_t begin = bytes_;
  bytes_ += static_cast<int64_t>(bytes.size());
  held_.push_back({std::move(report), begin, bytes_});
  piece.text = stream_.feed(bytes);
  while (!held_.empty() && held_.front().end <= stream_.released_bytes()) {
    piece.tokens.push_back(std::move(held_.front().report));
    held_.pop_front();
  }
  return piece;
}

TextPiece TextWriter::finish() {
  TextPiece piece;
  piece.text = stream_.finish();
  // Without a stop string all of them: the last ones may have no text.
  while (!held_.empty() && (!stopped() || held_.front().begin < stream_.released_bytes())) {
    piece.tokens.push_back(std::move(held_.front().report));
    held_.pop_front();
  }
  return piece;
}

}  // namespace ebt
