#include "ebt/report/shell.h"

#include <fmt/format.h>

#include <algorithm>

#include "ebt/report/markup.h"

namespace ebt {
namespace {

bool is_plain(char c) {
  constexpr std::string_view kSafe = "%+,-./:=@^_";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kSafe.find(c) != std::string_view::npos;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Within $'...'.
std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c == '\'' || c == '\\') {
      text += '\\';
      text += c;
    } else if (is_control(c) || static_cast<unsigned char>(c) >= 0x80) {
      text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string shell_word(std::string_view bytes) {
  if (!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_plain)) {
    return std::string(bytes);
  }
  if (shown_text(bytes) != bytes || std::any_of(bytes.begin(), bytes.end(), is_control)) {
    return "$'" + escaped(bytes) + "'";
  }
  std::string word = "'";
  for (const char c : bytes) {
    word += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return word + "'";
}

std::string shell_flag(const std::string& name, std::string_view value) {
  // What begins as a flag does is a value only behind "=".
  return fmt::format(" --{}{}{}", name, value.starts_with('-') ? '=' : ' ', shell_word(value));
}

std::string shell_flags(const Json& chosen, const Json& usual) {
  std::string flags;
  for (const auto& [name, value] : chosen.items()) {
    if (value == usual.at(name)) {
      continue;
    }
    if (value.is_boolean()) {
      flags += (value.get<bool>() ? " --" : " --no-") + name;
    } else {
      flags += shell_flag(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return flags;
}

}  // namespace ebt
