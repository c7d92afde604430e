#include "ebt/report/figure.h"

#include <gtest/gtest.h>

#include <random>

#include "ebt/report/contact_sheet.h"
#include "ebt/report/energy_text.h"
#include "ebt/report/evaluation_figure.h"
#include "ebt/report/image_quality_figure.h"
#include "ebt/report/panel_figure.h"
#include "ebt/report/sweep_figure.h"
#include "tests/support/image_set.h"
#include "tests/support/xml.h"

namespace ebt {
namespace {

std::string sheet_of(const std::string& text) {
  ContactSheet sheet;
  sheet.subject = text;
  sheet.images = {{text, text, testing::waves(8, 8, 3, 1)}};
  sheet.energy = {3, 2, 1};
  sheet.psnr = {20, 27};
  sheet.baseline = {text, 26};
  return contact_sheet(sheet);
}

std::string sweep_of(const std::string& text) {
  const SweepPoint point = {text, 2, 3, 1, 2, 4, 5, {{text, 1}, {"other", 2}}};
  return sweep_figure({point}, {text, text, text, true});
}

std::string image_quality_of(const std::string& text) {
  ImageRow row{ImageNoise::of_sigma(25), text, 2, {ImageScore{}}, 0};
  ImageGrid grid;
  grid.rows = {row};
  return image_quality_figure(grid, text);
}

// Every kind of figure, with a text in all places that take one.
std::vector<std::string> figures_of(const std::string& text) {
  QualityPanel panel;
  panel.words = text;
  panel.curves = {{text, {{2, 0.5}, {3, 0.6}}}};
  return {
      sheet_of(text),
      sweep_of(text),
      image_quality_of(text),
      quality_figure({panel}, text),
      energy_loss_figure({1, 2}, {3, 4}, text, text),
      reliability_figure({{text, {{0.1, 0.2}}}}, text),
      thinking_figure(text, {{text, {2, 1}}, {"", {2, 1}}, {text + "b", {3, 2}}, {"c", {4, 3}}}),
      panel_figure(text, {{text, "<svg/>"}}, text)};
}

TEST(Figure, IsWellFormedWhateverBytesItNames) {
  if (testing::kNoXmlParser != nullptr) {
    GTEST_SKIP() << testing::kNoXmlParser;
  }
  std::vector<std::string> texts = {"",
                                    "a <b> & \"c\" 'd' ]]> <!--",
                                    "\xED\xA0\x80",
                                    "\xEF\xBF\xBF",
                                    std::string("\0\x01\x1B[31m\r\x7F", 9),
                                    "\xFF\xC3",
                                    "\u202Eturned",
                                    std::string(400, 'w')};
  std::mt19937 random(1);
  for (int i = 0; i < 100; ++i) {
    std::string& bytes = texts.emplace_back();
    for (size_t length = random() % 8; bytes.size() < length;) {
      bytes += static_cast<char>(random() % 256);
    }
  }
  for (const std::string& text : texts) {
    for (const std::string& svg : figures_of(text)) {
      ASSERT_EQ(testing::xml_error(svg), "") << svg.substr(0, 200) << "\nof the text " << text;
    }
  }
}

TEST(Figure, ShowsItsColoursWithoutAStyleSheet) {
  for (const std::string& svg : figures_of("text")) {
    EXPECT_EQ(svg.find("var("), std::string::npos);
    for (size_t at = svg.find("<rect "); at != std::string::npos; at = svg.find("<rect ", at + 1)) {
      const std::string rect = svg.substr(at, svg.find('>', at) - at);
      EXPECT_NE(rect.find("fill=\"#"), std::string::npos) << rect;
    }
    for (const char* text :
         {"<text class=\"head\"", "<text class=\"note\"", "<text class=\"cell"}) {
      for (size_t at = svg.find(text); at != std::string::npos; at = svg.find(text, at + 1)) {
        const std::string element = svg.substr(at, svg.find('>', at) - at);
        EXPECT_NE(element.find("fill=\"#"), std::string::npos) << element;
      }
    }
  }
}

TEST(Figure, CutsTextsThatHaveNoRoom) {
  EXPECT_NE(figure_head(0, 0, 100, std::string(200, 'x')).find("x\u2026<"), std::string::npos);
  EXPECT_NE(figure_note(0, 0, 100, "short").find(">short<"), std::string::npos);
}

}  // namespace
}  // namespace ebt
