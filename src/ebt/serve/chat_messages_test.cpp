#include "ebt/serve/chat_messages.h"

#include <gtest/gtest.h>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

// "role: content|role: content", or "400 field: sentence".
std::string read(const std::string& messages) {
  const nlohmann::json body = {{"messages", nlohmann::json::parse(messages)}};
  JsonFields fields(body, "", "The body");
  std::string text;
  try {
    for (const ChatMessage& message : read_messages(fields)) {
      text += (text.empty() ? "" : "|") + message.role + ": " + message.content;
    }
  } catch (const ApiError& error) {
    return fmt::format("{} {}: {}", error.status(), error.param(), error.what());
  }
  return text;
}

TEST(ChatMessages, ReadsTextsAndPartsOfText) {
  EXPECT_EQ(read(R"([{"role": "developer", "content": "S"},
                     {"role": "user", "content": [{"type": "text", "text": "a"}, "b",
                                                  {"type": "input_text", "text": "c"}]},
                     {"role": "assistant", "content": [{"type": "output_text", "text": "d"}]},
                     {"role": "user", "content": []}])"),
            "system: S|user: abc|assistant: d|user: ");
}

TEST(ChatMessages, IgnoresWhatClientsAdd) {
  EXPECT_EQ(read(R"([{"role": "user", "content": "a", "type": "text", "name": "me"},
    {"role": "assistant", "content": [{"type": "text", "text": "b", "cache_control": {"type":
      "ephemeral"}, "annotations": [], "role": "assistant", "refusal": null, "logprobs": []}],
     "refusal": null, "tool_calls": [], "function_call": null, "audio": null, "annotations": [],
     "reasoning_content": "c", "provider_options": {"x": [1]}}])"),
            "user: a|assistant: b");
}

TEST(ChatMessages, ReadsARefusalForWhatTheAssistantSaid) {
  EXPECT_EQ(read(R"([{"role": "assistant", "content": null, "refusal": "No."}])"),
            "assistant: No.");
  EXPECT_EQ(read(R"([{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}])"),
            "assistant: No.");
}

TEST(ChatMessages, SaysThatToolsAreNotSupported) {
  EXPECT_EQ(read(R"([{"role": "user", "content": "a"},
                     {"role": "assistant", "content": null, "tool_calls": [{"id": "c"}]}])"),
            "400 messages[1].tool_calls: Tools are not supported by this server, so that "
            "'messages[1].tool_calls' cannot be read.");
  for (const char* role : {"tool", "function"}) {
    const nlohmann::json answer = {{{"role", role}, {"content", "4"}, {"tool_call_id", "c"}}};
    EXPECT_EQ(read(answer.dump()),
              "400 messages[0]: Tools are not supported by this server, so that 'messages[0]' "
              "cannot be read.");
  }
}

TEST(ChatMessages, NamesWhatIsWrong) {
  EXPECT_EQ(read("null"), "400 messages: 'messages' is missing.");
  EXPECT_EQ(read("[]"),
            "400 messages: 'messages' must be an array of messages that is not empty, not an "
            "array.");
  EXPECT_EQ(read("[3]"), "400 messages[0]: 'messages[0]' must be a JSON object, not 3");
  EXPECT_EQ(read(R"([{"role": "king", "content": ""}])"),
            "400 messages[0].role: 'messages[0].role' must be \"system\", \"developer\", "
            "\"user\" or \"assistant\".");
  EXPECT_EQ(read(R"([{"role": "user"}])"),
            "400 messages[0].content: 'messages[0].content' is missing.");
  EXPECT_EQ(read(R"([{"role": "user", "content": ["a", {"type": "image_url"}]}])"),
            "400 messages[0].content[1]: 'messages[0].content[1]' is of type \"image_url\", but "
            "this server reads text only.");
  EXPECT_EQ(read(R"([{"role": "user", "content": [{"type": "text"}]}])"),
            "400 messages[0].content[0].text: 'messages[0].content[0].text' is missing.");
  EXPECT_EQ(read(R"([{"role": "user", "content": [7]}])"),
            "400 messages[0].content[0]: 'messages[0].content[0]' must be a JSON object, not 7");
}

}  // namespace
}  // namespace ebt
