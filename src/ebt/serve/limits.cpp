#include "ebt/serve/limits.h"

#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/image/image.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

constexpr int64_t kMost = 1'000'000'000;

}  // namespace

void RequestLimits::check() const {
  RequestLimits copy = *this;
  copy.visit_fields([](const char* name, int64_t value, const char* /*help*/) {
    EBT_CHECK(value >= 1 && value <= kMost, "{}: {} is not a whole number from 1 to {}", name,
              value, kMost);
  });
  for (const auto& [name, bytes] :
       {std::pair("max-body", max_body_bytes), {"max-image-body", max_image_body_bytes}}) {
    EBT_CHECK(bytes <= static_cast<int64_t>(kMaxJson_bytes),
              "{}: {} is more than the {} bytes of JSON that are ever read", name, bytes,
              kMaxJson_bytes);
  }
  EBT_CHECK(max_image_pixels <= kMaxImagePixels,
            "max-image-pixels: {} is more than the {} pixels that are ever decoded",
            max_image_pixels, kMaxImagePixels);
}

}  // namespace ebt
