#include "ebt/io/available_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::TemporaryFolder;

TEST(AvailableMemory, IsSomeButNotMoreThanTheMachineHas) {
  const auto available = available_memory_bytes();
  ASSERT_TRUE(available.has_value());
  EXPECT_GT(*available, size_t{1} << 20U);
  const auto physical =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  EXPECT_LE(*available, physical);
}

// A machine that says what the files below say.
class Machine {
 public:
  Machine() { write("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:  8000 kB\nBuffers: 5 kB\n"); }
  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    folder_.write(name, text);
  }
  // A group below /sys/fs/cgroup.
  void version2(const std::string& group, const char* most, const char* current, int idle) {
    write("sys/fs/cgroup/" + group + "/memory.max", most);
    write("sys/fs/cgroup/" + group + "/memory.current", current);
    write("sys/fs/cgroup/" + group + "/memory.stat",
          "anon 1\ninactive_file " + std::to_string(idle) + "\nactive_file 77\n");
  }
  void version1(const std::string& group, const char* limit, const char* usage, int idle) {
    write("sys/fs/cgroup/memory/" + group + "/memory.limit_in_bytes", limit);
    write("sys/fs/cgroup/memory/" + group + "/memory.usage_in_bytes", usage);
    write("sys/fs/cgroup/memory/" + group + "/memory.stat",
          "inactive_file 3\ntotal_inactive_file " + std::to_string(idle) + "\n");
  }
  std::optional<size_t> available() const { return available_memory_bytes(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

constexpr char kMountOfVersion2[] =
    "24 1 0:22 / /proc rw - proc proc rw\n"
    "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(AvailableMemory, IsWhatTheKernelEstimatesWithoutGroups) {
  Machine machine;
  EXPECT_EQ(machine.available(), 8'192'000U);
  machine.write("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\nnonsense\n");
  machine.write("proc/self/cgroup", "nonsense\n0::/\n");
  EXPECT_EQ(machine.available(), 8'192'000U);
}

TEST(AvailableMemory, IsTheLeastThatGroupsOfVersion2HaveLeft) {
  Machine machine;
  machine.write("proc/self/mountinfo", kMountOfVersion2);
  machine.write("proc/self/cgroup", "0::/user.slice/job.scope\n");
  machine.version2("", "max\n", "5\n", 0);
  machine.version2("user.slice", "max\n", "7000000\n", 0);
  machine.version2("user.slice/job.scope", "5000000\n", "3000000\n", 1000000);
  EXPECT_EQ(machine.available(), 3'000'000U);  // file pages that lie idle count as left
  machine.version2("user.slice", "7100000\n", "7000000\n", 0);
  EXPECT_EQ(machine.available(), 100'000U);  // an ancestor has less
  machine.version2("user.slice", "6000000\n", "7000000\n", 0);
  EXPECT_EQ(machine.available(), 0U);
}

TEST(AvailableMemory, IsTheLeastThatGroupsOfVersion1HaveLeft) {
  Machine machine;
  machine.write("proc/self/mountinfo",
                "40 30 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                "41 30 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  machine.write("proc/self/cgroup", "5:cpu,cpuacct:/elsewhere\n4:memory:/jobs/one\n0::/\n");
  machine.version1("", "9223372036854771712\n", "6000000\n", 0);
  machine.version1("jobs", "9223372036854771712\n", "6000000\n", 0);
  EXPECT_EQ(machine.available(), 8'192'000U);
  machine.version1("jobs/one", "4000000\n", "3000000\n", 500000);
  EXPECT_EQ(machine.available(), 1'500'000U);
  machine.version1("jobs", "6200000\n", "6000000\n", 0);
  EXPECT_EQ(machine.available(), 200'000U);
}

// A container mounts its own group as the root, and may go by the name it has outside.
TEST(AvailableMemory, FindsTheGroupOfAContainer) {
  Machine machine;
  machine.write("proc/self/mountinfo",
                "41 30 0:33 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  machine.write("proc/self/cgroup", "4:memory:/docker/abc/inner\n");
  machine.version1("", "4000000\n", "3000000\n", 0);
  EXPECT_EQ(machine.available(), 1'000'000U);
  machine.version1("inner", "900000\n", "400000\n", 0);
  EXPECT_EQ(machine.available(), 500'000U);
  machine.write("proc/self/cgroup", "4:memory:/somewhere/else\n");
  EXPECT_EQ(machine.available(), 1'000'000U);
}

// In a process of its own: limits cannot be taken back.
TEST(AvailableMemory, IsNoMoreThanTheLimitsOfTheProcess) {
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    const pid_t child = fork();
    if (child == 0) {
      constexpr size_t kLimit = size_t{3} << 30U;
      const rlimit limit{kLimit, kLimit};
      setrlimit(resource, &limit);
      const std::vector<char> held(size_t{256} << 20U);
      const auto available = available_memory_bytes();
      _exit(available && *available <= kLimit - held.size() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

TEST(HeldMemory, GrowsWithWhatIsTaken) {
  const size_t before = held_memory_bytes();
  const std::vector<char> taken(size_t{64} << 20U, 1);
  EXPECT_GE(held_memory_bytes(), before + taken.size() / 2);
}

}  // namespace
}  // namespace ebt
