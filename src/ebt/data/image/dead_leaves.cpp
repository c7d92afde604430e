#include "ebt/data/image/dead_leaves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "ebt/data/image/leaf_radii.h"
#include "ebt/kernels/rng.h"

namespace ebt {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;
// How many leaves lie over a point on average before the ground is drawn: few places, e^-6 of all,
// show it.
constexpr double kCover = 6;
// What a pixel has left when it counts as covered: a fraction of a grey level.
constexpr float kUnseen = 1.0F / 1024;

// Random numbers of one image, one after the other.
class Draws {
 public:
  explicit Draws(RandomStream stream) : stream_(stream) {}
  // Goes to the numbers of a leaf, so that none depends on how many another took.
  void begin(uint64_t leaf) { element_ = leaf * 16; }
  float uniform() { return static_cast<float>(stream_.uniform(element_++)); }
  float between(float low, float high) { return low + (high - low) * uniform(); }
  // Its logarithm is uniform.
  float scale_between(float low, float high) { return low * std::pow(high / low, uniform()); }

 private:
  RandomStream stream_;
  uint64_t element_ = 0;
};

// What all leaves of an image share.
struct Scene {
  float smallest = 1;  // radius, pixels
  float largest = 1;
  float brightness = 0.5F;  // the middle of their colours
  float contrast = 0.5F;
  float colourfulness = 0;
  float texture = 0;  // the share that has stripes
};

Scene draw_scene(Draws& draws, float side) {
  Scene scene;
  scene.largest = std::max(side, 2.0F);
  scene.smallest = draws.scale_between(1, std::max(1.0F, side / 16));
  scene.brightness = draws.between(0.3F, 0.7F);
  scene.contrast = draws.between(0.15F, 0.5F);
  scene.colourfulness = draws.between(0, 0.2F);
  scene.texture = draws.between(0, 0.6F);
  return scene;
}

// How much of the pixel at (dx, dy) from the centre a shape covers, by its distance from the edge.
float inside(float distance) { return std::clamp(0.5F - distance, 0.0F, 1.0F); }

struct Disc {
  float radius;
  float operator()(float dx, float dy) const {
    return inside(std::sqrt(dx * dx + dy * dy) - radius);
  }
};

struct Rectangle {
  float half_length, half_width, cosine, sine;
  float operator()(float dx, float dy) const {
    return inside(std::abs(dx * cosine + dy * sine) - half_length) *
           inside(std::abs(dy * cosine - dx * sine) - half_width);
  }
};

// A wave of height 1 and length 1, made of parabolas.
float wave(float phase) {
  const float t = phase - std::floor(phase);
  return t < 0.5F ? 16 * t * (0.5F - t) : -16 * (t - 0.5F) * (1 - t);
}

// The surface of a leaf, around its centre.
struct Surface {
  std::array<float, 3> colour{};
  float slope_x = 0, slope_y = 0;  // of the shade, per pixel
  float stripes = 0;               // their height
  float frequency_x = 0, frequency_y = 0, phase = 0;

  float shade(float dx, float dy) const {
    const float slope = slope_x * dx + slope_y * dy;
    return stripes == 0 ? slope
                        : slope + stripes * wave(frequency_x * dx + frequency_y * dy + phase);
  }
};

Surface draw_surface(Draws& draws, const Scene& scene, float radius) {
  Surface surface;
  const float grey = scene.brightness + scene.contrast * draws.between(-1, 1);
  for (float& level : surface.colour) {
    level = grey + scene.colourfulness * draws.between(-1, 1);
  }
  const float direction = draws.between(0, 2 * kPi);
  const float slope = draws.between(0, 0.15F) / radius;
  surface.slope_x = slope * std::cos(direction);
  surface.slope_y = slope * std::sin(direction);
  if (draws.uniform() < scene.texture) {
    const float along = draws.between(0, kPi);
    const float frequency = 1 / draws.scale_between(3, std::max(4.0F, radius));
    surface.stripes = draws.between(0.02F, 0.2F);
    surface.frequency_x = frequency * std::cos(along);
    surface.frequency_y = frequency * std::sin(along);
    surface.phase = draws.uniform();
  }
  return surface;
}

// An image that is covered from the front to the back: what lies under opaque leaves is never
// drawn.
class Canvas {
 public:
  Canvas(int64_t channels, int64_t height, int64_t width)
      : channels_(channels),
        height_(height),
        width_(width),
        free_(static_cast<size_t>(height * width), 1.0F),
        values_(static_cast<size_t>(channels * height * width)),
        free_in_row_(static_cast<size_t>(height), width),
        free_count_(height * width) {}

  bool covered() const { return free_count_ == 0; }

  // Whether anything of a leaf with this centre and radius could be seen.
  bool has_free_row(float centre_y, float radius) const {
    const auto [first, last] = pixels_between(centre_y, radius, height_);
    return std::any_of(free_in_row_.begin() + first, free_in_row_.begin() + last,
                       [](int64_t count) { return count > 0; });
  }

