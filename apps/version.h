// Version and build information of this program.
#pragma once

#include "ebt/core/config_fields.h"

namespace ebt {

// "version"; "commit", "unknown" where the sources were no git checkout, with "+" behind it where
// they had changed since; "instruction_sets" that are compiled in, "instruction_set" in use,
// "bf16_engine"; "libraries", names and versions at the time of building.
Json version_json();
// The same for people.
std::string version_text();

}  // namespace ebt
