#include "ebt/serve/completion_request.h"

#include <algorithm>
#include <limits>
#include <random>

#include "ebt/core/error.h"
#include "ebt/io/json.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/json_fields.h"
#include "ebt/serve/thinking_request.h"

namespace ebt {
namespace {

constexpr int64_t kDefaultMaxTokens = 16;  // of completions, as OpenAI's
constexpr size_t kMostStopStrings = 16;
constexpr size_t kLongestStopString_bytes = 500;

class Parser {
 public:
  Parser(const nlohmann::json& body, Endpoint endpoint, const ServedModel& model,
         const RequestLimits& limits)
      : fields_(body, "", "The body"), model_(model), limits_(limits) {
    request_.endpoint = endpoint;
  }

  CompletionRequest parse() {
    read_model();
    if (chat()) {
      read_messages();
    } else {
      read_prompts();
    }
    read_lengths();
    read_sampling();
    read_counts();
    read_stop();
    read_probabilities();
    read_stream();
    if (const nlohmann::json* const thinking = fields_.find("thinking")) {
      request_.think = parse_thinking(*thinking, limits_);
    }
    read_unsupported();
    fields_.expect_no_others();
    return std::move(request_);
  }

 private:
  bool chat() const { return request_.endpoint == Endpoint::kChat; }

  void read_model() {
    const auto name = fields_.text("model");
    if (name && *name != model_.name) {
      throw ApiError(404,
                     fmt::format("There is no model {}: this server has '{}'.", json_excerpt(*name),
                                 model_.name),
                     "model", "model_not_found");
    }
  }

  void read_prompts() {
    const nlohmann::json* const prompt = fields_.find("prompt");
    if (prompt == nullptr) {
      add_prompt("");
    } else if (prompt->is_string()) {
      add_prompt(prompt->get_ref<const std::string&>());
    } else if (!prompt->is_array() || prompt->empty()) {
      fields_.fail_wrong("prompt", "a string, or an array of strings or of tokens");
    } else if (prompt->front().is_number()) {
      add_tokens(*prompt);
    } else {
      check_texts(prompt->size(), "prompt");
      for (const nlohmann::json& part : *prompt) {
        if (part.is_string()) {
          add_prompt(part.get_ref<const std::string&>());
        } else if (part.is_array() && !part.empty()) {
          add_tokens(part);
        } else {
          refuse_field("prompt", "'prompt' must hold strings, or arrays of tokens, not {}.",
                       json_excerpt(part));
        }
      }
    }
  }

  void check_texts(size_t texts, const char* field) const {
    if (texts > static_cast<size_t>(limits_.max_texts)) {
      refuse_field(field, "'{}' asks for {} texts at once, above the limit of {}.", field, texts,
                   limits_.max_texts);
    }
  }

  void check_prompt_tokens(size_t tokens) const {
    if (tokens > static_cast<size_t>(limits_.max_prompt_tokens)) {
      const char* const field = chat() ? "messages" : "prompt";
      throw ApiError(400,
                     fmt::format("'{}' has {} tokens, above the limit of {}.", field, tokens,
                                 limits_.max_prompt_tokens),
                     field, "context_length_exceeded");
    }
  }

  // An empty text stands for the start of a document.
  void add_prompt(const std::string& text) {
    std::vector<int32_t> tokens = model_.tokenizer->encode(text);
    check_prompt_tokens(tokens.size());
    if (tokens.empty()) {
      tokens.push_back(model_.tokenizer->document_separator());
    }
    request_.prompts.push_back(std::move(tokens));
    request_.prompt_texts.push_back(text);
  }

  void add_tokens(const nlohmann::json& array) {
    check_prompt_tokens(array.size());
    std::vector<int32_t> tokens;
    tokens.reserve(array.size());
    std::string text;
    for (const nlohmann::json& token : array) {
      const bool valid = token.is_number_unsigned() &&
                         token.get<uint64_t>() < static_cast<uint64_t>(model_.config.vocab_size);
      if (!valid) {
        refuse_field("prompt", "'prompt' has a token {}, but tokens are whole numbers to {}.",
                     json_excerpt(token), model_.config.vocab_size - 1);
      }
      tokens.push_back(token.get<int32_t>());
      text += model_.bytes_of(tokens.back());
    }
    request_.prompts.push_back(std::move(tokens));
    request_.prompt_texts.push_back(std::move(text));
  }

