// The fields of a JSON object that a client sent: each is asked for by name and type, and what was
// not asked for is unknown.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace ebt {

// Every member throws the ApiError of status 400 that names the field when its value is of another
// type or out of range. A null counts as absent.
class JsonFields {
 public:
  // `path` is put before the names in messages: "thinking.". Throws when `object` is none. The
  // object must outlive this.
  JsonFields(const nlohmann::json& object, std::string path, const std::string& what);

  // The value of a field, or nullptr.
  const nlohmann::json* find(const std::string& name);
  std::optional<bool> boolean(const std::string& name);
  std::optional<int64_t> integer(const std::string& name, int64_t least, int64_t most);
  // Finite, and from `least` on.
  std::optional<double> number(const std::string& name, double least);
  std::optional<std::string> text(const std::string& name);
  // A field whose only supported values are those for which `is_harmless` holds.
  template <class Predicate>
  void only(const std::string& name, Predicate&& is_harmless, const std::string& supported) {
    const nlohmann::json* const value = find(name);
    if (value != nullptr && !is_harmless(*value)) {
      fail_unsupported(name, supported);
    }
  }
  // A field that is accepted whatever it holds.
  void ignore(const std::string& name) { asked_.insert(name); }
  // Throws unless every field was asked for, or is null.
  void expect_no_others() const;

  [[noreturn]] void fail_wrong(const std::string& name, const std::string& wanted) const;

 private:
  [[noreturn]] void fail_unsupported(const std::string& name, const std::string& supported) const;

  const nlohmann::json& object_;
  std::string path_;
  std::set<std::string> asked_;
};

// The value as a message quotes it: one short line, whatever it holds.
std::string json_excerpt(const nlohmann::json& value);

}  // namespace ebt
