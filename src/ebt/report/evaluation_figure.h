// The figures of evaluation, each a standalone SVG: quality against cost, energy against loss, and
// claimed against real certainty.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebt/eval/task_grid.h"

namespace ebt {

// One measure of quality over the forward passes that a token took.
struct QualityPanel {
  struct Curve {
    std::string label;
    std::vector<std::pair<double, double>> points;  // (passes per token, quality)
  };
  std::string words;  // "perplexity"
  std::vector<Curve> curves;
  std::optional<double> baseline;  // of a Transformer++, which does not think: a flat line
};

// The measures of a grid that are to be drawn, over the rows that think. A curve runs along the
// numbers of steps; where there is one only, along the thresholds of stopping, else the candidates.
std::vector<QualityPanel> quality_panels(const TaskGrid& grid);

// At most two panels side by side. `subject` says what was measured.
std::string quality_figure(const std::vector<QualityPanel>& panels, const std::string& subject);

// Loss (nats) over final energy: a sample of the tokens, and the mean loss at every energy.
// `note` says how they correlate. The vectors are equally long.
std::string energy_loss_figure(const std::vector<double>& energies,
                               const std::vector<double>& losses, const std::string& subject,
                               const std::string& note);

// Accuracy over claimed probability, for several ways of claiming one, beside the diagonal on which
// claims are true.
struct ReliabilityCurve {
  std::string label;
  std::vector<std::pair<double, double>> points;  // (claimed, real), from 0 to 1
};
std::string reliability_figure(const std::vector<ReliabilityCurve>& curves,
                               const std::string& subject);

}  // namespace ebt
