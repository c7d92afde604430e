// Comparison of two finished experiments.
#pragma once

#include <filesystem>
#include <string>

#include "ebt/core/config_fields.h"

namespace ebt {

// What run_lab left in a folder.
struct FinishedLab {
  std::filesystem::path folder;
  nlohmann::json summary;  // summary.json

  // Throws Error when there is none, or it is damaged.
  static FinishedLab open(const std::filesystem::path& folder);
};

// Settings that differ, and what each says to every claim, as one object: "settings", "answers".
Json compare_labs(const FinishedLab& first, const FinishedLab& second);

// The same for people, ending in a line break.
std::string comparison_text(const FinishedLab& first, const FinishedLab& second);

// And as a page like the experiments' own, with the figures that both have next to each other.
// Throws Error when a figure cannot be read.
std::string comparison_page(const FinishedLab& first, const FinishedLab& second);

}  // namespace ebt