  void read_messages() {
    const nlohmann::json* const messages = fields_.find("messages");
    if (messages == nullptr) {
      refuse_field("messages", "'messages' is missing.");
    }
    if (!messages->is_array() || messages->empty()) {
      fields_.fail_wrong("messages", "an array of messages that is not empty");
    }
    std::vector<ChatMessage> conversation;
    for (size_t i = 0; i < messages->size(); ++i) {
      conversation.push_back(read_message((*messages)[i], fmt::format("messages[{}]", i)));
    }
    add_prompt(model_.chat.render(conversation));
  }

  static ChatMessage read_message(const nlohmann::json& object, const std::string& where) {
    JsonFields fields(object, where + ".", fmt::format("'{}'", where));
    ChatMessage message;
    message.role = fields.text("role").value_or("");
    if (message.role == "developer") {
      message.role = "system";
    }
    if (message.role != "system" && message.role != "user" && message.role != "assistant") {
      refuse_field(where + ".role",
                   "'{}.role' must be \"system\", \"developer\", \"user\" or \"assistant\".",
                   where);
    }
    const nlohmann::json* const content = fields.find("content");
    if (content == nullptr) {
      refuse_field(where + ".content", "'{}.content' is missing.", where);
    }
    if (content->is_string()) {
      message.content = content->get<std::string>();
    } else if (content->is_array()) {
      for (const nlohmann::json& part : *content) {
        message.content += read_part(part, where + ".content");
      }
    } else {
      fields.fail_wrong("content", "a string, or an array of text parts");
    }
    fields.ignore("name");
    const auto is_empty = [](const nlohmann::json& value) { return value.empty(); };
    for (const char* const field : {"tool_calls", "function_call", "audio", "refusal"}) {
      fields.only(field, is_empty, "");
    }
    fields.expect_no_others();
    return message;
  }

  static std::string read_part(const nlohmann::json& part, const std::string& where) {
    JsonFields fields(part, where + ".", fmt::format("A part of '{}'", where));
    if (fields.text("type") != "text") {
      refuse_field(where, "'{}' has a part that is not of type \"text\": others are not supported.",
                   where);
    }
    const std::optional<std::string> text = fields.text("text");
    if (!text) {
      refuse_field(where, "'{}' has a part without \"text\".", where);
    }
    fields.expect_no_others();
    return *text;
  }

  void read_lengths() {
    const int64_t least = chat() ? 1 : 0;
    const auto tokens = fields_.integer("max_tokens", least, limits_.max_tokens);
    const auto newer =
        chat() ? fields_.integer("max_completion_tokens", least, limits_.max_tokens) : std::nullopt;
    const int64_t usual =
        std::min(limits_.max_tokens, chat() ? model_.config.context : kDefaultMaxTokens);
    request_.max_tokens = newer.value_or(tokens.value_or(usual));
  }

  void read_sampling() {
    SamplingOptions& sampling = request_.sampling;
    sampling.temperature = fields_.number("temperature", 0).value_or(1);
    sampling.top_p = fields_.number("top_p", 0).value_or(1);
    if (sampling.top_p <= 0 || sampling.top_p > 1) {
      fields_.fail_wrong("top_p", "a number above 0 and up to 1");
    }
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    sampling.top_k = fields_.integer("top_k", 0, kMost).value_or(0);
    const auto seed = fields_.integer("seed", std::numeric_limits<int64_t>::min(), kMost);
    request_.seed = seed ? static_cast<uint64_t>(*seed) : std::random_device()();
  }

  void read_counts() {
    request_.n = fields_.integer("n", 1, limits_.max_texts).value_or(1);
    request_.best_of = request_.n;
    if (!chat()) {
      request_.best_of = fields_.integer("best_of", 1, limits_.max_texts).value_or(request_.n);
      if (request_.best_of < request_.n) {
        refuse_field("best_of", "'best_of' is {}, but must be at least 'n', which is {}.",
                     request_.best_of, request_.n);
      }
    }
    check_texts(static_cast<size_t>(request_.texts()),
                request_.best_of > request_.n ? "best_of" : "n");
  }

  void read_stop() {
    const nlohmann::json* const stop = fields_.find("stop");
    if (chat()) {
      request_.stop = model_.chat.stop();
    }
    if (stop == nullptr) {
      return;
    }
    const nlohmann::json list = stop->is_array() ? *stop : nlohmann::json::array({*stop});
    if (list.size() > kMostStopStrings) {
      refuse_field("stop", "'stop' has {} strings, above the limit of {}.", list.size(),
                   kMostStopStrings);
    }
    for (const nlohmann::json& text : list) {
      const bool valid = text.is_string() && !text.get_ref<const std::string&>().empty() &&
                         text.get_ref<const std::string&>().size() <= kLongestStopString_bytes;
      if (!valid) {
        refuse_field("stop", "'stop' must be a string of 1 to {} bytes, or an array of such.",
                     kLongestStopString_bytes);
      }
      request_.stop.push_back(text.get<std::string>());
    }
  }

