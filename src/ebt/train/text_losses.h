// What a run on text measures.
#pragma once

#include "ebt/core/config_fields.h"
#include "ebt/think/evaluate.h"

namespace ebt {

// As report.h wants them.
inline const char* counted_name(const TextLosses& /*measured*/) { return "tokens"; }
Json step_fields(const TextLosses& measured);
Json validation_fields(const TextLosses& measured);

}  // namespace ebt
