#include "ebt/eval/task_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int64_t decoded_bytes(const Tokenizer& tokenizer, std::span<const int32_t> tokens) {
  return static_cast<int64_t>(tokenizer.decode(tokens).size());
}

}  // namespace

std::vector<int32_t> document_tokens(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> tokens = tokenizer.encode(text);
  tokens.insert(tokens.begin(), tokenizer.document_separator());
  return tokens;
}

ScoredText scored_text(const Tokenizer& tokenizer, std::string_view prompt,
                       std::string_view continuation) {
  ScoredText result;
  std::vector<int32_t>& tokens = result.request.prompt;
  tokens = document_tokens(tokenizer, std::string(prompt).append(continuation));
  EBT_CHECK(tokens.size() > 1 && !continuation.empty(),
            "evaluation: the tokenizer leaves nothing of a text that is to be scored");
  // Bytes are those that tokens decode to: a tokenizer may normalise its text.
  const int64_t prompt_bytes = decoded_bytes(tokenizer, document_tokens(tokenizer, prompt));
  const std::span<const int32_t> all(tokens);
  size_t first = tokens.size() - 1;
  while (first > 1 && decoded_bytes(tokenizer, all.first(first)) > prompt_bytes) {
    --first;
  }
  result.request.score_from = static_cast<int64_t>(first);
  result.request.max_tokens = 0;
  result.scored = static_cast<int64_t>(tokens.size() - first);
  result.bytes = static_cast<int64_t>(continuation.size());
  return result;
}

Query written_text(const Tokenizer& tokenizer, std::string_view prompt, int64_t max_tokens,
                   std::function<bool(const std::string&)> is_done) {
  Query query;
  query.request.prompt = document_tokens(tokenizer, prompt);
  query.request.max_tokens = max_tokens;
  query.request.end_token = tokenizer.document_separator();
  query.is_done = [&tokenizer,
                   is_done = std::move(is_done)](const std::vector<TokenReport>& tokens) {
    return is_done(written_by(tokenizer, tokens));
  };
  return query;
}

std::string written_by(const Tokenizer& tokenizer, const std::vector<TokenReport>& tokens) {
  std::vector<int32_t> written;
  for (const TokenReport& token : tokens) {
    if (!token.from_prompt) {
      written.push_back(token.token);
    }
  }
  return tokenizer.decode(written);
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin);
}

std::optional<std::pair<std::string_view, std::string_view>> split_last_word(
    std::string_view text) {
  text = text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
  const size_t space = text.find_last_of(kWhiteSpace);
  if (space == std::string_view::npos || trimmed(text.substr(0, space)).empty()) {
    return std::nullopt;
  }
  return std::pair(text.substr(0, space), text.substr(space));
}

std::optional<std::string> final_number(std::string_view text) {
  constexpr std::string_view kMark = "####";
  const size_t mark = text.find(kMark);
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  text = trimmed(text.substr(mark + kMark.size()));
  bool negative = false;
  while (!text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == '$')) {
    negative = negative || text[0] == '-';
    text.remove_prefix(1);
  }
  std::string whole;
  std::string fraction;
  bool has_point = false;
  for (const char c : text) {
    if (is_digit(c)) {
      (has_point ? fraction : whole) += c;
    } else if (c == '.' && !has_point) {
      has_point = true;
    } else if (c != ',' || has_point) {
      break;
    }
  }
  if (whole.empty() && fraction.empty()) {
    return std::nullopt;
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  fraction.erase(fraction.find_last_not_of('0') + 1);
  std::string number = whole.empty() ? "0" : whole;
  if (!fraction.empty()) {
    number += "." + fraction;
  }
  return (negative && number != "0" ? "-" : "") + number;
}

void for_each_example(
    const std::string& path,
    const std::function<void(const std::string& what, const nlohmann::json& object)>& visit) {
  TextInput input = open_text_input(path, TextFormat::kJsonl);
  BadLines none_allowed;
  int64_t count = 0;
  for_each_record(input, none_allowed, visit, [&] { ++count; });
  EBT_CHECK(count > 0, "{} is empty: there is no example to measure", input.name);
}

std::string some_of(int64_t count, int64_t available, const std::string& things) {
  return count < available ? fmt::format("{} of the {} {}", count, available, things)
                           : fmt::format("all {} {}", available, things);
}

}  // namespace ebt
