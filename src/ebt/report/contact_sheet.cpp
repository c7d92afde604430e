#include "ebt/report/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>

#include "ebt/core/error.h"
#include "ebt/io/base64.h"
#include "ebt/report/chart.h"
#include "ebt/report/figure.h"

namespace ebt {
namespace {

constexpr double kWidth = 960;
constexpr double kMargin = 24;
constexpr double kGap = 14;
constexpr double kCaptionHeight = 26;
constexpr double kNoteHeight = 34;
constexpr double kChartHeight = 230;
// In a row, at most: of images that fit so, and of those that would have to be made smaller.
constexpr size_t kColumns = 6;
constexpr size_t kColumnsOfLarge = 4;
// Larger images are cut: what noise leaves behind shows only where pixels can be seen.
constexpr int64_t kLargest = 240;

// The centre of an image.
Image centre_of(const Image& image) {
  Image part;
  part.height = std::min(image.height, kLargest);
  part.width = std::min(image.width, kLargest);
  part.channels = image.channels;
  const int64_t left = (image.width - part.width) / 2;
  for (int64_t y = 0; y < part.height; ++y) {
    const auto* row =
        image.pixels.data() +
        (((image.height - part.height) / 2 + y) * image.width + left) * image.channels;
    part.pixels.insert(part.pixels.end(), row, row + part.width * part.channels);
  }
  return part;
}

// Values at 0, 1, 2, ... steps.
ChartSeries over_steps(const std::string& label, int color, const std::vector<double>& values) {
  ChartSeries series;
  series.label = label;
  series.color = color;
  series.dots = true;
  for (size_t step = 0; step < values.size(); ++step) {
    series.points.emplace_back(static_cast<double>(step), values[step]);
  }
  return series;
}

std::vector<std::string> charts_of(const ContactSheet& sheet) {
  const bool both = !sheet.energy.empty() && !sheet.psnr.empty();
  ChartOptions options;
  options.width = (kWidth - 2 * kMargin - (both ? kGap : 0)) / (both ? 2 : 1);
  options.height = kChartHeight;
  options.x_label = "steps";
  std::vector<std::string> charts;
  if (!sheet.energy.empty()) {
    options.title = "Energy over thinking steps";
    options.y_label = "energy";
    charts.push_back(line_chart({over_steps("", 0, sheet.energy)}, options));
  }
  if (!sheet.psnr.empty()) {
    options.title = "PSNR over steps";
    options.y_label = "PSNR, dB";
    std::vector<ChartSeries> series = {over_steps("", 2, sheet.psnr)};
    if (sheet.baseline.has_value()) {
      ChartSeries flat;
      flat.label = sheet.baseline->first;
      flat.color = 1;
      const auto end = static_cast<double>(sheet.psnr.size() - 1);
      flat.points = {{0, sheet.baseline->second}, {std::max(end, 1.0), sheet.baseline->second}};
      series.push_back(std::move(flat));
    }
    charts.push_back(line_chart(series, options));
  }
  return charts;
}

}  // namespace

std::string contact_sheet(const ContactSheet& sheet) {
  EBT_CHECK(!sheet.images.empty(), "contact sheet: there are no images");
  const size_t count = sheet.images.size();
  const Image& first = sheet.images[0].image;
  const auto pixel_width = static_cast<double>(std::min(first.width, kLargest));
  const auto pixel_height = static_cast<double>(std::min(first.height, kLargest));
  const size_t most = pixel_width > kWidth / kColumns ? kColumnsOfLarge : kColumns;
  const size_t rows = (count + most - 1) / most;
  const size_t columns = (count + rows - 1) / rows;
  const double cell_width =
      std::min({300.0, (kWidth - 2 * kMargin + kGap) / static_cast<double>(columns) - kGap,
                300.0 * pixel_width / pixel_height});
  const double cell_height = cell_width * pixel_height / pixel_width;
  const double row_height = kCaptionHeight + cell_height + kNoteHeight;
  const std::vector<std::string> charts = charts_of(sheet);
  const double charts_top = kMargin + static_cast<double>(rows) * row_height;
  const double height = charts_top + (charts.empty() ? 0 : kChartHeight) + 40;
  std::string svg = open_figure(kWidth, height, "An image while its noise is taken out");
  for (size_t i = 0; i < count; ++i) {
    const SheetImage& one = sheet.images[i];
    const double x = kMargin + static_cast<double>(i % columns) * (cell_width + kGap);
    const size_t row = i / columns;
    const double y = kMargin + static_cast<double>(row) * row_height;
    svg += figure_head(x, y + 12, cell_width, one.caption);
    svg += fmt::format(
        R"(<image x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" style="image-rendering:pixelated" )"
        R"(href="data:image/png;base64,{}"/>)",
        x, y + kCaptionHeight, cell_width, cell_height, base64(encode_png(centre_of(one.image))));
    svg += figure_note(x, y + kCaptionHeight + cell_height + 16, cell_width, one.note);
  }
  double x = kMargin;
  for (const std::string& chart : charts) {
    const double width = (kWidth - 2 * kMargin + kGap) / static_cast<double>(charts.size()) - kGap;
    svg += placed_chart(x, charts_top, width, kChartHeight, chart);
    x += width + kGap;
  }
  const bool is_cut = first.width > kLargest || first.height > kLargest;
  const std::string cut =
      fmt::format(" · the centre, {:.0f} x {:.0f} pixels", pixel_width, pixel_height);
  return svg +
         figure_note(kMargin, height - 14, kWidth - 2 * kMargin,
                     sheet.subject + (is_cut ? cut : "")) +
         "</svg>\n";
}

}  // namespace ebt
