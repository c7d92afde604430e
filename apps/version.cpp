#include "version.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "build_info.h"  // made by cmake/version.cmake
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"

namespace ebt {

Json version_json() {
  Json libraries = Json::object();
  for (const auto& [name, version] : kBuildLibraries) {
    libraries[name] = version;
  }
  return {{"version", kBuildVersion},
          {"commit", kBuildCommit},
          {"instruction_sets", kBuildIsas},
          {"instruction_set", kernels::isa_name(kernels::active_isa())},
          {"bf16_engine", kernels::bf16_engine()},
          {"libraries", libraries}};
}

std::string version_text() {
  std::vector<std::string> libraries;
  for (const auto& [name, version] : kBuildLibraries) {
    libraries.push_back(fmt::format("{} {}", name, version));
  }
  return fmt::format(
      "ebt {} (commit {})\n"
      "instruction sets: {}, of which {} is in use; bf16 by {}\n"
      "libraries: {}\n",
      kBuildVersion, kBuildCommit, fmt::join(kBuildIsas, ", "),
      kernels::isa_name(kernels::active_isa()), kernels::bf16_engine(), fmt::join(libraries, ", "));
}

}  // namespace ebt
