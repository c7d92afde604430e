// Files and streams opened as the text that they hold.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "ebt/core/error.h"
#include "ebt/data/text/text_source.h"
#include "ebt/io/byte_stream.h"

namespace ebt {

// A file or stream as it is to be read.
struct TextInput {
  std::string name;                       // as messages call it: "'book.txt'"
  TextFormat format = TextFormat::kText;  // or kJsonl, kCsv or kTsv
  std::unique_ptr<BufferedBytes> bytes;   // decoded
  uint64_t mappable_bytes = 0;            // of a regular file whose own bytes these are; else 0

  bool has_records() const { return format != TextFormat::kText; }
};

// What the name of a file says, in any letter case; kAuto where it ends in .json or nothing at all,
// which its first bytes must tell.
TextFormat format_of_name(const std::string& path);

// Opens what `path` names, as `as` says or, where that is kAuto, the name and the first bytes.
// gzip and zstd are decoded. Throws Error when it cannot be read, or is recognised as what is no
// text, which kBytes takes all the same.
TextInput open_text_input(const std::string& path, TextFormat as);

// Whether records that begin so are the objects of one array, and not of a line each.
bool begins_with_array(std::string_view text);

// All that such an input holds, at most `most_bytes`. Throws Error as opening does, and for more.
std::string read_decoded_text(const std::string& path, size_t most_bytes);

// Opens the file that `path` names or, of a folder, every one in it and below, in the order of
// paths; hidden ones are left out. Throws Error when one cannot be opened, and says how many more
// cannot.
void for_each_text_input(
    const std::string& path, TextFormat as,
    const std::function<void(TextInput& input, const std::string& path)>& visit);

// A record without a field that is asked for.
class MissingField : public Error {
 public:
  using Error::Error;
};

// Calls take(what, object) for every record of an input: a JSON object, or a row of a table as an
// object of strings. `what` names it in errors: "line 3 of 'file.jsonl'". An Error that take()
// throws, or a record that cannot be read, is a bad line; after the others `keep`, if any, is
// called. Throws Error when the input itself cannot be read, and the MissingField of a table: no
// other row has that column either.
void for_each_record(
    TextInput& input, BadLines& bad,
    const std::function<void(const std::string& what, const nlohmann::json& object)>& take,
    const std::function<void()>& keep = nullptr);

// The string `key` of an object, which must not be blank. `what` begins error messages. Throws
// MissingField when there is none.
const std::string& text_member(const nlohmann::json& object, const std::string& what,
                               const std::string& key);

}  // namespace ebt
