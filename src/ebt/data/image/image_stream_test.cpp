#include "ebt/data/image/image_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <set>

#include "ebt/core/error.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();

// An image that is its number.
StreamedImage image_of(int64_t number) {
  return {{1, 1, 1, {static_cast<uint8_t>(number)}}, {number}};
}

TEST(ImageStream, GivesImagesByNumberInWhateverOrder) {
  for (const int64_t threads : {1, 3}) {
    for (const int64_t ahead : {1, 2, 7, 100}) {
      ImageStream stream(image_of, kEndless, threads, ahead);
      for (const int64_t first : {0, 5, 1000, 3, 1003, 1003, 123456}) {
        for (int64_t number = first; number < first + 20; ++number) {
          const StreamedImage taken = stream.take(number);
          EXPECT_EQ(taken.image.pixels[0], static_cast<uint8_t>(number));
          EXPECT_EQ(taken.bad_files, std::vector<int64_t>{number});
        }
      }
    }
  }
}

TEST(ImageStream, WorksAheadAsFarAsItMayAndNoFurther) {
  std::atomic<int64_t> furthest = -1;
  const auto make = [&](int64_t number) {
    for (int64_t old = furthest; old < number && !furthest.compare_exchange_weak(old, number);) {
    }
    return image_of(number);
  };
  ImageStream stream(make, kEndless, 2, 10);
  for (int64_t number = 0; number < 50; ++number) {
    stream.take(number);
    // What has begun may be as far as this, and with nothing taken it gets there.
    while (furthest < number + 10) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    EXPECT_EQ(furthest, number + 10);
  }
}

TEST(ImageStream, MakesImagesInSeveralThreads) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto make = [&](int64_t number) {
    while (true) {  // until all threads have come
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      if (threads.size() == 3) {
        return image_of(number);
      }
    }
  };
  ImageStream stream(make, kEndless, 3, 8);
  EXPECT_EQ(stream.take(0).image.pixels[0], 0);
}

TEST(ImageStream, EndsWhereItIsToldTo) {
  std::atomic<int64_t> made_beyond = 0;
  const auto make = [&](int64_t number) {
    made_beyond += number >= 5 ? 1 : 0;
    return image_of(number);
  };
  ImageStream stream(make, 5, 2, 100);
  for (int round = 0; round < 3; ++round) {
    for (int64_t number = 0; number < 5; ++number) {
      EXPECT_EQ(stream.take(number).image.pixels[0], number);
    }
  }
  EXPECT_EQ(made_beyond, 0);
  EXPECT_EQ(testing::error_text([&] { stream.take(5); }), "images: number 5 was asked for, of 5");
  EXPECT_EQ(testing::error_text([&] { stream.take(-1); }), "images: number -1 was asked for, of 5");
}

TEST(ImageStream, ThrowsWhatMakingAnImageThrewAndGoesOn) {
  const auto make = [](int64_t number) {
    EBT_CHECK(number % 3 != 1, "number {} is bad", number);
    return image_of(number);
  };
  ImageStream stream(make, kEndless, 2, 4);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(stream.take(0).image.pixels[0], 0);
    EXPECT_EQ(testing::error_text([&] { stream.take(1); }), "number 1 is bad");
    EXPECT_EQ(stream.take(2).image.pixels[0], 2);
    EXPECT_EQ(testing::error_text([&] { stream.take(4); }), "number 4 is bad");
  }
}

TEST(ImageStream, EndsWheneverItIsDestroyed) {
  { const ImageStream never_used(image_of, kEndless, 4, 10); }
  for (int round = 0; round < 50; ++round) {
    ImageStream stream(
        [](int64_t number) {
          std::this_thread::sleep_for(std::chrono::microseconds(100));
          return image_of(number);
        },
        kEndless, 4, 10);
    for (int64_t number = 0; number < round % 5; ++number) {
      stream.take(number);
    }
  }
}

}  // namespace
}  // namespace ebt
