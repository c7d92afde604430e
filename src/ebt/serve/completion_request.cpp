#include "ebt/serve/completion_request.h"

#include <algorithm>
#include <limits>
#include <random>

#include "ebt/serve/api_error.h"
#include "ebt/serve/chat_messages.h"
#include "ebt/serve/json_fields.h"
#include "ebt/serve/request_fields.h"
#include "ebt/serve/thinking_request.h"

namespace ebt {
namespace {

constexpr int64_t kDefaultMaxTokens = 16;  // of completions, as OpenAI's
constexpr size_t kMostStopStrings = 1024;
constexpr size_t kLongestStopString_bytes = 500;

class Parser {
 public:
  Parser(const nlohmann::json& body, Endpoint endpoint, const ServedModel& model,
         const RequestLimits& limits)
      : fields_(body, "", "The body"), model_(model), limits_(limits) {
    request_.endpoint = endpoint;
  }

  CompletionRequest parse() {
    check_model_name(fields_, "model", model_.name);
    read_lengths();
    if (chat()) {
      add_prompt(model_.chat.render(read_messages(fields_)));
    } else {
      read_prompts();
    }
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

  void add_prompt(const std::string& text) { add_prompt(model_.prompt_tokens(text), text); }

  void add_tokens(const nlohmann::json& array) {
    std::vector<int32_t> tokens = read_tokens(array, "prompt", model_);
    std::string text = model_.text_of(tokens);
    add_prompt(std::move(tokens), std::move(text));
  }

  void add_prompt(std::vector<int32_t> tokens, std::string text) {
    if (kept_tokens_ && tokens.size() > *kept_tokens_) {
      tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(*kept_tokens_));
      text = model_.text_of(tokens);
    }
    check_length(static_cast<int64_t>(tokens.size()));
    request_.prompts.push_back(std::move(tokens));
    request_.prompt_texts.push_back(std::move(text));
  }

  // Clients know this refusal by its code, or by OpenAI's sentence.
  void check_length(int64_t tokens) const {
    const std::string field = chat() ? "messages" : "prompt";
    std::string sentence;
    if (tokens > model_.config.context) {
      sentence = fmt::format(
          "This model's maximum context length is {} tokens. However, your {} resulted in {} "
          "tokens: shorten it, or let 'truncate_prompt_tokens' say how many of its last ones to "
          "keep.",
          model_.config.context, field, tokens);
    } else if (tokens > limits_.max_prompt_tokens) {
      sentence = fmt::format("'{}' has {} tokens, above the limit of {}.", field, tokens,
                             limits_.max_prompt_tokens);
    } else {
      return;
    }
    throw ApiError(400, sentence, field, "context_length_exceeded");
  }

  void read_lengths() {
    const int64_t least = chat() ? 1 : 0;
    const auto tokens = fields_.integer("max_tokens", least, limits_.max_tokens);
    const auto newer =
        chat() ? fields_.integer("max_completion_tokens", least, limits_.max_tokens) : std::nullopt;
    const int64_t usual =
        std::min(limits_.max_tokens, chat() ? model_.config.context : kDefaultMaxTokens);
    request_.max_tokens = newer.value_or(tokens.value_or(usual));
    if (const auto kept = fields_.integer("truncate_prompt_tokens", -1, model_.config.context)) {
      if (*kept == 0) {
        fields_.fail_wrong("truncate_prompt_tokens", "-1, or a number of tokens from 1");
      }
      kept_tokens_ = static_cast<size_t>(*kept < 0 ? model_.config.context : *kept);
    }
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
    if (seed) {
      request_.seed = static_cast<uint64_t>(*seed);
    } else {
      request_.drawn_seed = std::random_device()();
    }
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
      const bool valid =
          text.is_string() && text.get_ref<const std::string&>().size() <= kLongestStopString_bytes;
      if (!valid) {
        refuse_field("stop", "'stop' must be a string of up to {} bytes, or an array of such.",
                     kLongestStopString_bytes);
      }
      // An empty one stands for the end of a document, which ends every text.
      if (!text.get_ref<const std::string&>().empty()) {
        request_.stop.push_back(text.get<std::string>());
      }
    }
  }

  void read_probabilities() {
    const int64_t most = std::min(kMostTop, model_.config.vocab_size);
    if (chat()) {
      request_.logprobs = fields_.boolean("logprobs").value_or(false);
      const auto top = fields_.integer("top_logprobs", 0, most);
      if (top.value_or(0) > 0 && !request_.logprobs) {
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
         {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
          "prompt_cache_retention"}) {
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
    for (const char* const field : {"reasoning_effort", "verbosity"}) {
      fields_.only(
          field, [](const nlohmann::json& value) { return value == "medium"; }, "\"medium\"");
    }
    for (const char* const field : {"audio", "prediction", "web_search_options"}) {
      fields_.only(
          field, [](const nlohmann::json&) { return false; }, "");
    }
  }

  JsonFields fields_;
  const ServedModel& model_;
  const RequestLimits& limits_;
  CompletionRequest request_;
  std::optional<size_t> kept_tokens_;  // of a prompt, from its end
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
  generation.think.seed = seed.value_or(0);
  generation.sampling.seed = seed ? *seed + text % static_cast<size_t>(best_of) : drawn_seed + text;
  generation.top_tokens = std::max(logprobs ? top_logprobs : 0, trace);
  generation.trace = trace > 0;
  return generation;
}

CompletionRequest parse_completion_request(std::string_view body, Endpoint endpoint,
                                           const ServedModel& model, const RequestLimits& limits) {
  const nlohmann::json object = parse_request_body(body);
  return Parser(object, endpoint, model, limits).parse();
}

}  // namespace ebt
