#include "ebt/report/energy_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/unicode.h"
#include "ebt/report/axis.h"
#include "ebt/report/colors.h"
#include "ebt/report/markup.h"
#include "ebt/report/text_width.h"

namespace ebt {
namespace {

constexpr const char* kReplacement = "\uFFFD";
constexpr const char* kSeparator = "\u2043";

// Spaces wrap, as other characters do, and marks are drawn without being text.
constexpr const char* kSampleStyle = R"css(
.sample{font:14.5px/1.75 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
white-space:break-spaces;overflow-wrap:anywhere;tab-size:4;unicode-bidi:plaintext;margin:.6rem 0 0}
.sample span{padding:.14em 0;cursor:default}
.sample span:hover{outline:2px solid var(--accent);border-radius:2px}
.sample .prompt,.sample i::before{color:var(--quiet)}
.sample i{font-style:normal}
.sample :is(.space,.tab){position:relative}
.sample :is(.space,.tab)::before{position:absolute;left:0}
.sample .space::before{content:"\B7"}
.sample .tab::before{content:"\21E5"}
.sample .line-end::before{content:"\21B5"}
.legend{display:flex;align-items:center;flex-wrap:wrap;font-size:.86rem;color:var(--quiet)}
.legend i{width:1.5em;height:1em;border-block:1px solid var(--line)}
.legend span{margin:0 .6em}.legend span:first-child{margin-left:0}
)css";

// Bytes of the character that `lead` opens; 0 where it opens none.
size_t character_length(unsigned char lead) {
  return lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

bool ends_within_character(std::string_view text) {
  for (size_t length = 1; length < 4 && length <= text.size(); ++length) {
    const char byte = text[text.size() - length];
    if (!is_continuation(byte)) {
      return length < character_length(static_cast<unsigned char>(byte));
    }
  }
  return false;
}

// Where the tokens end that make whole characters from `first` on; sets their bytes.
size_t end_of_glyph(const std::vector<TokenEnergy>& tokens, size_t first, std::string& bytes) {
  bytes = tokens[first].bytes;
  size_t end = first + 1;
  const auto continues = [&] {
    return end < tokens.size() && !tokens[end].bytes.empty() &&
           is_continuation(tokens[end].bytes[0]);
  };
  while (ends_within_character(bytes) && continues()) {
    bytes += tokens[end++].bytes;
  }
  return end;
}

void replace_all(std::string& text, const std::string& part, const std::string& by) {
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += by.size()) {
    text.replace(at, part.size(), by);
  }
}

// A glyph as a tooltip names it.
std::string glyph_name(const EnergyGlyph& glyph) {
  const std::string& text = glyph.text;
  if (text == "\n" || text == " " || text == "\t") {
    return text == "\n" ? "line break" : text == " " ? "space" : "tab";
  }
  if (glyph.bytes.empty()) {
    return "end of document";
  }
  std::string name = text;
  for (const auto& [blank, mark] : {std::pair{" ", "\u2423"}, {"\n", "\u21B5"}, {"\t", "\u21E5"}}) {
    replace_all(name, blank, mark);
  }
  if (character_cells(first_character(name)) == 0) {
    name = "\u25CC" + name;  // a mark needs something to stand on
  }
  name = "\u201C" + name + "\u201D";
  if (text.find(kReplacement) != std::string::npos) {
    name += " (bytes";
    for (const char byte : glyph.bytes) {
      name += fmt::format(" {:02X}", static_cast<unsigned char>(byte));
    }
    name += ")";
  }
  return name;
}

std::string tooltip(const EnergyGlyph& glyph) {
  std::string text = glyph_name(glyph);
  for (size_t step = 0; step < glyph.energy.size(); ++step) {
    text += (step == 0 ? ": energy " : " \u2192 ") + chart_number(glyph.energy[step]);
  }
  return escape_markup(text);
}

// Text as HTML in which blanks that could be overlooked have a mark. `after_blank` says whether a
// blank stands before it, and then whether it ends with one.
std::string marked_html(std::string_view text, bool& after_blank) {
  std::string html;
  while (!text.empty()) {
    const char c = text[0];
    const size_t length = first_character_bytes(text);
    if (c == '\n' || c == '\t' || (c == ' ' && after_blank)) {
      html += fmt::format("<i class=\"{}\">{}</i>",
                          c == '\n'   ? "line-end"
                          : c == '\t' ? "tab"
                                      : "space",
                          c);
    } else {
      html += escape_markup(text.substr(0, length));
    }
    after_blank = c == '\n' || c == '\t' || c == ' ';
    text.remove_prefix(length);
  }
  return html;
}

std::string end_label(double end, double span) {
  if (span <= 0) {
    return chart_number(end, 3);
  }
  const double unit = std::pow(10.0, std::floor(std::log10(span)) - 1);
  return chart_number(std::round(end / unit) * unit + 0.0, 3);
}

}  // namespace

