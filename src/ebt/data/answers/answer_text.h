// Windows of text with gaps: parts of answer_data.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/answers/answer_data.h"
#include "ebt/kernels/rng.h"

namespace ebt {

// Of config.layout kText. A token that fills rows up also stands between documents; it is known.
AnswerData open_answer_text(const AnswerDataConfig& config, uint64_t seed);
std::unique_ptr<AnswerSet> open_answer_text(const AnswerDataConfig& config,
                                            const AnswerFormat& format);

// The characters by which a gap is marked in a text of these characters: those of --unknown, which
// must not be among them, or one that is not; "" where there is none.
std::string unknown_in_text(const AnswerDataConfig& config, const std::string& characters);

// What the gaps of a row are drawn from: of row `number` of a series, and of one for validation.
inline RandomStream training_gaps(uint64_t seed, int64_t number) {
  return {seed, RandomPurpose::kGaps, static_cast<uint64_t>(number)};
}
inline RandomStream validation_gaps(int64_t row) {
  constexpr uint64_t kBeyondTraining = uint64_t{1} << 63U;
  return {0, RandomPurpose::kGaps, kBeyondTraining | static_cast<uint64_t>(row)};
}

}  // namespace ebt
