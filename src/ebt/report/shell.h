// Shell quoting of the commands that a page shows.
#pragma once

#include <string>
#include <string_view>

#include "ebt/core/config_fields.h"

namespace ebt {

// A word that bash and zsh read as these bytes: as it is where nothing in it is special, else in
// quotes. It is one line of text that a page can show: all else is escaped.
std::string shell_word(std::string_view bytes);

// " --name value".
std::string shell_flag(const std::string& name, std::string_view value);

// The flags of all fields of a flat object that `usual` states otherwise, in order.
std::string shell_flags(const Json& chosen, const Json& usual);

}  // namespace ebt
