// The models that a server answers with, as requests and answers see them. Immutable once served.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/model/config.h"
#include "ebt/model/image_config.h"
#include "ebt/serve/chat_template.h"

namespace ebt {

struct ServedModel {
  std::string name;
  int64_t created = 0;  // seconds since 1970
  TextModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  ChatTemplate chat = ChatTemplate::plain();
  // The probability that a prediction of this energy is right; empty where nothing is calibrated.
  std::function<double(double energy)> certainty;

  // The bytes of a token; none for one that the tokenizer does not have.
  std::string bytes_of(int32_t token) const {
    return token < tokenizer->vocabulary_size() ? tokenizer->decode({&token, 1}) : std::string();
  }
  // What a text is read as: where it is empty, the start of a document.
  std::vector<int32_t> prompt_tokens(const std::string& text) const {
    std::vector<int32_t> tokens = tokenizer->encode(text);
    if (tokens.empty()) {
      tokens.push_back(tokenizer->document_separator());
    }
    return tokens;
  }
  std::string text_of(std::span<const int32_t> tokens) const {
    std::string text;
    for (const int32_t token : tokens) {
      text += bytes_of(token);
    }
    return text;
  }
};

struct ServedImageModel {
  std::string name;
  int64_t created = 0;  // seconds since 1970
  ImageModelConfig config;
  int64_t trained_timestep = 0;  // of the noise it was trained to undo

  bool thinks() const { return config.arch == ImageArchitecture::kEbt; }
};

}  // namespace ebt
