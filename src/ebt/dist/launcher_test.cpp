#include "ebt/dist/launcher.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using Environment = std::map<std::string, std::string>;

std::optional<Launch> launch_in(const Environment& environment) {
  return find_launch([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

void expect_launch(const Environment& environment, const char* launcher, int rank, int size) {
  const std::optional<Launch> launch = launch_in(environment);
  ASSERT_TRUE(launch.has_value());
  EXPECT_EQ(launch->launcher, launcher);
  EXPECT_EQ(launch->rank, rank);
  EXPECT_EQ(launch->size, size);
}

TEST(Launcher, IsFoundByWhatItLeavesInTheEnvironment) {
  expect_launch({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}}, "mpirun", 1, 2);
  expect_launch({{"PMI_RANK", "0"}, {"PMI_SIZE", "16"}}, "mpiexec", 0, 16);
  expect_launch({{"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}, {"PMIX_RANK", "3"}}, "srun",
                3, 4);
}

TEST(Launcher, IsTheInnermostOfThoseThatStartedOneAnother) {
  expect_launch({{"SLURM_PROCID", "0"},
                 {"SLURM_STEP_NUM_TASKS", "2"},
                 {"OMPI_COMM_WORLD_RANK", "5"},
                 {"OMPI_COMM_WORLD_SIZE", "8"}},
                "mpirun", 5, 8);
}

TEST(Launcher, IsNoneWithoutOneAndInTheScriptOfASlurmJob) {
  EXPECT_FALSE(launch_in({}).has_value());
  EXPECT_FALSE(launch_in({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).has_value());
}

TEST(Launcher, RefusesNumbersThatMakeNoSense) {
  EXPECT_EQ(testing::error_text([] {
              launch_in({{"PMI_RANK", "x"}, {"PMI_SIZE", "2"}});
            }),
            "PMI_RANK: 'x' is not a number of processes");
  EXPECT_EQ(testing::error_text([] {
              launch_in({{"PMI_RANK", "2"}, {"PMI_SIZE", "2"}});
            }),
            "PMI_RANK=2 is not below PMI_SIZE=2");
}

}  // namespace
}  // namespace ebt
