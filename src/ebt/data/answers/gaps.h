// Random gaps in texts.
#pragma once

#include <cstdint>
#include <span>

#include "ebt/core/enum_names.h"
#include "ebt/data/random_draws.h"

namespace ebt {

enum class GapKind {
  kSpans,      // of neighbours
  kScattered,  // each by itself
  kMixed,      // of either kind, by chance in every row
};
const EnumNames<GapKind>& enum_names(GapKind);

struct GapConfig {
  GapKind gaps = GapKind::kMixed;
  double gap_least = 0.1;  // share of a row that is asked for, drawn uniformly
  double gap_most = 0.5;
  int64_t gap_span = 8;  // characters of a span on average

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("gaps", gaps,
          "what is asked for of lines and text: spans, scattered characters, or mixed");
    visit("gap-least", gap_least, "smallest share of a row that is asked for");
    visit("gap-most", gap_most, "largest share of a row that is asked for");
    visit("gap-span", gap_span, "characters of a span on average");
  }
};

// Asks for some of the tokens that are `known`: what is 1 becomes 0. At least one where there is
// one.
void draw_gaps(const GapConfig& config, RandomDraws& draws, std::span<uint8_t> known);

}  // namespace ebt
