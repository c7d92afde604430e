#include "ebt/report/energy_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

using Colour = std::array<double, 3>;  // 0..255

// From dark to bright, so that it also reads in grey.
constexpr std::array<Colour, 6> kColours = {Colour{16, 12, 70}, {88, 22, 140},  {172, 42, 118},
                                            {228, 92, 62},      {248, 168, 52}, {252, 246, 160}};
constexpr Colour kGround = {255, 255, 255};
constexpr Colour kInk = {30, 34, 42};

Colour mix(const Colour& a, const Colour& b, double share_of_b) {
  Colour mixed{};
  for (size_t i = 0; i < mixed.size(); ++i) {
    mixed[i] = (1 - share_of_b) * a[i] + share_of_b * b[i];
  }
  return mixed;
}

// Of a level in [0, 1].
Colour colour_of(double level) {
  const double place = std::clamp(level, 0.0, 1.0) * static_cast<double>(kColours.size() - 1);
  const auto below = std::min(static_cast<size_t>(place), kColours.size() - 2);
  return mix(kColours[below], kColours[below + 1], place - static_cast<double>(below));
}

// Characters that numbers are written with, 5 x 7 dots each, a row in the lowest 5 bits.
constexpr std::string_view kCharacters = "0123456789.-+e";
constexpr int kGlyphRows = 7;
constexpr int kGlyphColumns = 5;
constexpr std::array<std::array<uint8_t, kGlyphRows>, kCharacters.size()> kGlyphs = {{
    {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110},
    {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110},
    {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111},
    {0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110},
    {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010},
    {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110},
    {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110},
    {0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000},
    {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110},
    {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100},
    {0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100},
    {0b00000, 0b00000, 0b00000, 0b01110, 0b00000, 0b00000, 0b00000},
    {0b00000, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0b00000},
    {0b00000, 0b00000, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110},
}};

class Canvas {
 public:
  Canvas(int64_t height, int64_t width) {
    image_.height = height;
    image_.width = width;
    image_.channels = 3;
    image_.pixels.resize(static_cast<size_t>(3 * height * width));
    fill(0, 0, height, width, kGround);
  }

  void set(int64_t y, int64_t x, const Colour& colour) {
    for (size_t i = 0; i < colour.size(); ++i) {
      image_.pixels[static_cast<size_t>(3 * (y * image_.width + x)) + i] =
          static_cast<uint8_t>(std::lround(colour[i]));
    }
  }
  void fill(int64_t top, int64_t left, int64_t height, int64_t width, const Colour& colour) {
    for (int64_t y = top; y < top + height; ++y) {
      for (int64_t x = left; x < left + width; ++x) {
        set(y, x, colour);
      }
    }
  }
  // Dots are squares of `dot` pixels.
  void write(const std::string& text, int64_t top, int64_t left, int64_t dot) {
    for (const char c : text) {
      const size_t glyph = kCharacters.find(c);
      for (int row = 0; row < kGlyphRows && glyph != std::string_view::npos; ++row) {
        for (int column = 0; column < kGlyphColumns; ++column) {
          if ((kGlyphs[glyph][static_cast<size_t>(row)] >> (kGlyphColumns - 1 - column) & 1) != 0) {
            fill(top + row * dot, left + column * dot, dot, dot, kInk);
          }
        }
      }
      left += (kGlyphColumns + 1) * dot;
    }
  }
  Image take() { return std::move(image_); }

 private:
  Image image_;
};

// Energies to levels in [0, 1].
struct Scale {
  double low = 0;
  double high = 0;

  explicit Scale(std::vector<float> values) {
    std::sort(values.begin(), values.end());
    low = static_cast<double>(values[values.size() / 50]);
    high = static_cast<double>(values[values.size() - 1 - values.size() / 50]);
  }
  double level(double energy) const { return high > low ? (energy - low) / (high - low) : 0; }
};

}  // namespace

Image energy_map_image(const Image& image, const PatchMap& energy) {
  EBT_CHECK(energy.patch > 0 && energy.rows == (image.height + energy.patch - 1) / energy.patch &&
                energy.columns == (image.width + energy.patch - 1) / energy.patch &&
                energy.values.size() == static_cast<size_t>(energy.rows * energy.columns),
            "energy map: {} x {} patches of {} pixels are not those of an image of {} x {}",
            energy.rows, energy.columns, energy.patch, image.height, image.width);
  constexpr int64_t kSmallest = 256;
  constexpr int64_t kNarrowest = 200;  // has room for the scale
  constexpr double kColourShare = 0.6;
  const int64_t times =
      (kSmallest + std::max(image.height, image.width) - 1) / std::max(image.height, image.width);
  const int64_t width = std::max(kNarrowest, image.width * times);
  const int64_t unit = std::max<int64_t>(2, width / 200);  // of the scale's strip
  const int64_t bar = image.height * times + 3 * unit;
  Canvas canvas(bar + (5 + 3 + kGlyphRows + 3) * unit, width);
  const Image grey = with_channels(image, 1);
  const Scale scale(energy.values);
  const int64_t left = (width - image.width * times) / 2;
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      const double value = grey.pixels[static_cast<size_t>(y * image.width + x)];
      const float patch_energy =
          energy.values[static_cast<size_t>(y / energy.patch * energy.columns + x / energy.patch)];
      canvas.fill(y * times, left + x * times, times, times,
                  mix({value, value, value},
                      colour_of(scale.level(static_cast<double>(patch_energy))), kColourShare));
    }
  }
  const int64_t inner = width - 2 * unit;
  for (int64_t x = 0; x < inner; ++x) {
    canvas.fill(bar, unit + x, 5 * unit, 1,
                colour_of(static_cast<double>(x) / static_cast<double>(inner - 1)));
  }
  const std::string low = fmt::format("{:.3g}", scale.low);
  const std::string high = fmt::format("{:.3g}", scale.high);
  const auto high_width = static_cast<int64_t>(high.size()) * (kGlyphColumns + 1) - 1;
  const int64_t dot = std::max<int64_t>(1, unit / 2);
  canvas.write(low, bar + 8 * unit, unit, dot);
  canvas.write(high, bar + 8 * unit, width - unit - high_width * dot, dot);
  return canvas.take();
}

}  // namespace ebt
