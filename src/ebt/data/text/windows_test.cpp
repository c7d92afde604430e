#include "ebt/data/text/windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "ebt/data/tokenizer/tokenizer.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

// Tokens whose values tell their positions: 0, 1, 2, ...
class Windows : public ::testing::Test {
 protected:
  static TokenSequence counting(size_t count) {
    const auto text = std::make_shared<std::string>();
    for (size_t i = 0; i < count; ++i) {
      text->push_back(static_cast<char>(i));
    }
    return {{*text}, text};
  }
};

using TrainingWindowsTest = Windows;
using ValidationWindowsTest = Windows;

TEST_F(TrainingWindowsTest, PredictTheTokenThatFollows) {
  TrainingWindows windows(counting(100), 7, 1);
  Batch batch;
  windows.fill(batch, 0, 50);
  EXPECT_EQ(batch.rows, 50);
  EXPECT_EQ(batch.context, 7);
  ASSERT_EQ(batch.inputs.size(), 350U);
  for (size_t i = 0; i < batch.inputs.size(); ++i) {
    EXPECT_EQ(batch.targets[i], batch.inputs[i] + 1);
    EXPECT_EQ(batch.inputs[i], batch.inputs[i - i % 7] + static_cast<int32_t>(i % 7));
  }
}

TEST_F(TrainingWindowsTest, OfAnEpochNeverOverlap) {
  TrainingWindows windows(counting(100), 7, 1);
  Batch batch;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    windows.fill(batch, epoch * windows.epoch_rows(), windows.epoch_rows());
    const std::set<int32_t> inputs(batch.inputs.begin(), batch.inputs.end());
    EXPECT_EQ(inputs.size(), batch.inputs.size());
    EXPECT_EQ(*inputs.rbegin() - *inputs.begin() + 1, static_cast<int32_t>(inputs.size()));
    EXPECT_LT(*inputs.begin(), 7);
  }
}

TEST_F(TrainingWindowsTest, CoverAlmostAllTokensInEveryEpoch) {
  for (size_t count = 8; count < 100; ++count) {
    const int64_t rows = TrainingWindows(counting(count), 7, 1).epoch_rows();
    EXPECT_GE(rows, 1);
    EXPECT_GT(rows * 7 + 2 * 7, static_cast<int64_t>(count));
  }
}

TEST_F(TrainingWindowsTest, AreAsManyInEveryEpochAsFitBehindAnyOffset) {
  EXPECT_EQ(TrainingWindows(counting(31), 8, 3).epoch_rows(), 2);
  EXPECT_EQ(TrainingWindows(counting(32), 8, 3).epoch_rows(), 3);
  EXPECT_EQ(TrainingWindows(counting(39), 8, 3).epoch_rows(), 3);
}

TEST_F(TrainingWindowsTest, StayWithinAShortText) {
  TrainingWindows windows(counting(10), 7, 1);
  Batch batch;
  windows.fill(batch, 0, 100);
  std::set<int32_t> firsts;
  for (size_t i = 0; i < batch.inputs.size(); i += 7) {
    firsts.insert(batch.inputs[i]);
  }
  EXPECT_EQ(firsts, (std::set<int32_t>{0, 1, 2}));
}

TEST_F(TrainingWindowsTest, UseEveryOffsetAndEveryOrder) {
  TrainingWindows windows(counting(32), 8, 3);
  ASSERT_EQ(windows.epoch_rows(), 3);
  std::set<int32_t> offsets;
  std::map<std::vector<int32_t>, int> orders;
  Batch batch;
  for (int64_t epoch = 0; epoch < 600; ++epoch) {
    windows.fill(batch, epoch * 3, 3);
    const std::vector<int32_t> starts = {batch.inputs[0] / 8, batch.inputs[8] / 8,
                                         batch.inputs[16] / 8};
    ++orders[starts];
    offsets.insert(batch.inputs[0] % 8);
    EXPECT_LE(*std::max_element(batch.targets.begin(), batch.targets.end()), 31);
  }
  EXPECT_EQ(offsets.size(), 8U);
  ASSERT_EQ(orders.size(), 6U);
  for (const auto& [order, times] : orders) {
    EXPECT_GT(times, 50);
  }
}