  void read_probabilities() {
    const int64_t most = std::min(kMostTop, model_.config.vocab_size);
    if (chat()) {
      request_.logprobs = fields_.boolean("logprobs").value_or(false);
      const auto top = fields_.integer("top_logprobs", 0, most);
      if (top && !request_.logprobs) {
        refuse_field("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
      }
      request_.top_logprobs = top.value_or(0);
    } else {
      const auto top = fields_.integer("logprobs", 0, most);
      request_.logprobs = top.has_value();
      request_.top_logprobs = top.value_or(0);
      request_.echo = fields_.boolean("echo").value_or(false);
    }
    request_.trace = fields_.integer("trace", 0, most).value_or(0);
  }

  void read_stream() {
    request_.stream = fields_.boolean("stream").value_or(false);
    if (request_.stream && request_.best_of > request_.n) {
      refuse_field("best_of", "'best_of' above 'n' cannot be streamed.");
    }
    if (const nlohmann::json* const object = fields_.find("stream_options")) {
      if (!request_.stream) {
        refuse_field("stream_options", "'stream_options' needs 'stream' to be true.");
      }
      JsonFields options(*object, "stream_options.", "'stream_options'");
      request_.include_usage = options.boolean("include_usage").value_or(false);
      options.ignore("include_obfuscation");
      options.expect_no_others();
    }
  }

  // Fields of OpenAI's that this server accepts only where they ask for nothing.
  void read_unsupported() {
    const auto is_empty = [](const nlohmann::json& value) {
      return value.is_structured() && value.empty();
    };
    const auto is_zero = [](const nlohmann::json& value) { return value == 0; };
    fields_.only("logit_bias", is_empty, "{}");
    fields_.only("frequency_penalty", is_zero, "0");
    fields_.only("presence_penalty", is_zero, "0");
    for (const char* const field :
         {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}) {
      fields_.ignore(field);
    }
    if (!chat()) {
      fields_.only(
          "suffix",
          [](const nlohmann::json& v) {
            return v.is_string() && v.get_ref<const std::string&>().empty();
          },
          "\"\"");
      return;
    }
    fields_.only("tools", is_empty, "[]");
    fields_.only("functions", is_empty, "[]");
    const auto calls_none = [](const nlohmann::json& v) { return v == "none" || v == "auto"; };
    fields_.only("tool_choice", calls_none, "\"none\"");
    fields_.only("function_call", calls_none, "\"none\"");
    fields_.ignore("parallel_tool_calls");
    fields_.only(
        "response_format",
        [](const nlohmann::json& value) {
          return value == nlohmann::json{{"type", "text"}};
        },
        "{\"type\": \"text\"}");
    fields_.only(
        "modalities",
        [](const nlohmann::json& value) { return value == nlohmann::json::array({"text"}); },
        "[\"text\"]");
    for (const char* const field :
         {"audio", "prediction", "reasoning_effort", "verbosity", "web_search_options"}) {
      fields_.only(
          field, [](const nlohmann::json&) { return false; }, "");
    }
  }

  JsonFields fields_;
  const ServedModel& model_;
  const RequestLimits& limits_;
  CompletionRequest request_;
};

}  // namespace

GenerationRequest CompletionRequest::generation(size_t text, const ServedModel& model) const {
  GenerationRequest generation;
  generation.prompt = prompts[prompt_of(text)];
  generation.max_tokens = max_tokens;
  generation.score_from = echo && logprobs && generation.prompt.size() > 1 ? 1 : -1;
  generation.end_token = model.tokenizer->document_separator();
  generation.think = think;
  generation.sampling = sampling;
  generation.think.seed = generation.sampling.seed = seed + text;
  generation.top_tokens = std::max(logprobs ? top_logprobs : 0, trace);
  generation.trace = trace > 0;
  return generation;
}

CompletionRequest parse_completion_request(std::string_view body, Endpoint endpoint,
                                           const ServedModel& model, const RequestLimits& limits) {
  nlohmann::json object;
  try {
    object = parse_json(body, "The body");
  } catch (const Error& error) {
    throw ApiError(400, fmt::format("{}.", error.what()));
  }
  return Parser(object, endpoint, model, limits).parse();
}

}  // namespace ebt
