#include "ebt/kernels/rng.h"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/support/numeric.h"

namespace ebt {
namespace {

std::vector<uint32_t> first_bits(const RandomStream& stream, uint64_t first = 0) {
  std::vector<uint32_t> words;
  for (uint64_t i = 0; i < 4; ++i) {
    words.push_back(stream.bits(first + i));
  }
  return words;
}

// Random123's kat_vectors for philox4x32 with 10 rounds: counter and key all zeros, which here are
// element 0 of seed 0, step 0 and the first purpose.
TEST(RandomStream, GivesTheKnownAnswerOfPhilox) {
  const RandomStream zeros{0, static_cast<RandomPurpose>(0), 0};
  EXPECT_EQ(first_bits(zeros),
            (std::vector<uint32_t>{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
}

TEST(RandomStream, PutsSeedPurposeStepAndElementIntoKeyAndCounter) {
  const RandomStream stream{0xa4093822299f31d0U, RandomPurpose::kLangevin, 0x85a308d3U};
  const uint64_t element = 0x13198a2e03707344U;
  const philox4x32_ctr_t counter = {{static_cast<uint32_t>(element / 4),
                                     static_cast<uint32_t>(element / 4 >> 32U), 0x85a308d3U,
                                     static_cast<uint32_t>(RandomPurpose::kLangevin)}};
  const auto words = philox4x32_R(10, counter, {{0x299f31d0U, 0xa4093822U}});
  EXPECT_EQ(first_bits(stream, element), std::vector<uint32_t>(words.v, words.v + 4));
}

TEST(RandomStream, StreamsOfDifferentSeedPurposeAndStepDiffer) {
  const RandomStream base{1, RandomPurpose::kReplay, 2};
  std::set<std::vector<uint32_t>> seen;
  for (const RandomStream& stream :
       {base, RandomStream{2, RandomPurpose::kReplay, 2},
        RandomStream{1 + (uint64_t{1} << 32U), RandomPurpose::kReplay, 2},
        RandomStream{1, RandomPurpose::kSampling, 2}, RandomStream{1, RandomPurpose::kReplay, 3},
        RandomStream{1, RandomPurpose::kReplay, 2 + (uint64_t{1} << 32U)}}) {
    seen.insert(first_bits(stream));
  }
  EXPECT_EQ(seen.size(), 6U);
}

TEST(RandomStream, UniformIsTheUpperBitsAsAFraction) {
  const RandomStream stream{3, RandomPurpose::kStepSize, 1};
  double sum = 0;
  for (uint64_t i = 0; i < 100'000; ++i) {
    const double value = stream.uniform(i);
    EXPECT_EQ(value, static_cast<double>(stream.bits(i) >> 8U) / 16777216.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);  // five standard errors
}

TEST(RandomStream, ManyUniformsAreThoseOfTheirElements) {
  const RandomStream stream{7, RandomPurpose::kStepSize, 3};
  for (const uint64_t first : {uint64_t{0}, uint64_t{129}, (uint64_t{1} << 34U) - 3}) {
    std::vector<float> in_single(300);
    std::vector<double> in_double(300);
    stream.uniform(first, Tensor<float>{in_single.data(), {300}});
    stream.uniform(first, Tensor<double>{in_double.data(), {300}});
    for (uint64_t i = 0; i < 300; ++i) {
      ASSERT_EQ(in_double[i], stream.uniform(first + i)) << "element " << i << " from " << first;
      ASSERT_EQ(static_cast<double>(in_single[i]), in_double[i]);
    }
  }
}

TEST(RandomStream, BelowIsUniformOverItsBound) {
  const RandomStream stream{4, RandomPurpose::kDataOrder, 0};
  std::vector<int> counts(7);
  for (uint64_t i = 0; i < 70'000; ++i) {
    const uint64_t value = stream.below(7, i);
    ASSERT_LT(value, 7U);
    ++counts[value];
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 10'000, 500);  // five standard errors
  }
  EXPECT_EQ(stream.below(1, 5), 0U);
  EXPECT_LT(stream.below(~uint64_t{0}, 6), ~uint64_t{0});
}

TEST(RandomStream, NormalsAreAddressedByElementAndScaled) {
  const RandomStream stream{5, RandomPurpose::kInitialPrediction, 9};
  std::vector<float> all(10'000);
  stream.normal<float>(0, {all.data(), {10'000}}, 1.0F);
  std::vector<float> later(100);
  stream.normal<float>(4321, {later.data(), {100}}, 0.5F);
  for (size_t i = 0; i < later.size(); ++i) {
    EXPECT_EQ(later[i], 0.5F * all[4321 + i]);
  }
}

TEST(RandomStream, NormalsAreTheSameInBothPrecisions) {
  const RandomStream stream{6, RandomPurpose::kLangevin, 1};
  std::vector<float> single(10'000);
  std::vector<double> exact(10'000);
  stream.normal<float>(3, {single.data(), {10'000}}, 1.0F);
  stream.normal<double>(3, {exact.data(), {10'000}}, 1.0);
  EXPECT_EQ(testing::in_double(single), exact);
}

}  // namespace
}  // namespace ebt