  // Pushes a leaf under all that is there.
  template <class Shape>
  void add(float centre_x, float centre_y, float radius, const Shape& shape,
           const Surface& surface) {
    const auto [top, bottom] = pixels_between(centre_y, radius, height_);
    const auto [left, right] = pixels_between(centre_x, radius, width_);
    for (int64_t y = top; y < bottom; ++y) {
      if (free_in_row_[static_cast<size_t>(y)] == 0) {
        continue;
      }
      const float dy = static_cast<float>(y) + 0.5F - centre_y;
      for (int64_t x = left; x < right; ++x) {
        float& free = free_[static_cast<size_t>(y * width_ + x)];
        if (free == 0) {
          continue;
        }
        const float dx = static_cast<float>(x) + 0.5F - centre_x;
        const float cover = shape(dx, dy);
        if (cover > 0) {
          paint(y, x, free, cover, surface, surface.shade(dx, dy));
        }
      }
    }
  }

  Image image() const {
    Image image{height_, width_, channels_, std::vector<uint8_t>(values_.size())};
    for (size_t i = 0; i < values_.size(); ++i) {
      const float level = values_[i] * 255 + 0.5F;  // to be cut off
      image.pixels[i] = static_cast<uint8_t>(level);
    }
    return image;
  }

 private:
  // The pixels of a line of `count` that lie within `radius` of a point, and a half for the edge.
  static std::pair<int64_t, int64_t> pixels_between(float centre, float radius, int64_t count) {
    const auto end = static_cast<float>(count);
    const float reach = radius + 0.5F;
    const float first = std::clamp(std::floor(centre - reach), 0.0F, end);
    const float last = std::clamp(std::ceil(centre + reach), 0.0F, end);
    return {static_cast<int64_t>(first), static_cast<int64_t>(last)};
  }

  void paint(int64_t y, int64_t x, float& free, float cover, const Surface& surface, float shade) {
    float part = free * cover;
    if (free - part < kUnseen) {
      part = free;
      free = 0;
      --free_in_row_[static_cast<size_t>(y)];
      --free_count_;
    } else {
      free -= part;
    }
    float* const value = values_.data() + (y * width_ + x) * channels_;
    for (int64_t c = 0; c < channels_; ++c) {
      value[c] += part * std::clamp(surface.colour[static_cast<size_t>(c)] + shade, 0.0F, 1.0F);
    }
  }

  int64_t channels_, height_, width_;
  std::vector<float> free_;    // (height, width): how much of a pixel is not covered yet
  std::vector<float> values_;  // (height, width, channels)
  std::vector<int64_t> free_in_row_;
  int64_t free_count_;
};

// Shape and surface follow from the numbers where `draws` stands, and from those of `surface_at`
// on.
void add_leaf(Canvas& canvas, float x, float y, float radius, const Scene& scene, Draws& draws,
              uint64_t surface_at) {
  constexpr float kRectangles = 0.3F;  // the share of leaves that are none of the discs
  const bool is_disc = draws.uniform() >= kRectangles;
  const float turn = draws.between(0, kPi);
  const float corner = draws.between(kPi / 16, 7 * kPi / 16);
  draws.begin(surface_at);
  const Surface surface = draw_surface(draws, scene, radius);
  if (is_disc) {
    canvas.add(x, y, radius, Disc{radius}, surface);
  } else {
    // Its corners lie on the circle.
    canvas.add(x, y, radius,
               Rectangle{radius * std::cos(corner), radius * std::sin(corner), std::cos(turn),
                         std::sin(turn)},
               surface);
  }
}

}  // namespace

Image draw_dead_leaves(uint64_t seed, int64_t index, int64_t channels, int64_t height,
                       int64_t width) {
  Draws draws({seed, RandomPurpose::kDeadLeaves, static_cast<uint64_t>(index)});
  const auto image_height = static_cast<float>(height);
  const auto image_width = static_cast<float>(width);
  draws.begin(0);
  const Scene scene = draw_scene(draws, std::max(image_height, image_width));
  const LeafRadii radii(scene.smallest, scene.largest, image_height, image_width);
  const uint64_t leaves = radii.count(kCover);
  Canvas canvas(channels, height, width);
  for (uint64_t leaf = 1; !canvas.covered(); ++leaf) {
    draws.begin(2 * leaf);
    if (leaf > leaves) {
      // The ground lies under all of the image.
      const float radius = image_height + image_width;
      canvas.add(image_width / 2, image_height / 2, radius, Disc{radius},
                 draw_surface(draws, scene, radius));
      continue;
    }
    const double which = draws.uniform();
    const auto radius = static_cast<float>(radii.at(which, draws.uniform()));
    const float x = draws.between(-radius, image_width + radius);
    const float y = draws.between(-radius, image_height + radius);
    if (canvas.has_free_row(y, radius)) {
      add_leaf(canvas, x, y, radius, scene, draws, 2 * leaf + 1);
    }
  }
  return canvas.image();
}

}  // namespace ebt
