// Files and folders whose names are no UTF-8, as the system allows them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "ebt/data/image/image.h"
#include "ebt/think/text_stream.h"
#include "tests/end_to_end/program.h"
#include "tests/support/image_set.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

const std::string kName = "\xff\xfe";
const std::string kShown = "\\xff\\xfe";

class PathNames : public ::testing::Test {
 protected:
  // Expects success, and UTF-8 on both streams; returns what stdout has.
  static std::string run(const Arguments& arguments) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_TRUE(is_utf8(outcome.out)) << arguments[0];
    EXPECT_TRUE(is_utf8(outcome.err)) << arguments[0];
    return outcome.out;
  }
  static json run_json(Arguments arguments) {
    arguments.emplace_back("--json");
    return json::parse(run(arguments));
  }
  static void expect_utf8_below(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string ending = entry.path().extension();
      if (ending == ".json" || ending == ".jsonl" || ending == ".csv" || ending == ".svg" ||
          ending == ".html") {
        EXPECT_TRUE(is_utf8(read_file(entry.path()))) << entry.path();
      }
    }
  }
  std::string text() { return folder_.write(kName + "/" + kName + ".txt", real_text()); }

  TemporaryFolder folder_;
};

TEST_F(PathNames, OfAnyBytesAreTrainedOnAndResumed) {
  const std::string run_folder = folder_.file(kName + ".run");
  const json trained = run_json(tiny_training(text(), run_folder));
  EXPECT_NE(trained["model"].get<std::string>().find(kShown), std::string::npos) << trained;
  expect_utf8_below(run_folder);
  EXPECT_NE(read_file(run_folder + "/config.json").find("\\\\xff\\\\xfe.txt"), std::string::npos);
  // The stored paths lead to the same files again.
  const Outcome resumed = run_ebt({"train", "--resume", run_folder, "--json"});
  EXPECT_EQ(resumed.err.find("cannot read"), std::string::npos) << resumed.err;
  EXPECT_NE(run({"eval", "--model", run_folder, "--examples", "2"}).find(kShown),
            std::string::npos);
}

TEST_F(PathNames, OfAnyBytesAreMeasuredAndReported) {
  const std::string model = folder_.file(kName);
  run(tiny_training(folder_.write("text.txt", real_text()), model));
  const std::string other = folder_.write(kName + ".other", real_text());
  const std::string results = folder_.file(kName + ".results");
  for (int time = 0; time < 2; ++time) {  // the second goes on from the journal of the first
    const json measured =
        run_json({"eval", "--model", model, "--data", other, "--examples", "2", "--out", results});
    EXPECT_NE(measured["description"].get<std::string>().find(kShown), std::string::npos);
  }
  expect_utf8_below(results);
  const std::string page = folder_.file(kName + ".html");
  run_json({"report", "--model", model, "--data", other, "--windows", "1", "--tokens", "4", "--out",
            page, "--figure", folder_.file(kName + ".svg")});
  expect_utf8_below(folder_.path());
  run_json({"calibrate", "--model", model, "--data", other, "--windows", "40"});
  run({"inspect", "--model", model});
  run_json({"inspect", "--model", model});
  const json written = run_json({"generate", "--model", model, "--tokens", "3", "--prompt", kName});
  EXPECT_NE(written["model"].get<std::string>().find(kShown), std::string::npos);
  expect_utf8_below(folder_.path());
}

TEST_F(PathNames, OfAnyBytesHoldTokenizersAndPreparedData) {
  const std::string prepared = folder_.file(kName + ".prepared");
  run_json({"data", "prepare", "--data", text(), "--out", prepared});
  const json trained = run_json(tiny_training(prepared, folder_.file("model")));
  EXPECT_EQ(trained["finished"], true);
  run_json({"tokenizer", "train", "--data", text(), "--vocab-size", "500", "--out",
            folder_.file(kName + ".model")});
  expect_utf8_below(folder_.path());
}

TEST_F(PathNames, OfAnyBytesAreDenoised) {
  const std::string model = folder_.file("model");
  run(tiny_image_training(model));
  write_image(folder_.file(kName + ".png"), waves(8, 8, 3, 1));
  const json one = run_json({"denoise", folder_.file(kName + ".png"), folder_.file(kName + "o.png"),
                             "--model", model, "--contact-sheet", folder_.file(kName + ".svg")});
  EXPECT_NE(one["out"].get<std::string>().find(kShown), std::string::npos);
  std::filesystem::create_directory(folder_.file("images"));
  std::filesystem::rename(folder_.file(kName + ".png"), folder_.file("images/" + kName + ".png"));
  run({"denoise", folder_.file("images"), folder_.file("cleaned"), "--model", model});
  run_json({"eval", "image", "--model", model, "--data", folder_.file("images"), "--grid", "1",
            "--no-filter", "--out", folder_.file("results")});
  expect_utf8_below(folder_.path());
}

TEST_F(PathNames, OfAnyBytesAreNamedInRefusals) {
  const Outcome outcome =
      run_ebt({"train", "--data", folder_.file(kName), "--out", folder_.file("out")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(is_utf8(outcome.err));
  EXPECT_NE(outcome.err.find(kShown), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out")));
  for (const Arguments& words : {Arguments{kName}, Arguments{"train", "--" + kName},
                                 Arguments{"train", "--size", kName}, Arguments{"data", kName}}) {
    const Outcome refused = run_ebt(words);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(is_utf8(refused.err)) << refused.err;
    EXPECT_NE(refused.err.find(kShown), std::string::npos) << refused.err;
  }
}

}  // namespace
}  // namespace ebt::testing