TEST_F(TrainingWindowsTest, AreAddressedByRowAlone) {
  TrainingWindows whole(counting(200), 5, 9);
  Batch all;
  whole.fill(all, 0, 150);
  TrainingWindows resumed(counting(200), 5, 9);
  Batch part;
  for (const int64_t first : {100, 0, 37, 38}) {
    resumed.fill(part, first, 50);
    EXPECT_EQ(part.inputs, std::vector<int32_t>(all.inputs.begin() + first * 5,
                                                all.inputs.begin() + (first + 50) * 5));
  }
}

TEST_F(TrainingWindowsTest, DependOnTheSeed) {
  TrainingWindows first(counting(200), 5, 1);
  TrainingWindows second(counting(200), 5, 2);
  Batch first_batch;
  Batch second_batch;
  first.fill(first_batch, 0, 20);
  second.fill(second_batch, 0, 20);
  EXPECT_NE(first_batch.inputs, second_batch.inputs);
}

TEST_F(TrainingWindowsTest, NeedOneWindow) {
  EXPECT_EQ(TrainingWindows(counting(6), 5, 1).epoch_rows(), 1);
  EXPECT_EQ(testing::error_text([] { TrainingWindows(counting(5), 5, 1); }),
            "the training text has 5 tokens, and a context of 5 needs at least 6");
  EXPECT_EQ(testing::error_text([] { TrainingWindows(counting(5), 0, 1); }),
            "the context must be at least one token, not 0");
}

TEST_F(ValidationWindowsTest, PredictEveryTokenOnce) {
  for (size_t tokens = 0; tokens < 30; ++tokens) {
    const ValidationWindows windows(counting(tokens), 7);
    Batch batch;
    windows.fill(batch, 0, windows.count());
    std::vector<int32_t> targets;
    for (size_t i = 0; i < batch.targets.size(); ++i) {
      if (batch.targets[i] == kIgnoredTarget) {
        EXPECT_EQ(batch.inputs[i], 0);
      } else {
        EXPECT_EQ(batch.inputs[i] + 1, batch.targets[i]);
        targets.push_back(batch.targets[i]);
      }
    }
    ASSERT_EQ(targets.size(), tokens == 0 ? 0 : tokens - 1);
    for (size_t i = 0; i < targets.size(); ++i) {
      EXPECT_EQ(targets[i], static_cast<int32_t>(i) + 1);
    }
  }
}

TEST_F(ValidationWindowsTest, CanBeReadInParts) {
  const ValidationWindows windows(counting(30), 7);
  ASSERT_EQ(windows.count(), 5);
  Batch all;
  windows.fill(all, 0, 5);
  Batch part;
  windows.fill(part, 3, 2);
  EXPECT_EQ(part.targets, std::vector<int32_t>(all.targets.begin() + 21, all.targets.end()));
}

TEST_F(ValidationWindowsTest, RefuseRowsThatAreNotThere) {
  const ValidationWindows windows(counting(30), 7);
  Batch batch;
  EXPECT_EQ(testing::error_text([&] { windows.fill(batch, 3, 3); }),
            "validation rows 3 to 5 were asked for, but there are 5");
  EXPECT_EQ(testing::error_text([] { ValidationWindows(counting(5), 0); }),
            "the context must be at least one token, not 0");
}

TEST_F(ValidationWindowsTest, CountTheBytesOfTheirTargets) {
  const TokenSequence tokens({"ab", "cdef"}, nullptr);
  Batch batch;
  const ValidationWindows windows(tokens, 4);
  windows.fill(batch, 0, windows.count());
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{'b', 256, 'c', 'd', 'e', 'f', -1, -1}));
  EXPECT_EQ(batch.target_bytes, 5) << "neither the separator nor what is ignored";
  TrainingWindows(tokens, 5, 1).fill(batch, 0, 2);
  EXPECT_EQ(batch.target_bytes,
            2 * 5 - std::count(batch.targets.begin(), batch.targets.end(), 256));
}

}  // namespace
}  // namespace ebt
