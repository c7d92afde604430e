#include "ebt/train/replay_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr int64_t kContext = 2;
constexpr int64_t kVocabulary = 3;
constexpr RandomStream kStream{.seed = 5, .purpose = RandomPurpose::kReplay, .step = 9};

// Rows whose every number tells which row it is.
ThoughtRows<float> rows_named(int32_t first, int64_t count) {
  ThoughtRows<float> rows;
  rows.resize(count, kContext, kVocabulary);
  for (int64_t i = 0; i < count * kContext; ++i) {
    const auto at = static_cast<size_t>(i);
    rows.text.inputs[at] = first + static_cast<int32_t>(i / kContext);
    rows.text.targets[at] = -rows.text.inputs[at];
    std::fill_n(rows.logits.begin() + i * kVocabulary, kVocabulary,
                static_cast<float>(rows.text.inputs[at]));
  }
  return rows;
}

std::set<int32_t> names_drawn(const ReplayBuffer<float>& buffer, int64_t count,
                              const RandomStream& stream = kStream) {
  ThoughtRows<float> sample;
  sample.resize(count, kContext, kVocabulary);
  const int64_t drawn = buffer.draw(stream, count, sample);
  std::set<int32_t> names;
  for (int64_t row = 0; row < drawn; ++row) {
    const int32_t name = sample.text.inputs[static_cast<size_t>(row * kContext)];
    EXPECT_EQ(sample.text.targets[static_cast<size_t>(row * kContext + 1)], -name);
    EXPECT_EQ(sample.logits[static_cast<size_t>((row + 1) * kContext * kVocabulary - 1)],
              static_cast<float>(name));
    EXPECT_TRUE(names.insert(name).second) << "row " << name << " was drawn twice";
  }
  return names;
}

TEST(ReplayBuffer, HoldsTheLastRowsOldestOutFirst) {
  ReplayBuffer<float> buffer(4, kContext, kVocabulary);
  buffer.push(rows_named(1, 3));
  EXPECT_EQ(names_drawn(buffer, 10), (std::set<int32_t>{1, 2, 3}));
  buffer.push(rows_named(4, 3));
  EXPECT_EQ(names_drawn(buffer, 10), (std::set<int32_t>{3, 4, 5, 6}));
}

TEST(ReplayBuffer, KeepsTheLastRowsOfAPushLargerThanItself) {
  ReplayBuffer<float> buffer(2, kContext, kVocabulary);
  buffer.push(rows_named(1, 5));
  EXPECT_EQ(names_drawn(buffer, 10), (std::set<int32_t>{4, 5}));
}

TEST(ReplayBuffer, DrawsDifferentRowsAndOthersAtAnotherStep) {
  ReplayBuffer<float> buffer(64, kContext, kVocabulary);
  buffer.push(rows_named(0, 64));
  const std::set<int32_t> drawn = names_drawn(buffer, 8);
  EXPECT_EQ(drawn.size(), 8U);
  EXPECT_EQ(drawn, names_drawn(buffer, 8));
  RandomStream later = kStream;
  later.step += 1;
  EXPECT_NE(drawn, names_drawn(buffer, 8, later));
}

TEST(ReplayBuffer, GivesNothingWithoutRowsOrCapacity) {
  ReplayBuffer<float> without_capacity(0, kContext, kVocabulary);
  without_capacity.push(rows_named(0, 3));
  EXPECT_TRUE(names_drawn(without_capacity, 4).empty());
  EXPECT_TRUE(names_drawn(ReplayBuffer<float>(4, kContext, kVocabulary), 4).empty());
}

TEST(ReplayBuffer, ContinuesFromItsSavedSlots) {
  ReplayBuffer<float> original(4, kContext, kVocabulary);
  original.push(rows_named(1, 6));
  ReplayBuffer<float> restored(4, kContext, kVocabulary);
  restored.slots() = original.slots();
  restored.restore(original.size(), original.next());
  original.push(rows_named(7, 1));
  restored.push(rows_named(7, 1));
  EXPECT_EQ(names_drawn(restored, 10), (std::set<int32_t>{4, 5, 6, 7}));
  EXPECT_EQ(restored.slots().logits, original.slots().logits);
}

TEST(ReplayBuffer, RefusesAStateThatIsNotItsOwn) {
  ReplayBuffer<float> buffer(4, kContext, kVocabulary);
  EXPECT_THROW(buffer.restore(5, 0), Error);
  EXPECT_THROW(buffer.restore(-1, -1), Error);
  EXPECT_THROW(buffer.restore(2, 3), Error);
  EXPECT_THROW(buffer.restore(4, 4), Error);
  EXPECT_NO_THROW(buffer.restore(4, 1));
}

}  // namespace
}  // namespace ebt
