#include "ebt/serve/limits.h"

#include "ebt/core/error.h"
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
  EBT_CHECK(max_body_bytes <= static_cast<int64_t>(kMaxJson_bytes),
            "max-body: {} is more than the {} bytes of JSON that are ever read", max_body_bytes,
            kMaxJson_bytes);
}

}  // namespace ebt
