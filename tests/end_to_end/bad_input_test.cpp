// Whatever is wrong, the user reads one sentence, and finds nothing half-written.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

// Expects exit code 1, and on stderr one sentence with `part` and one hint.
void expect_refused(const Outcome& outcome, const std::string& part) {
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("ebt: ", 0), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
  EXPECT_NE(outcome.err.find("\nhint: "), std::string::npos) << outcome.err;
}

class BadInput : public ::testing::Test {
 protected:
  // Expects that training is refused, and leaves no folder behind.
  void expect_no_training(const std::string& data, const Arguments& more, const std::string& part,
                          const Limits& limits = {}) {
    expect_refused(run_ebt(tiny_training(data, folder_.file("out"), more), limits), part);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("out")));
  }
  void expect_bad_flag(const Arguments& more, const std::string& part) {
    expect_no_training(text_, more, part);
  }
  // A tiny model to damage.
  std::string model() {
    const Outcome outcome = run_ebt(tiny_training(text_, folder_.file("model")));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return folder_.file("model");
  }
  void expect_no_evaluation(const std::string& part) {
    expect_refused(run_ebt({"eval", "--model", folder_.file("model")}), part);
  }
  // A safetensors file with this header and 64 bytes of data, in place of the model's.
  void write_weights(const std::string& header) {
    const auto size = static_cast<uint64_t>(header.size());
    std::string bytes(sizeof size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    folder_.write("model/model.safetensors", bytes + header + std::string(64, '\0'));
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
};

TEST_F(BadInput, RefusesTextsThatAreNone) {
  expect_no_training(folder_.file("missing.txt"), {}, "missing.txt");
  expect_no_training(folder_.write("empty.txt", ""), {}, "empty");
  expect_no_training(folder_.write("short.txt", "abc"), {}, "short.txt");
  std::filesystem::create_directory(folder_.file("nothing"));
  expect_no_training(folder_.file("nothing"), {}, "nothing");
  expect_no_training(folder_.write("bad.jsonl", "{\"text\": \"a\"}\n{\"text\": 3}\n"), {},
                     "bad.jsonl");
  expect_no_training("/dev/null", {}, "/dev/null");
}

TEST_F(BadInput, RefusesATextItMayNotRead) {
  const std::string secret = folder_.write("secret.txt", real_text());
  chmod(folder_.file("").c_str(), 0777);
  chmod(secret.c_str(), 0);
  expect_no_training(secret, {}, "secret.txt", Limits{.file_bytes = {}, .unprivileged = true});
}

TEST_F(BadInput, RefusesImpossibleFlags) {
  expect_bad_flag({"--heads", "3"}, "heads");
  expect_bad_flag({"--layers", "0"}, "layers");
  expect_bad_flag({"--width", "-16"}, "width");
  expect_bad_flag({"--steps", "0"}, "steps");
  expect_bad_flag({"--steps", "1.5"}, "--steps");
  expect_bad_flag({"--batch", "0"}, "batch");
  expect_bad_flag({"--batch", "99999999999999999999"}, "--batch");
  expect_bad_flag({"--context", "0"}, "context");
  expect_bad_flag({"--seed", "-1"}, "--seed");
  expect_bad_flag({"--threads", "-1"}, "threads");
  expect_bad_flag({"--precision", "fp8"}, "precision");
  expect_bad_flag({"--arch", "rnn"}, "ebt or transformer_pp");
  expect_bad_flag({"--type", "adalnn"}, "adaln_zero");
  expect_bad_flag({"--size", "5xl"}, "5xl");
  expect_bad_flag({"--recipe", "s3"}, "--recipe must be s1 or s2");
  expect_bad_flag({"--learning-rate", "nan"}, "learning-rate");
  expect_bad_flag({"--validation", "1.5"}, "validation");
  expect_bad_flag({"--steps-min", "3", "--steps-max", "2"}, "steps");
  expect_bad_flag({"--no-such-flag"}, "--no-such-flag");
}

TEST_F(BadInput, RefusesConfigFilesItCannotUse) {
  expect_bad_flag({"--config", folder_.file("none.json")}, "none.json");
  expect_bad_flag({"--config", folder_.write("a.json", "{\"stepz\": 3}")}, "stepz");
  expect_bad_flag({"--config", folder_.write("b.json", "{\"beta1\": \"x\"}")}, "beta1");
  expect_bad_flag({"--config", folder_.write("c.json", "[1]")}, "object");
  expect_bad_flag({"--config", folder_.write("d.json", "{\"steps\": 3")}, "d.json");
}

TEST_F(BadInput, RefusesASizeThatCannotFitWithTheEstimate) {
  expect_bad_flag({"--layers", "1000", "--width", "65536"}, "memory");
  expect_bad_flag({"--batch", "1000000", "--micro-batch", "1000000", "--context", "1000"},
                  "memory");
}

TEST_F(BadInput, RefusesCommandsThatLackSomething) {
  expect_refused(run_ebt({}), "no command");
  expect_refused(run_ebt({"trian"}), "trian");
  for (const char* command : {"eval", "calibrate", "generate", "inspect", "report"}) {
    expect_refused(run_ebt({command}), "--model is missing");
    expect_refused(run_ebt({command, "--model", folder_.file("none")}), "none");
  }
  expect_refused(run_ebt({"train", "--resume", folder_.file("none")}), "none");
}

TEST_F(BadInput, RefusesImpossibleRequestsToAModel) {
  const std::string folder = model();
  expect_refused(run_ebt({"eval", "--model", folder, "--think-steps", "-1"}), "think-steps");
  expect_refused(run_ebt({"eval", "--model", folder, "--batch", "0"}), "--batch");
  expect_refused(run_ebt({"eval", "--model", folder, "--split", "test"}), "--split");
  expect_refused(run_ebt({"eval", "--model", folder, "--data", folder_.file("none")}), "none");
  expect_refused(run_ebt({"generate", "--model", folder, "--tokens", "-1"}), "--tokens");
  expect_refused(run_ebt({"generate", "--model", folder, "--temperature", "-1"}), "temperature");
  expect_refused(run_ebt({"generate", "--model", folder, "--top-p", "2"}), "top");
}

TEST_F(BadInput, RefusesDamagedWeights) {
  const std::string file = model() + "/model.safetensors";
  const std::string weights = read_file(file);
  folder_.write("model/model.safetensors", weights.substr(0, weights.size() / 2));
  expect_no_evaluation("model.safetensors");
  folder_.write("model/model.safetensors", "");
  expect_no_evaluation("model.safetensors");
  folder_.write("model/model.safetensors", std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}"));
  expect_no_evaluation("model.safetensors");
  write_weights("{\"a\": ");
  expect_no_evaluation("model.safetensors");
  write_weights(R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})");
  expect_no_evaluation("model.safetensors");
  write_weights(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})");
  expect_no_evaluation("model.safetensors");
  write_weights(R"({"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},)"
                R"("b":{"dtype":"F32","shape":[12],"data_offsets":[16,64]}})");
  expect_no_evaluation("model.safetensors");
  write_weights(R"({"a":{"dtype":"F32","shape":[16],"data_offsets":[0,64]}})");
  expect_no_evaluation("model.safetensors");
  std::filesystem::remove(file);
  expect_no_evaluation("model.safetensors");
}