std::vector<EnergyGlyph> energy_glyphs(const std::vector<TokenEnergy>& tokens) {
  std::vector<EnergyGlyph> glyphs;
  for (size_t first = 0; first < tokens.size();) {
    EnergyGlyph glyph;
    const size_t end = end_of_glyph(tokens, first, glyph.bytes);
    glyph.text = glyph.bytes.empty() ? kSeparator : shown_text(glyph.bytes);
    glyph.energy.resize(tokens[first].energy.size());
    for (size_t i = first; i < end; ++i) {
      for (size_t step = 0; step < std::min(glyph.energy.size(), tokens[i].energy.size()); ++step) {
        glyph.energy[step] += tokens[i].energy[step] / static_cast<double>(end - first);
      }
    }
    glyphs.push_back(std::move(glyph));
    first = end;
  }
  return glyphs;
}

EnergyScale::EnergyScale(const std::vector<EnergyGlyph>& glyphs) {
  std::vector<double> last;
  for (const EnergyGlyph& glyph : glyphs) {
    if (!glyph.energy.empty() && std::isfinite(glyph.energy.back())) {
      last.push_back(glyph.energy.back());
    }
  }
  if (last.empty()) {
    return;
  }
  std::sort(last.begin(), last.end());
  const auto percentile = [&](double share) {
    return last[static_cast<size_t>(std::lround(share * static_cast<double>(last.size() - 1)))];
  };
  low_ = percentile(0.02);
  high_ = percentile(0.98);
}

std::string EnergyScale::low_label() const { return end_label(low_, high_ - low_); }

std::string EnergyScale::high_label() const { return end_label(high_, high_ - low_); }

int EnergyScale::level(const EnergyGlyph& glyph) const {
  if (glyph.energy.empty() || !(high_ > low_) || !std::isfinite(glyph.energy.back())) {
    return 0;
  }
  const double share = (glyph.energy.back() - low_) / (high_ - low_);
  return static_cast<int>(std::clamp(share * kLevels, 0.0, kLevels - 1.0));
}

std::string marked_text(std::string_view text) {
  bool after_blank = false;
  return marked_html(shown_text(text), after_blank);
}

std::string energy_spans(const std::vector<EnergyGlyph>& glyphs, const EnergyScale& scale) {
  bool after_blank = false;
  std::string html;
  for (const EnergyGlyph& glyph : glyphs) {
    html += fmt::format(R"(<span class="e{}" title="{}">{}</span>)", scale.level(glyph),
                        tooltip(glyph), marked_html(glyph.text, after_blank));
  }
  return html;
}

std::string energy_legend(const EnergyScale& scale) {
  std::string html =
      fmt::format("<div class=\"legend\"><span>low energy {}</span>", scale.low_label());
  for (int level = 0; level < EnergyScale::kLevels; ++level) {
    html += fmt::format("<i class=\"e{}\"></i>", level);
  }
  return html + fmt::format("<span>{} high energy</span></div>\n", scale.high_label());
}

std::string energy_style() {
  std::string light;
  std::string dark;
  for (size_t level = 0; level < kEnergyColors.size(); ++level) {
    light += fmt::format(".e{}{{background:{}}}", level, kEnergyColors[level].light);
    dark += fmt::format(".e{}{{background:{}}}", level, kEnergyColors[level].dark);
  }
  return kSampleStyle + light + "\n@media (prefers-color-scheme:dark){" + dark + "}\n";
}

}  // namespace ebt
