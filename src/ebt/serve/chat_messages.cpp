#include "ebt/serve/chat_messages.h"

#include <optional>
#include <string>
#include <utility>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

[[noreturn]] void refuse_tools(const std::string& field) {
  throw ApiError(
      400,
      fmt::format("Tools are not supported by this server, so that '{}' cannot be read.", field),
      field, "unsupported_field");
}

std::string read_role(JsonFields& message, const std::string& where) {
  std::string role = message.text("role").value_or("");
  if (role == "developer") {
    return "system";
  }
  if (role == "tool" || role == "function") {
    refuse_tools(where);
  }
  if (role != "system" && role != "user" && role != "assistant") {
    refuse_field(where + ".role",
                 "'{}.role' must be \"system\", \"developer\", \"user\" or \"assistant\".", where);
  }
  return role;
}

// The text of a part of a content, whoever's API names its type.
std::string read_part(const nlohmann::json& part, const std::string& where) {
  if (part.is_string()) {
    return part.get<std::string>();
  }
  JsonFields fields(part, where + ".", fmt::format("'{}'", where));
  const std::string type = fields.text("type").value_or("text");
  if (type != "text" && type != "input_text" && type != "output_text" && type != "refusal") {
    throw ApiError(400,
                   fmt::format("'{}' is of type {}, but this server reads text only.", where,
                               json_excerpt(type)),
                   where, "unsupported_field");
  }
  const char* const key = type == "refusal" ? "refusal" : "text";
  const std::optional<std::string> text = fields.text(key);
  if (!text) {
    refuse_field(where + "." + key, "'{}.{}' is missing.", where, key);
  }
  return *text;
}

std::string read_content(JsonFields& message, const std::string& where) {
  const nlohmann::json* const content = message.find("content");
  if (content == nullptr) {
    // An assistant that refused has said so instead.
    if (const std::optional<std::string> refusal = message.text("refusal")) {
      return *refusal;
    }
    refuse_field(where + ".content", "'{}.content' is missing.", where);
  }
  if (content->is_string()) {
    return content->get<std::string>();
  }
  if (!content->is_array()) {
    message.fail_wrong("content", "a string, or an array of text parts");
  }
  std::string text;
  for (size_t i = 0; i < content->size(); ++i) {
    text += read_part((*content)[i], fmt::format("{}.content[{}]", where, i));
  }
  return text;
}

ChatMessage read_message(const nlohmann::json& object, const std::string& where) {
  JsonFields message(object, where + ".", fmt::format("'{}'", where));
  std::string role = read_role(message, where);
  for (const char* const field : {"tool_calls", "function_call"}) {
    const nlohmann::json* const calls = message.find(field);
    if (calls != nullptr && !calls->empty()) {
      refuse_tools(where + "." + field);
    }
  }
  return {std::move(role), read_content(message, where)};
}

}  // namespace

std::vector<ChatMessage> read_messages(JsonFields& body) {
  const nlohmann::json* const messages = body.find("messages");
  if (messages == nullptr) {
    refuse_field("messages", "'messages' is missing.");
  }
  if (!messages->is_array() || messages->empty()) {
    body.fail_wrong("messages", "an array of messages that is not empty");
  }
  std::vector<ChatMessage> conversation;
  for (size_t i = 0; i < messages->size(); ++i) {
    conversation.push_back(read_message((*messages)[i], fmt::format("messages[{}]", i)));
  }
  return conversation;
}

}  // namespace ebt
