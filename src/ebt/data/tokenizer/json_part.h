// A part of a tokenizer.json with its path, for error messages.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {

// What a tokenizer's file asks for is valid, but not supported.
class UnsupportedTokenizer : public Error {
 public:
  using Error::Error;
};

// Refers to a value of the file and to `what`, which begins every Error ("'tokenizer.json'"): both
// must outlive it.
class JsonPart {
 public:
  JsonPart(const nlohmann::json& value, const std::string& what, std::string name)
      : value_(value), what_(what), name_(std::move(name)) {}

  const nlohmann::json& value() const { return value_; }
  const std::string& what() const { return what_; }
  bool absent() const { return value_.is_null(); }

  // The value of a key, absent when the object has none. Throws Error when this is no object.
  JsonPart operator[](const char* key) const;
  // The elements of a list under a key; none where it is absent.
  std::vector<JsonPart> list(const char* key) const;
  // "type" of a step of the pipeline.
  const std::string& type() const { return text("type"); }
  const std::string& text(const char* key) const;
  bool flag(const char* key, bool otherwise) const;

  [[noreturn]] void refuse(const std::string& feature) const;

 private:
  const nlohmann::json& value_;
  const std::string& what_;
  std::string name_;
};

// A name for a message, cut where it is long.
std::string shortened(const std::string& name);

}  // namespace ebt
