#include "ebt/serve/thinking_request.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "ebt/core/error.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/json_fields.h"

namespace ebt {
namespace {

// A field as requests spell it: the flag "think-steps" is "steps".
std::string wire_name(std::string flag) {
  constexpr std::string_view kPrefix = "think-";
  if (flag.starts_with(kPrefix)) {
    flag.erase(0, kPrefix.size());
  }
  std::replace(flag.begin(), flag.end(), '-', '_');
  return flag;
}

// Sets the fields that the object has. Throws ApiError.
void read_options(JsonFields& fields, ThinkOptions& think) {
  std::string at;
  try {
    think.visit_fields([&](const char* name, auto& field, const char* /*help*/) {
      at = wire_name(name);
      if (const nlohmann::json* const value = fields.find(at)) {
        detail::read_field(*value, "thinking", at.c_str(), field);
      }
    });
  } catch (const Error& error) {
    refuse_field("thinking." + at, "{}.", error.what());
  }
}

void check_options(const ThinkOptions& think) {
  try {
    think.check();
  } catch (const Error& error) {
    // The sentence begins with the name of the flag.
    const std::string sentence = error.what();
    const size_t colon = sentence.find(':');
    const std::string field = "thinking." + wire_name(sentence.substr(0, colon));
    refuse_field(field, "'{}'{}.", field, sentence.substr(colon));
  }
}

void check_limit(const char* field, int64_t value, int64_t most) {
  if (value > most) {
    refuse_field(fmt::format("thinking.{}", field), "'thinking.{}' is {}, above the limit of {}.",
                 field, value, most);
  }
}

}  // namespace

ThinkOptions parse_thinking(const nlohmann::json& object, const RequestLimits& limits) {
  JsonFields fields(object, "thinking.", "'thinking'");
  ThinkOptions think;
  read_options(fields, think);
  fields.expect_no_others();
  check_options(think);
  check_limit("steps", think.steps, limits.max_thinking_steps);
  check_limit("candidates", think.candidates, limits.max_candidates);
  return think;
}

}  // namespace ebt
