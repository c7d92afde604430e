// Records of text inputs: JSON objects, one a line or in one array, and rows of tables.
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/unicode.h"
#include "ebt/data/text/text_input.h"
#include "ebt/io/csv.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

using nlohmann::json;

constexpr std::string_view kBlanks = " \t\r\n\f\v";

bool is_blank(std::string_view text) { return text.find_first_not_of(kBlanks) == text.npos; }

// Records by turns.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Reads on to the next record. False: there is none. Throws Error where nothing can be read
  // behind it.
  virtual bool next() = 0;
  // "line 3 of 'file.jsonl'"
  virtual std::string what() const = 0;
  // Throws Error when it is bad.
  virtual json object() const = 0;
};

json parse_object(std::string_view text, const std::string& what) {
  EBT_CHECK(text.size() <= kMaxJson_bytes, "{} is longer than {} bytes", what, kMaxJson_bytes);
  json object = parse_json(text, what);
  EBT_CHECK(object.is_object(), "{} is not a JSON object", what);
  return object;
}

class JsonLines : public RecordReader {
 public:
  explicit JsonLines(TextInput& input) : input_(input) {}

  bool next() override {
    do {
      if (!input_.bytes->read_line(line_, kMaxJson_bytes)) {
        return false;
      }
      ++number_;
    } while (is_blank(line_));
    return true;
  }
  std::string what() const override { return fmt::format("line {} of {}", number_, input_.name); }
  json object() const override { return parse_object(line_, what()); }

 private:
  TextInput& input_;
  std::string line_;
  int64_t number_ = 0;
};

class JsonArray : public RecordReader {
 public:
  // Takes the bracket that the input begins with.
  explicit JsonArray(TextInput& input) : input_(input) {
    while (input_.bytes->get() != '[') {
    }
  }

  bool next() override {
    if (closed_) {
      return false;
    }
    read_element();
    ++number_;
    const bool nothing = is_blank(element_);
    if (closed_) {
      check_ends();
    }
    // An empty array, and what follows the last comma.
    return !(closed_ && nothing && number_ == 1);
  }
  std::string what() const override { return fmt::format("object {} of {}", number_, input_.name); }
  json object() const override { return parse_object(element_, what()); }

 private:
  // Up to the comma or the bracket that ends it.
  void read_element() {
    element_.clear();
    int64_t depth = 0;
    bool in_string = false;
    bool escaped = false;
    for (;;) {
      const int next = input_.bytes->get();
      EBT_CHECK(next >= 0, "{} is truncated: its array has no end", input_.name);
      const auto c = static_cast<char>(next);
      if (in_string) {
        in_string = escaped || c != '"';
        escaped = !escaped && c == '\\';
      } else if (depth == 0 && (c == ',' || c == ']')) {
        closed_ = c == ']';
        return;
      } else {
        in_string = c == '"';
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      }
      if (element_.size() <= kMaxJson_bytes) {
        element_ += c;
      }
    }
  }

  void check_ends() {
    for (int next = input_.bytes->get(); next >= 0; next = input_.bytes->get()) {
      EBT_CHECK(kBlanks.find(static_cast<char>(next)) != kBlanks.npos,
                "{} is not valid JSON: something stands behind its array", input_.name);
    }
  }

  TextInput& input_;
  std::string element_;
  int64_t number_ = 0;
  bool closed_ = false;
};

class TableRows : public RecordReader {
 public:
  TableRows(TextInput& input, char separator)
      : input_(input), rows_(*input.bytes, separator, kMaxJson_bytes) {
    if (!rows_.next()) {
      return;
    }
    EBT_CHECK(rows_.fault().empty(), "{} {}", what(), rows_.fault());
    names_ = rows_.fields();
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (names_[0].starts_with(kByteOrderMark)) {
      names_[0].erase(0, kByteOrderMark.size());
    }
    std::set<std::string> seen;
    for (const std::string& name : names_) {
      check_utf8(name);
      EBT_CHECK(name.empty() || seen.insert(name).second, "{} names the column {:?} twice", what(),
                name.substr(0, 100));
    }
  }

  bool next() override { return !names_.empty() && rows_.next(); }
  std::string what() const override {
    return fmt::format("line {} of {}", rows_.line(), input_.name);
  }
  json object() const override {
    EBT_CHECK(rows_.fault().empty(), "{} {}", what(), rows_.fault());
    const std::vector<std::string>& fields = rows_.fields();
    EBT_CHECK(fields.size() == names_.size(), "{} has {} fields, and the first line names {}",
              what(), fields.size(), names_.size());
    json object = json::object();
    for (size_t i = 0; i < fields.size(); ++i) {
      check_utf8(fields[i]);
      object[names_[i]] = fields[i];
    }
    return object;
  }

 private:
  void check_utf8(const std::string& text) const {
    EBT_CHECK(valid_utf8_prefix(text) == text.size(),
              "{} is not UTF-8: convert it, as with 'iconv -t UTF-8'", what());
  }

  TextInput& input_;
  CsvReader rows_;
  std::vector<std::string> names_;  // empty: the table is
};

std::unique_ptr<RecordReader> open_records(TextInput& input) {
  constexpr size_t kFirst_bytes = 4096;
  if (input.format != TextFormat::kJsonl) {
    return std::make_unique<TableRows>(input, input.format == TextFormat::kCsv ? ',' : '\t');
  }
  if (begins_with_array(input.bytes->peek(kFirst_bytes))) {
    return std::make_unique<JsonArray>(input);
  }
  return std::make_unique<JsonLines>(input);
}

}  // namespace

void for_each_record(TextInput& input, BadLines& bad,
                     const std::function<void(const std::string& what, const json& object)>& take,
                     const std::function<void()>& keep) {
  const std::unique_ptr<RecordReader> records = open_records(input);
  while (records->next()) {
    std::optional<std::string> fault;
    try {
      take(records->what(), records->object());
    } catch (const MissingField& error) {
      if (input.format != TextFormat::kJsonl) {
        throw;
      }
      fault = error.what();
    } catch (const Error& error) {
      fault = error.what();
    }
    if (fault) {
      bad.add(*fault);
    } else if (keep) {
      keep();
    }
  }
}

const std::string& text_member(const json& object, const std::string& what,
                               const std::string& key) {
  const auto member = object.find(key);
  if (member == object.end()) {
    throw MissingField(fmt::format("{} has no \"{}\"", what, key));
  }
  EBT_CHECK(member->is_string(), "{} has a \"{}\" that is not a string", what, key);
  const auto& text = member->get_ref<const std::string&>();
  EBT_CHECK(!is_blank(text), "{} has an empty \"{}\"", what, key);
  return text;
}

}  // namespace ebt
