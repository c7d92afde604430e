// A conversation as one text to continue: chat_template.json of a model folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ebt {

inline constexpr char kChatTemplateFile[] = "chat_template.json";

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

// What stands around a message of a role.
struct ChatRole {
  std::string prefix;
  std::string suffix;
};

class ChatTemplate {
 public:
  // "System: ...\nUser: ...\nAssistant:", ended where another turn begins.
  static ChatTemplate plain();
  // The template of a model folder, or the plain one where there is none. Throws Error when the
  // file is damaged, of a newer version, or lacks a role.
  static ChatTemplate load(const std::filesystem::path& model_folder);

  // The text that an answer continues; or, unless it `answers`, the conversation alone.
  std::string render(const std::vector<ChatMessage>& messages, bool answers = true) const;
  // The same as a Jinja template, as clients that render conversations themselves know it.
  std::string jinja() const;
  // Strings that end an answer, beside those of the request.
  const std::vector<std::string>& stop() const { return stop_; }

 private:
  std::map<std::string, ChatRole> roles_;
  std::string begin_;
  std::string generation_prompt_;
  std::vector<std::string> stop_;
};

}  // namespace ebt
