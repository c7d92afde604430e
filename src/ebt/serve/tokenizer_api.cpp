#include "ebt/serve/tokenizer_api.h"

#include <string>
#include <vector>

#include "ebt/serve/chat_messages.h"
#include "ebt/serve/request_fields.h"

namespace ebt {
namespace {

// The text that is asked about.
std::string read_text(JsonFields& fields, const ServedModel& model) {
  const bool answers = fields.boolean("add_generation_prompt").value_or(true);
  if (fields.find("messages") != nullptr) {
    return model.chat.render(read_messages(fields), answers);
  }
  const auto prompt = fields.text("prompt");
  if (!prompt) {
    refuse_field("prompt", "'prompt' is missing, and so are 'messages'.");
  }
  return *prompt;
}

}  // namespace

Json tokenize(std::string_view body, const ServedModel& model) {
  const nlohmann::json object = parse_request_body(body);
  JsonFields fields(object, "", "The body");
  check_model_name(fields, "model", model.name);
  const std::vector<int32_t> tokens = model.prompt_tokens(read_text(fields, model));
  fields.boolean("add_special_tokens");  // there are none to add
  Json names;
  if (fields.boolean("return_token_strs").value_or(false)) {
    names = Json::array();
    for (const int32_t token : tokens) {
      names.push_back(model.bytes_of(token));
    }
  }
  fields.expect_no_others();
  return {{"count", tokens.size()},
          {"max_model_len", model.config.context},
          {"tokens", tokens},
          {"token_strs", std::move(names)}};
}

Json detokenize(std::string_view body, const ServedModel& model) {
  const nlohmann::json object = parse_request_body(body);
  JsonFields fields(object, "", "The body");
  check_model_name(fields, "model", model.name);
  const nlohmann::json* const tokens = fields.find("tokens");
  if (tokens == nullptr) {
    refuse_field("tokens", "'tokens' is missing.");
  }
  if (!tokens->is_array()) {
    fields.fail_wrong("tokens", "an array of tokens");
  }
  fields.expect_no_others();
  return {{"prompt", model.text_of(read_tokens(*tokens, "tokens", model))}};
}

Json tokenizer_info(const ServedModel& model) {
  // The separator of documents, which ends texts and begins them, has no text: it is what an empty
  // one is read as.
  return {{"tokenizer_class", model.tokenizer->name()},
          {"model_max_length", model.config.context},
          {"vocab_size", model.config.vocab_size},
          {"bos_token", nullptr},
          {"eos_token", ""},
          {"eos_token_id", model.tokenizer->document_separator()},
          {"chat_template", model.chat.jinja()}};
}

}  // namespace ebt
