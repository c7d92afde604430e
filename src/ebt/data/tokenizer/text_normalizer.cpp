#include "ebt/data/tokenizer/text_normalizer.h"

#include "ebt/core/unicode.h"
#include "ebt/data/tokenizer/text_pattern.h"

namespace ebt {
namespace {

std::string stripped(std::string_view text, bool left, bool right) {
  text.remove_prefix(left ? white_space_at_start(text) : 0);
  text.remove_suffix(right ? white_space_at_end(text) : 0);
  return std::string(text);
}

}  // namespace

TextNormalizer::TextNormalizer(const JsonPart& normalizer) {
  if (!normalizer.absent()) {
    add(normalizer);
  }
}

std::string TextNormalizer::operator()(std::string_view text) const {
  std::string result(text);
  for (const Step& step : steps_) {
    result = step(result);
  }
  return result;
}

void TextNormalizer::add(const JsonPart& normalizer) {
  const std::string& type = normalizer.type();
  const auto add_form = [&](NormalForm form) {
    steps_.emplace_back([form](std::string_view text) { return normalized(text, form); });
  };
  if (type == "Sequence") {
    for (const JsonPart& entry : normalizer.list("normalizers")) {
      add(entry);
    }
  } else if (type == "NFC") {
    add_form(NormalForm::kNfc);
  } else if (type == "NFD") {
    add_form(NormalForm::kNfd);
  } else if (type == "NFKC") {
    add_form(NormalForm::kNfkc);
  } else if (type == "NFKD") {
    add_form(NormalForm::kNfkd);
  } else if (type == "Lowercase") {
    steps_.emplace_back(lowercase);
  } else if (type == "StripAccents") {
    steps_.emplace_back(without_marks);
  } else if (type == "Strip") {
    steps_.emplace_back([left = normalizer.flag("strip_left", true),
                         right = normalizer.flag("strip_right", true)](std::string_view text) {
      return stripped(text, left, right);
    });
  } else if (type == "Prepend") {
    steps_.emplace_back([prefix = normalizer.text("prepend")](std::string_view text) {
      return text.empty() ? std::string() : prefix + std::string(text);
    });
  } else if (type == "Replace") {
    steps_.emplace_back([pattern = read_pattern(normalizer["pattern"]),
                         content = normalizer.text("content")](std::string_view text) {
      return pattern.replaced(text, content);
    });
  } else {
    normalizer.refuse(fmt::format("a normalizer of type {:?}", shortened(type)));
  }
}

}  // namespace ebt
