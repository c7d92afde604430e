// JSON from files that may be damaged or hostile.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ebt {

inline constexpr size_t kMaxJson_bytes = 100'000'000;
inline constexpr int kMaxJsonDepth = 64;

// Parses one JSON value. Throws Error, in a sentence that begins with `what` ("'run/config.json'"),
// when the text is not JSON, repeats a key within an object, nests deeper than kMaxJsonDepth, or is
// longer than kMaxJson_bytes.
nlohmann::json parse_json(std::string_view text, const std::string& what);

// The first key that two objects have with different values, or one of them alone; empty where they
// are equal. Where one is no object, it is the whole that differs: "(all)".
std::string first_difference(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace ebt
