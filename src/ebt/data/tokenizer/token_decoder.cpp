#include "ebt/data/tokenizer/token_decoder.h"

#include <charconv>

#include "ebt/data/tokenizer/byte_alphabet.h"
#include "ebt/data/tokenizer/text_pattern.h"

namespace ebt {
namespace {

// "<0xE2>" is one byte.
std::string byte_or_name(const std::string& name) {
  unsigned char byte = 0;
  if (name.size() == 6 && name.starts_with("<0x") && name.back() == '>') {
    const auto [end, error] = std::from_chars(name.data() + 3, name.data() + 5, byte, 16);
    if (error == std::errc() && end == name.data() + 5) {
      return std::string(1, static_cast<char>(byte));
    }
  }
  return name;
}

}  // namespace

TokenDecoder::TokenDecoder(const JsonPart& decoder, bool byte_level) {
  EBT_CHECK(!decoder.absent(), "{} has no decoder: a byte-level tokenizer has ByteLevel",
            decoder.what());
  add(decoder);
  EBT_CHECK(has_byte_level_ == byte_level,
            "{} has ByteLevel as only one of its pre-tokenizer and its decoder", decoder.what());
}

std::string TokenDecoder::operator()(const std::string& name) const {
  std::string text = name;
  for (const auto& step : steps_) {
    text = step(text);
  }
  return text;
}

void TokenDecoder::add(const JsonPart& decoder) {
  const std::string& type = decoder.type();
  const auto add_replacement = [&](TextPattern pattern, std::string content) {
    steps_.emplace_back([pattern = std::move(pattern), content = std::move(content)](
                            const std::string& name) { return pattern.replaced(name, content); });
  };
  if (type == "Sequence") {
    for (const JsonPart& entry : decoder.list("decoders")) {
      add(entry);
    }
  } else if (type == "ByteLevel") {
    has_byte_level_ = true;
    steps_.emplace_back(
        [](const std::string& name) { return from_byte_alphabet(name).value_or(name); });
  } else if (type == "ByteFallback") {
    steps_.emplace_back(byte_or_name);
  } else if (type == "Replace" && !fused_) {
    add_replacement(read_pattern(decoder["pattern"]), decoder.text("content"));
  } else if (type == "Metaspace") {
    add_replacement({decoder.text("replacement"), TextPattern::Kind::kLiteral, decoder.what()},
                    " ");
  } else if (type == "Fuse") {
    fused_ = true;
  } else if (type != "Strip" || !fused_ || decoder["stop"].value() != 0) {
    decoder.refuse(fmt::format("a decoder of type {:?}", shortened(type)));
  }
}

}  // namespace ebt
