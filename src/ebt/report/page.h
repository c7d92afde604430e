// The frame of a self-contained HTML page: inline styles, no request to anywhere, light and dark,
// wide and narrow.
#pragma once

#include <string>
#include <vector>

#include "ebt/core/config_fields.h"

namespace ebt {

// `lead` is one sentence under the title. `style` is CSS beyond that of pages and charts, `body`
// markup: sections, or `<div class="pair">` around two of them.
std::string html_page(const std::string& title, const std::string& lead, const std::string& style,
                      const std::string& body);

// A table of texts, of which all columns but the first are set to the right. The row `best` (-1:
// none) is marked.
std::string html_table(const std::vector<std::string>& columns,
                       const std::vector<std::vector<std::string>>& rows, int best = -1);

// A section that shows commands, one a line, under a note.
std::string commands_section(const std::vector<std::string>& commands, const std::string& note);

// A section of the fields of a flat object, folded away.
std::string config_section(const Json& config);

}  // namespace ebt
