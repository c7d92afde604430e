// Prints the seconds of each phase of a step as a table, or makes JSON of them.
#pragma once

#include "ebt/core/config_fields.h"
#include "ebt/core/phase.h"

namespace ebt {

Json to_json(const PhaseSeconds& phases);
// One line for each phase that took time.
void print_phases(const PhaseSeconds& phases);

}  // namespace ebt
