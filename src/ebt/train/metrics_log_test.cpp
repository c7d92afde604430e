#include "ebt/train/metrics_log.h"

#include <gtest/gtest.h>

#include "ebt/io/file.h"
#include "tests/support/error_text.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::FileSizeLimit;
using testing::TemporaryFolder;

std::string text_of(const std::string& path) { return read_text_file(path, 1'000'000); }

TEST(MetricsLog, AppendsOneObjectPerLine) {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  {
    MetricsLog log(path, 0);
    log.write({{"step", 1}, {"loss", 2.5}});
  }
  MetricsLog log(path, 1);
  log.write({{"step", 2}, {"loss", std::nan("")}});
  log.sync();
  EXPECT_EQ(text_of(path), "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":null}\n");
}

TEST(MetricsLog, DropsTheLinesThatARunWillRepeat) {
  const TemporaryFolder folder;
  const std::string kept = "{\"step\":9}\n{\"step\":10}\n{\"step\":10,\"val_loss\":1}\n";
  const std::string path = folder.write("m.jsonl", kept + "{\"step\":11}\n{\"step\":12}\n");
  const MetricsLog log(path, 10);
  EXPECT_EQ(text_of(path), kept);
}

TEST(MetricsLog, DropsALineThatWasCutOff) {
  const TemporaryFolder folder;
  for (const char* const damaged : {"{\"step\":2", "{\"step\":2}", "\n", "{\"st\n", "[2]\n"}) {
    const std::string path = folder.write("m.jsonl", std::string("{\"step\":1}\n") + damaged);
    const MetricsLog log(path, 5);
    EXPECT_EQ(text_of(path), "{\"step\":1}\n") << damaged;
  }
}

TEST(MetricsLog, CountsTheLinesOfTheStepThatItGoesOnFrom) {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("m.jsonl", "{\"step\":9}\n{\"step\":10}\n{\"step\":10,\"val_loss\":1}\n");
  EXPECT_EQ(MetricsLog(path, 10).lines_of_step(), 2);
  EXPECT_EQ(MetricsLog(path, 11).lines_of_step(), 0);
  EXPECT_EQ(MetricsLog(path, 9).lines_of_step(), 1);
}

TEST(MetricsLog, SaysWhatItCannotWrite) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_text([&] { MetricsLog log(folder.file("none/m.jsonl"), 0); }),
            "cannot write '" + folder.file("none/m.jsonl") + "': No such file or directory");
  const std::string path = folder.file("m.jsonl");
  MetricsLog log(path, 0);
  const FileSizeLimit limit(16);
  log.write({{"step", 1}});
  log.sync();
  log.write({{"step", 2}});
  EXPECT_EQ(error_text([&] { log.sync(); }), "cannot write '" + path + "': File too large");
}

TEST(MetricsLog, LosesNoLineWhileTheDiskIsFull) {
  const TemporaryFolder folder;
  const std::string path = folder.file("m.jsonl");
  MetricsLog log(path, 0);
  {
    const FileSizeLimit limit(16);
    log.write({{"step", 1}});
    log.write({{"step", 2}});  // of which there is room for a part
    log.write({{"step", 3}});
  }
  log.write({{"step", 4}});
  log.sync();
  EXPECT_EQ(text_of(path), "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
}

}  // namespace
}  // namespace ebt
