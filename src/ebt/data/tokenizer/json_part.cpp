#include "ebt/data/tokenizer/json_part.h"

namespace ebt {

using nlohmann::json;

JsonPart JsonPart::operator[](const char* key) const {
  static const json null;
  EBT_CHECK(value_.is_object(), "{}: \"{}\" must be an object", what_, name_);
  const auto found = value_.find(key);
  return {found == value_.end() ? null : *found, what_, key};
}

std::vector<JsonPart> JsonPart::list(const char* key) const {
  const JsonPart part = (*this)[key];
  EBT_CHECK(part.absent() || part.value().is_array(), "{}: \"{}\" must be a list", what_, key);
  std::vector<JsonPart> elements;
  for (const json& element : part.value()) {
    elements.emplace_back(element, what_, name_);
  }
  return elements;
}

const std::string& JsonPart::text(const char* key) const {
  const JsonPart part = (*this)[key];
  EBT_CHECK(part.value().is_string(), "{}: \"{}\" must be a string", what_, key);
  return part.value().get_ref<const std::string&>();
}

bool JsonPart::flag(const char* key, bool otherwise) const {
  const JsonPart part = (*this)[key];
  EBT_CHECK(part.absent() || part.value().is_boolean(), "{}: \"{}\" must be true or false", what_,
            key);
  return part.absent() ? otherwise : part.value().get<bool>();
}

void JsonPart::refuse(const std::string& feature) const {
  throw UnsupportedTokenizer(fmt::format("{} uses {}, which is not supported", what_, feature));
}

std::string shortened(const std::string& name) {
  return name.size() <= 60 ? name : name.substr(0, 60) + "...";
}

}  // namespace ebt
