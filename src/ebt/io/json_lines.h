// Files of one JSON object a line.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace ebt {

// Calls visit(what, value) for every line of a file that is not blank, and returns how many there
// were; `what` names the line in errors: "line 3 of 'file.jsonl'". Throws Error when the file
// cannot be read, or a line is not a JSON object.
int64_t for_each_json_line(
    const std::string& path,
    const std::function<void(const std::string& what, const nlohmann::json& object)>& visit);

// The string `key` of an object, which must not be blank. `what` begins error messages.
const std::string& text_member(const nlohmann::json& object, const std::string& what,
                               const std::string& key);

}  // namespace ebt
