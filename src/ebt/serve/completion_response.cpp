#include "ebt/serve/completion_response.h"

#include <algorithm>
#include <cmath>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

// JSON has no infinity: what OpenAI sends for a probability of nothing.
constexpr double kLeastLogProbability = -9999;

double finite(double log_probability) {
  return std::isfinite(log_probability) ? log_probability : kLeastLogProbability;
}

Json bytes_json(const std::string& text) {
  Json bytes = Json::array();
  for (const char byte : text) {
    bytes.push_back(static_cast<unsigned char>(byte));
  }
  return bytes;
}

// A token's text where it stands for the token: other bytes than UTF-8 are spelled out.
std::string token_name(const std::string& bytes) {
  if (is_utf8(bytes)) {
    return bytes;
  }
  std::string name = "bytes:";
  for (const char byte : bytes) {
    name += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return name;
}

// UTF-8 characters that begin in these bytes.
int64_t characters(const std::string& bytes) {
  return std::count_if(bytes.begin(), bytes.end(),
                       [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

}  // namespace

void Usage::add(const TokenReport& report) {
  completion_tokens += report.from_prompt ? 0 : 1;
  thinking_steps += report.thinking_steps;
  forward_passes += report.forward_passes;
}

Json Usage::to_json() const {
  return {{"prompt_tokens", prompt_tokens},
          {"completion_tokens", completion_tokens},
          {"total_tokens", prompt_tokens + completion_tokens},
          {"thinking_steps", thinking_steps},
          {"forward_passes", forward_passes}};
}

ChoiceFormat::ChoiceFormat(const CompletionRequest& request, const ServedModel& model, size_t text)
    : request_(request), model_(model), text_(text) {}

TextPiece ChoiceFormat::echo() const {
  return {request_.echo ? request_.prompt_texts[request_.prompt_of(text_)] : "", {}};
}

Json ChoiceFormat::chunk(size_t index, const TextPiece& piece, const Json& finish_reason) {
  return fields(index, piece, finish_reason, "delta");
}

Json ChoiceFormat::choice(size_t index, const TextPiece& whole, const Json& finish_reason) {
  return fields(index, whole, finish_reason, "message");
}

Json ChoiceFormat::fields(size_t index, const TextPiece& piece, const Json& finish_reason,
                          const char* key) {
  Json choice = {{"index", index}};
  if (request_.endpoint == Endpoint::kChat) {
    Json message = Json::object();
    if (first_chunk_) {
      message["role"] = "assistant";
    }
    message["content"] = piece.text;
    if (first_chunk_) {
      message["refusal"] = nullptr;
    }
    choice[key] = std::move(message);
  } else {
    choice["text"] = piece.text;
  }
  choice["logprobs"] = logprobs(piece);
  choice["finish_reason"] = finish_reason;
  if (request_.trace > 0) {
    choice["thinking"] = thinking(piece);
  }
  first_chunk_ = false;
  return choice;
}

Json ChoiceFormat::logprobs(const TextPiece& piece) {
  if (!request_.logprobs) {
    return nullptr;
  }
  return request_.endpoint == Endpoint::kChat ? chat_logprobs(piece) : completion_logprobs(piece);
}

Json ChoiceFormat::completion_logprobs(const TextPiece& piece) {
  Json tokens = Json::array();
  Json values = Json::array();
  Json top = Json::array();
  Json offsets = Json::array();
  const auto add = [&](int32_t token) {
    const std::string bytes = model_.bytes_of(token);
    tokens.push_back(token_name(bytes));
    offsets.push_back(offset_);
    offset_ += characters(bytes);
  };
  const std::vector<int32_t>& prompt = request_.prompts[request_.prompt_of(text_)];
  // Nothing precedes the first token of a prompt, so that it has no probability.
  if (first_token_ && request_.echo) {
    add(prompt.front());
    values.push_back(nullptr);
    top.push_back(nullptr);
  }
  first_token_ = false;
  for (const TokenReport& report : piece.tokens) {
    add(report.token);
    values.push_back(finite(report.log_probability));
    Json likeliest = Json::object();
    for (size_t i = 0; i < report.top.size() && std::cmp_less(i, request_.top_logprobs); ++i) {
      // Several tokens may have the same text, and a key only one value: the likeliest stays.
      likeliest.emplace(token_name(model_.bytes_of(report.top[i].token)),
                        finite(report.top[i].log_probability));
    }
    top.push_back(std::move(likeliest));
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(values)},
          {"top_logprobs", request_.top_logprobs > 0 ? std::move(top) : Json(nullptr)},
          {"text_offset", std::move(offsets)}};
}

Json ChoiceFormat::chat_logprobs(const TextPiece& piece) const {
  const auto entry = [&](int32_t token, double log_probability) {
    const std::string bytes = model_.bytes_of(token);
    return Json{
        {"token", bytes}, {"logprob", finite(log_probability)}, {"bytes", bytes_json(bytes)}};
  };
  Json content = Json::array();
  for (const TokenReport& report : piece.tokens) {
    if (report.token == model_.tokenizer->document_separator()) {
      continue;  // it ends the message, and is no part of it
    }
    Json token = entry(report.token, report.log_probability);
    token["top_logprobs"] = Json::array();
    for (size_t i = 0; i < report.top.size() && std::cmp_less(i, request_.top_logprobs); ++i) {
      token["top_logprobs"].push_back(entry(report.top[i].token, report.top[i].log_probability));
    }
    content.push_back(std::move(token));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json ChoiceFormat::thinking(const TextPiece& piece) const {
  Json tokens = Json::array();
  for (const TokenReport& report : piece.tokens) {
    tokens.push_back(thought(report));
  }
  return tokens;
}

Json ChoiceFormat::thought(const TokenReport& report) const {
  const std::string bytes = model_.bytes_of(report.token);
  Json thought = {{"token", report.token},
                  {"text", bytes},
                  {"bytes", bytes_json(bytes)},
                  {"logprob", finite(report.log_probability)}};
  if (!report.states.empty()) {
    thought["energy"] = report.energy();
    if (model_.certainty) {
      thought["certainty"] = model_.certainty(report.energy());
    }
  }
  thought["thinking_steps"] = report.thinking_steps;
  thought["forward_passes"] = report.forward_passes;
  thought["states"] = Json::array();
  for (const ThinkingState& state : report.states) {
    Json top = Json::array();
    for (size_t i = 0; i < state.top.size() && std::cmp_less(i, request_.trace); ++i) {
      const std::string candidate = model_.bytes_of(state.top[i].token);
      top.push_back({{"token", state.top[i].token},
                     {"text", candidate},
                     {"bytes", bytes_json(candidate)},
                     {"logprob", finite(state.top[i].log_probability)}});
    }
    thought["states"].push_back(
        {{"energy", state.energy}, {"entropy", state.entropy}, {"top", std::move(top)}});
  }
  thought["candidate_energies"] = report.candidate_energies;
  return thought;
}

CompletionFormat::CompletionFormat(const CompletionRequest& request, const ServedModel& model,
                                   const std::string& id, int64_t created)
    : request_(request),
      model_(model),
      id_((request.endpoint == Endpoint::kChat ? "chatcmpl-" : "cmpl-") + id),
      created_(created) {}

Json CompletionFormat::envelope(const char* chat, const char* completion) const {
  return {{"id", id_},
          {"object", request_.endpoint == Endpoint::kChat ? chat : completion},
          {"created", created_},
          {"model", model_.name}};
}

Json CompletionFormat::whole(Json choices, const Usage& usage) const {
  Json answer = envelope("chat.completion", "text_completion");
  answer["choices"] = std::move(choices);
  answer["usage"] = usage.to_json();
  return answer;
}

Json CompletionFormat::chunk(Json choices) const {
  Json answer = envelope("chat.completion.chunk", "text_completion");
  answer["choices"] = std::move(choices);
  if (request_.include_usage) {
    answer["usage"] = nullptr;
  }
  return answer;
}

Json CompletionFormat::usage_chunk(const Usage& usage) const {
  Json answer = chunk(Json::array());
  answer["usage"] = usage.to_json();
  return answer;
}

Json model_json(const ServedModel& model) {
  const TextModelConfig& config = model.config;
  const bool thinks = config.arch == Architecture::kEbt;
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "ebt"},
          {"max_model_len", config.context},
          {"ebt",
           {{"kind", "text"},
            {"arch", enum_name(config.arch)},
            {"type", enum_name(config.type)},
            {"context", config.context},
            {"landscapes", config.landscapes},
            {"thinks", thinks},
            {"calibrated", static_cast<bool>(model.certainty)},
            {"vocab_size", config.vocab_size}}}};
}

}  // namespace ebt
