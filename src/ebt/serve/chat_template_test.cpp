#include "ebt/serve/chat_template.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

const std::vector<ChatMessage> kConversation = {
    {"system", "Be brief."}, {"user", "Hi"}, {"assistant", "Hello"}, {"user", "Bye"}};

TEST(ChatTemplate, IsPlainWhereTheFolderHasNone) {
  const TemporaryFolder folder;
  const ChatTemplate plain = ChatTemplate::load(folder.path());
  EXPECT_EQ(plain.render(kConversation),
            "System: Be brief.\nUser: Hi\nAssistant: Hello\nUser: Bye\nAssistant:");
  EXPECT_EQ(plain.stop(), (std::vector<std::string>{"\nUser:", "\nSystem:"}));
}

TEST(ChatTemplate, IsReadFromTheModelFolder) {
  const TemporaryFolder folder;
  folder.write(kChatTemplateFile, R"({"format_version": 1, "begin": "<s>",
    "roles": {"system": {"prefix": "[S]"}, "user": {"prefix": "[U]", "suffix": "[/U]"},
              "assistant": {"suffix": "</s>"}},
    "generation_prompt": "[A]", "stop": ["[U]"]})");
  const ChatTemplate chat = ChatTemplate::load(folder.path());
  EXPECT_EQ(chat.render(kConversation), "<s>[S]Be brief.[U]Hi[/U]Hello</s>[U]Bye[/U][A]");
  EXPECT_EQ(chat.stop(), (std::vector<std::string>{"[U]"}));
}

TEST(ChatTemplate, IsToldAsJinja) {
  EXPECT_EQ(
      ChatTemplate::plain().jinja(),
      R"({{ "" }}{% for message in messages %})"
      R"({% if message['role'] == 'assistant' %}{{ "Assistant: " }}{{ message['content'] }})"
      R"({{ "\n" }}{% elif message['role'] == 'system' %}{{ "System: " }})"
      R"({{ message['content'] }}{{ "\n" }}{% elif message['role'] == 'user' %}{{ "User: " }})"
      R"({{ message['content'] }}{{ "\n" }}{% endif %}{% endfor %})"
      R"({% if add_generation_prompt %}{{ "Assistant:" }}{% endif %})");
}

TEST(ChatTemplate, RefusesADamagedFileByOneSentence) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    folder.write(kChatTemplateFile, text);
    return error_text([&] { ChatTemplate::load(folder.path()); });
  };
  const std::string file = "'" + folder.file(kChatTemplateFile) + "'";
  EXPECT_NE(refusal("{").find("is not valid JSON"), std::string::npos);
  EXPECT_EQ(refusal(R"({"roles": {}})"),
            file + " has format version 0, and this program reads version 1");
  EXPECT_EQ(refusal(R"({"format_version": 1})"), file + " has no object \"roles\"");
  EXPECT_EQ(refusal(R"({"format_version": 1, "roles": {"system": {}, "user": {}}})"),
            file + " has no object for the role \"assistant\"");
  EXPECT_NE(refusal(R"({"format_version": 1, "role": {}})").find("unknown field \"role\""),
            std::string::npos);
  const std::string roles = R"("roles": {"system": {}, "user": {}, "assistant": {"prefix": 3}}})";
  EXPECT_EQ(refusal(R"({"format_version": 1, )" + roles),
            file + ", role assistant: \"prefix\" must be a string, not 3");
  const std::string good = R"({"format_version": 1, "roles": {"system": {}, "user": {},
                               "assistant": {}}, "stop": )";
  EXPECT_EQ(refusal(good + "3}"), file + ": \"stop\" must be up to 16 strings");
  EXPECT_EQ(refusal(good + "[\"\"]}"), file + ": \"stop\" must hold strings that are not empty");
}

}  // namespace
}  // namespace ebt
