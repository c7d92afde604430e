// Thousands of damaged .npy files: each is refused in one line, or holds what its header says.
#include <gtest/gtest.h>

#include "ebt/data/video/clips.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/refusals.h"
#include "tests/support/small_clips.h"

namespace ebt {
namespace {

using namespace testing;

TEST(Fuzz, ClipsAreRefusedOrWhatTheySay) {
  const TemporaryFolder folder;
  const std::string valid =
      npy_bytes("<f4", "(3, 5, 4)", bytes_of_numbers(rotating_frames(15, 4, 1)));
  const size_t header = valid.size() - 15 * 4 * sizeof(float);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string bytes = valid;
    if (mutator.below(2) == 0) {
      mutator.mutate(bytes, 0, header);
    } else {
      mutator.mutate_bytes(bytes, 0, mutator.below(2) == 0 ? header : bytes.size());
    }
    const Clips clips(folder.write("x.npy", bytes));
    for (int64_t clip = 0; clip < clips.count(); ++clip) {
      std::vector<float> frames(static_cast<size_t>(clips.frames(clip) * clips.width()));
      clips.read(clip, 0, Tensor<float>{frames.data(), {clips.frames(clip), clips.width()}});
    }
  });
}

}  // namespace
}  // namespace ebt
