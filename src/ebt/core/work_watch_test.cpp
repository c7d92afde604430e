#include "ebt/core/work_watch.h"

#include <gtest/gtest.h>

#include <vector>

namespace ebt {
namespace {

TEST(WorkWatch, IsToldSharesOfTheWholeByPartsOfParts) {
  std::vector<double> shares;
  const WorkWatch watch{nullptr, [&](double share) { shares.push_back(share); }};
  const WatchedWork work(watch);
  tell_share(0.25);
  {
    const PartOfWork half(0.5, 0.5);
    tell_share(0.5);
    const PartOfWork quarter_of_it(0.75, 0.25);
    tell_share(1);
    tell_share(0);
  }
  tell_share(1);
  EXPECT_EQ(shares, (std::vector<double>{0.25, 0.75, 1, 0.875, 1}));
}

TEST(WorkWatch, EndsWorkThatIsToStop) {
  bool stop = false;
  const WorkWatch watch{[&] { return stop; }, nullptr};
  check_stop();
  const WatchedWork work(watch);
  check_stop();
  tell_share(0.5);
  stop = true;
  EXPECT_THROW(check_stop(), Stopped);
  EXPECT_THROW(tell_share(0.5), Stopped);
}

TEST(WorkWatch, HearsTheInnermostWatchAlone) {
  const WorkWatch stops{[] { return true; }, nullptr};
  const WatchedWork outer(stops);
  {
    const WorkWatch indifferent;
    const WatchedWork inner(indifferent);
    tell_share(1);
    EXPECT_EQ(work_watch(), &indifferent);
  }
  EXPECT_THROW(check_stop(), Stopped);
}

TEST(WorkWatch, IsSilentInParallelRegions) {
  const WorkWatch stops{[] { return true; }, nullptr};
  const WatchedWork work(stops);
#pragma omp parallel num_threads(2)
  check_stop();
  EXPECT_THROW(check_stop(), Stopped);
}

}  // namespace
}  // namespace ebt
