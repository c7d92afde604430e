#include "ebt/report/contact_sheet.h"

#include <gtest/gtest.h>

#include "ebt/io/base64.h"
#include "tests/support/error_text.h"
#include "tests/support/image_set.h"

namespace ebt {
namespace {

using testing::waves;

size_t count_of(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(ContactSheet, HoldsEveryImageWithItsCaption) {
  ContactSheet sheet;
  sheet.subject = "a <photo>";
  sheet.images = {{"original", "", waves(32, 32, 3, 1)},
                  {"noisy", "20.17 dB", waves(32, 32, 3, 2)},
                  {"step 1", "27.30 dB", waves(32, 32, 1, 3)}};
  sheet.energy = {3, 2, 1};
  sheet.psnr = {20.17, 27.3, 28};
  sheet.baseline = {"DiT", 26};
  const std::string svg = contact_sheet(sheet);
  EXPECT_EQ(svg.rfind("<svg", 0), 0U);
  EXPECT_EQ(count_of("<image ", svg), 3U);
  EXPECT_NE(svg.find(base64(encode_png(sheet.images[1].image))), std::string::npos);
  for (const char* text : {"original", "noisy", "20.17 dB", "step 1", "a &lt;photo&gt;", "DiT"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(count_of("<svg class=\"chart\"", svg), 2U);
  EXPECT_EQ(count_of("class=\"line ", svg), 3U) << "energy, PSNR and the baseline";
}

TEST(ContactSheet, LeavesOutCurvesThatThereAreNot) {
  ContactSheet sheet;
  sheet.images = {{"noisy", "", waves(8, 8, 3, 1)}};
  EXPECT_EQ(count_of("<svg class=\"chart\"", contact_sheet(sheet)), 0U);
  sheet.energy = {2, 1};
  EXPECT_EQ(count_of("<svg class=\"chart\"", contact_sheet(sheet)), 1U);
}

TEST(ContactSheet, ShowsTheCentreOfALargeImage) {
  Image image{300, 400, 1, std::vector<uint8_t>(300 * 400, 7)};
  image.pixels[30 * 400 + 80] = 200;  // first of the centre
  image.pixels[29 * 400 + 80] = 100;  // above it
  Image centre{240, 240, 1, std::vector<uint8_t>(240 * 240, 7)};
  centre.pixels[0] = 200;
  ContactSheet sheet;
  sheet.images = {{"noisy", "", image}};
  const std::string svg = contact_sheet(sheet);
  EXPECT_NE(svg.find(base64(encode_png(centre))), std::string::npos);
  EXPECT_NE(svg.find("the centre, 240 x 240 pixels"), std::string::npos);
}

TEST(ContactSheet, NeedsAnImage) {
  EXPECT_EQ(testing::error_text([] { contact_sheet({}); }), "contact sheet: there are no images");
}

}  // namespace
}  // namespace ebt
