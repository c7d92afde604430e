#include "ebt/serve/chat_template.h"

#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

constexpr size_t kMaxTemplate_bytes = 100'000;
constexpr int64_t kTemplateVersion = 1;
constexpr const char* kRoles[] = {"system", "user", "assistant"};

std::string read_text(const nlohmann::json& object, const std::string& source, const char* key) {
  std::string text;
  if (const auto value = object.find(key); value != object.end()) {
    detail::read_field(*value, source, key, text);
  }
  return text;
}

}  // namespace

ChatTemplate ChatTemplate::plain() {
  ChatTemplate plain;
  plain.roles_ = {{"system", {"System: ", "\n"}},
                  {"user", {"User: ", "\n"}},
                  {"assistant", {"Assistant: ", "\n"}}};
  plain.generation_prompt_ = "Assistant:";
  plain.stop_ = {"\nUser:", "\nSystem:"};
  return plain;
}

ChatTemplate ChatTemplate::load(const std::filesystem::path& model_folder) {
  const std::filesystem::path path = model_folder / kChatTemplateFile;
  if (!std::filesystem::exists(path)) {
    return plain();
  }
  const std::string source = "'" + path.string() + "'";
  const nlohmann::json object = parse_json(read_text_file(path, kMaxTemplate_bytes), source);
  detail::check_keys(object, source,
                     {"format_version", "begin", "roles", "generation_prompt", "stop"});
  int64_t version = 0;
  if (const auto value = object.find("format_version"); value != object.end()) {
    detail::read_field(*value, source, "format_version", version);
  }
  EBT_CHECK(version == kTemplateVersion,
            "{} has format version {}, and this program reads version {}", source, version,
            kTemplateVersion);
  const auto roles = object.find("roles");
  EBT_CHECK(roles != object.end() && roles->is_object(), "{} has no object \"roles\"", source);
  detail::check_keys(*roles, source + ", roles", {kRoles[0], kRoles[1], kRoles[2]});
  ChatTemplate result;
  for (const char* const name : kRoles) {
    const auto role = roles->find(name);
    EBT_CHECK(role != roles->end() && role->is_object(), "{} has no object for the role \"{}\"",
              source, name);
    const std::string where = source + ", role " + name;
    detail::check_keys(*role, where, {"prefix", "suffix"});
    result.roles_[name] = {read_text(*role, where, "prefix"), read_text(*role, where, "suffix")};
  }
  result.begin_ = read_text(object, source, "begin");
  result.generation_prompt_ = read_text(object, source, "generation_prompt");
  if (const auto stop = object.find("stop"); stop != object.end()) {
    EBT_CHECK(stop->is_array() && stop->size() <= 16, "{}: \"stop\" must be up to 16 strings",
              source);
    for (const nlohmann::json& text : *stop) {
      EBT_CHECK(text.is_string() && !text.get_ref<const std::string&>().empty(),
                "{}: \"stop\" must hold strings that are not empty", source);
      result.stop_.push_back(text.get<std::string>());
    }
  }
  return result;
}

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages, bool answers) const {
  std::string text = begin_;
  for (const ChatMessage& message : messages) {
    const ChatRole& role = roles_.at(message.role);
    text += role.prefix + message.content + role.suffix;
  }
  return answers ? text + generation_prompt_ : text;
}

std::string ChatTemplate::jinja() const {
  // Jinja writes strings as JSON does.
  const auto output = [](const std::string& text) {
    const Json literal = text;
    return "{{ " + literal.dump(-1, ' ', false, Json::error_handler_t::replace) + " }}";
  };
  std::string text = output(begin_) + "{% for message in messages %}";
  const char* test = "if";
  for (const auto& [name, role] : roles_) {
    text += fmt::format("{{% {} message['role'] == '{}' %}}", test, name);
    text += output(role.prefix) + "{{ message['content'] }}" + output(role.suffix);
    test = "elif";
  }
  return text + "{% endif %}{% endfor %}{% if add_generation_prompt %}" +
         output(generation_prompt_) + "{% endif %}";
}

}  // namespace ebt