TEST_F(BadInput, RefusesAModelWhoseConfigIsNotItsOwn) {
  const std::string folder = model();
  std::string config = read_file(folder + "/config.json");
  const size_t width = config.find("\"width\": 16");
  ASSERT_NE(width, std::string::npos);
  folder_.write("model/config.json", config.replace(width, 11, "\"width\": 32"));
  expect_no_evaluation("shape");
  folder_.write("model/config.json", "{\"format_version\": 1, \"model\": {\"layers\": 1e9}}");
  expect_no_evaluation("layers");
  folder_.write("model/config.json", "{");
  expect_no_evaluation("config.json");
}

TEST_F(BadInput, LeavesNoModelBehindOnAFullDisk) {
  const Outcome outcome =
      run_ebt(tiny_training(text_, folder_.file("out")), Limits{.file_bytes = 8192});
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_EQ(outcome.err.rfind("ebt: ", 0), 0U) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out/model.safetensors")));
}

TEST_F(BadInput, KeepsTheLastCheckpointOnAFullDisk) {
  const std::string run = folder_.file("out");
  const Arguments length = {"--steps", "500", "--checkpoint-every", "50"};
  // Room for the weights, which stay as large, but not for ever more metrics.
  const Outcome outcome = run_ebt(tiny_training(text_, run, length), Limits{.file_bytes = 120'000});
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_NE(outcome.err.find("ebt: "), std::string::npos) << outcome.err;
  EXPECT_EQ(run_ebt({"eval", "--model", run}).exit_code, 0);

  ASSERT_EQ(run_ebt({"train", "--resume", run}).exit_code, 0);
  ASSERT_EQ(run_ebt(tiny_training(text_, folder_.file("whole"), length)).exit_code, 0);
  expect_same_run(folder_.file("whole"), run);
}

}  // namespace
}  // namespace ebt::testing
