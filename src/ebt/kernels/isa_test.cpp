#include "ebt/kernels/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "ebt/core/error.h"

namespace ebt::kernels {
namespace {

// The instruction set is chosen once per process, so every choice is made in a process of its own:
// it exits with the instruction set's number, or prints why there is none and exits with 100.
[[noreturn]] void exit_with_isa(const char* limit) {
  setenv("EBT_MAX_ISA", limit, 1);
  try {
    std::exit(static_cast<int>(active_isa()));
  } catch (const Error& error) {
    fprintf(stderr, "%s\n", error.what());
    std::exit(100);
  }
}

class IsaTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(IsaTest, TheEnvironmentLowersIt) {
  EXPECT_EXIT(exit_with_isa("portable"), ::testing::ExitedWithCode(0), "");
}

TEST_F(IsaTest, TheEnvironmentDoesNotRaiseItAboveWhatThisProcessorRuns) {
  // The predicate runs in this process, so that the child chooses for itself.
  EXPECT_EXIT(
      exit_with_isa("avx512"),
      [](int status) {
        return WIFEXITED(status) && WEXITSTATUS(status) == std::min(static_cast<int>(active_isa()),
                                                                    static_cast<int>(Isa::avx512));
      },
      "");
}

TEST_F(IsaTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_EXIT(exit_with_isa("sse9"), ::testing::ExitedWithCode(100),
              "EBT_MAX_ISA: \"sse9\" is not one of portable, avx2, avx512, avx512_bf16");
}

TEST(Isa, NamesAreTheOnesThatTheEnvironmentTakes) {
  EXPECT_EQ(isa_name(Isa::portable), "portable");
  EXPECT_EQ(isa_name(Isa::avx2), "avx2");
  EXPECT_EQ(isa_name(Isa::avx512), "avx512");
  EXPECT_EQ(isa_name(Isa::avx512_bf16), "avx512_bf16");
}

}  // namespace
}  // namespace ebt::kernels
