// The format of a model's rows in its folder.
#pragma once

#include <filesystem>

#include "ebt/data/answers/answer_format.h"

namespace ebt {

inline constexpr char kAnswerFormatFile[] = "answers.json";

// Writes it, through a temporary name. Throws Error when it cannot.
void save_answer_format(const std::filesystem::path& folder, const AnswerFormat& format);
// Throws Error when the file is missing, damaged or impossible.
AnswerFormat load_answer_format(const std::filesystem::path& folder);

}  // namespace ebt
