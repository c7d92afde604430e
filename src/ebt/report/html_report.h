// The report of a run, as one self-contained HTML page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/report/energy_text.h"
#include "ebt/report/training_history.h"

namespace ebt {

// Losses of a text after one number of thinking steps.
struct EvaluationRow {
  int64_t thinking_steps = 0;
  double loss = 0;  // nats per token
  double perplexity = 0;
  double bits_per_byte = 0;
  std::optional<double> energy;  // mean before the last of the steps
};

struct ReportData {
  std::string title;
  std::string summary;                                         // one sentence under the title
  std::vector<std::pair<std::string, std::string>> headlines;  // value, what it is
  TrainingHistory history;
  std::vector<EvaluationRow> evaluation;
  std::string prompt;
  std::vector<TokenEnergy> sample;  // what the model wrote after the prompt
  std::vector<std::string> commands;
  Json config;
};

// The page: inline styles and SVG, no request to anywhere, light and dark, wide and narrow.
std::string report_html(const ReportData& report);

}  // namespace ebt
