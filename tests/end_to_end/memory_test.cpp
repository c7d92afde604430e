// The plan of a run's memory is what the run takes.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

// "... (amx), 53.2 MiB of memory of 22.4 GiB available, ...": what was planned.
double planned_bytes(const std::string& err) {
  const size_t end = err.find(" of memory of ");
  const size_t begin = err.rfind(", ", end) + 2;
  std::istringstream words(err.substr(begin, end - begin));
  double amount = 0;
  std::string unit;
  words >> amount >> unit;
  EXPECT_TRUE(unit == "MiB" || unit == "GiB") << err;
  return amount * (unit == "GiB" ? 1 << 30 : 1 << 20);
}

class Memory : public ::testing::Test {
 protected:
  // What a run takes may be 10 % more than its plan and 16 MiB, or 20 % less and 40 MiB: programs
  // and their libraries are loaded differently.
  // `file_bytes` of a file that is read through its pages, which the kernel takes back, are beside
  // the plan.
  static void expect_as_planned(const Arguments& command, double at_least, double file_bytes = 0) {
    const Outcome outcome = run_ebt(command);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const double planned = planned_bytes(outcome.err);
    const auto peak = static_cast<double>(outcome.peak_bytes);
    EXPECT_GT(planned, at_least);
    EXPECT_LE(peak, 1.1 * planned + (16 << 20) + file_bytes) << outcome.err;
    EXPECT_GE(peak, planned / 1.2 - (40 << 20)) << outcome.err;
  }
  Arguments text_run(const Arguments& more) {
    Arguments all = {"--steps", "1", "--validation-windows", "1", "--overwrite"};
    all.insert(all.end(), more.begin(), more.end());
    return tiny_training(text_, folder_.file("run"), all);
  }

  static constexpr double kMiB = 1 << 20;
  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
};

TEST_F(Memory, OfALargeTextIsAsPlanned) {
  // A file of zeros that takes no place on the disk; most of what is planned is the order of its
  // windows.
  std::filesystem::resize_file(text_, 160 << 20);
  expect_as_planned(text_run({"--context", "16"}), 70 * kMiB, 160 * kMiB);
}

TEST_F(Memory, OfAReplayBufferIsAsPlanned) {
  expect_as_planned(text_run({"--recipe", "s2", "--replay-rows", "5000"}), 80 * kMiB);
}

TEST_F(Memory, OfALongContextIsAsPlanned) {
  expect_as_planned(text_run({"--context", "8192", "--batch", "1", "--validation", "0.3"}),
                    40 * kMiB);
}

TEST_F(Memory, OfAWideModelIsAsPlanned) {
  for (const char* precision : {"fp32", "bf16"}) {
    expect_as_planned(text_run({"--width", "384", "--layers", "4", "--heads", "6", "--context",
                                "64", "--precision", precision}),
                      100 * kMiB);
  }
}

TEST_F(Memory, OfImagesIsAsPlanned) {
  expect_as_planned(tiny_image_training(folder_.file("images"),
                                        {"--steps", "1", "--width", "128", "--layers", "4",
                                         "--batch", "64", "--image-height", "32", "--image-width",
                                         "32", "--validation-images", "1"}),
                    50 * kMiB);
}

}  // namespace
}  // namespace ebt::testing
