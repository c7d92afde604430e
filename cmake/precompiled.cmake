# Large headers of others that most files include are compiled once: a third of the time of a build.
# For clang-tidy, which cannot read what gcc makes of them, configure with
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON.
set(EBT_COMMON_HEADERS
  <algorithm> <filesystem> <functional> <map> <memory> <optional> <string> <vector>
  <fmt/format.h> <fmt/ranges.h> <nlohmann/json.hpp>)
