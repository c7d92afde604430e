// `ebt eval` on tasks and `ebt calibrate`, on tiny models.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

constexpr char kLambada[] =
    "{\"text\": \"const std::string the text\"}\n"
    "{\"text\": \"a function returns a value\"}\n"
    "{\"text\": \"namespace of the engine\"}\n";
constexpr char kGsm8k[] =
    "{\"question\": \"1 + 1?\", \"answer\": \"Two.\\n#### 2\"}\n"
    "{\"question\": \"2 + 3?\", \"answer\": \"Five.\\n#### 5\"}\n"
    "{\"question\": \"3 + 4?\", \"answer\": \"Seven.\\n#### 7\"}\n";
constexpr char kBigbench[] = R"({"examples": [
    {"input": "( [", "target": ") ]"}, {"input": "{ {", "target": ["} }", "}}"]}]})";
constexpr char kChoices[] = R"({"examples": [
    {"input": "which word?", "target_scores": {"the": 1, "xqzvw": 0}},
    {"input": "which letter?", "target_scores": {"a": 1, "zzzzz": 0}}]})";

// Models are trained once for all tests.
class EvaluationProgram : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    models_ = std::make_unique<TemporaryFolder>();
    text_ = models_->write("text.txt", real_text());
    const Arguments longer = {"--steps", "60", "--validate-every", "60"};
    train("model", longer);
    Arguments baseline = {"--arch", "transformer_pp", "--validation-windows", "0"};
    baseline.insert(baseline.end(), longer.begin(), longer.end());
    train("baseline", baseline);
  }
  static void TearDownTestSuite() { models_.reset(); }

  static void train(const std::string& name, const Arguments& more) {
    const Outcome outcome = run_ebt(tiny_training(text_, models_->file(name), more));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  static std::string model() { return models_->file("model"); }
  static std::string baseline() { return models_->file("baseline"); }

  static Arguments eval(const Arguments& more) {
    Arguments arguments = {"eval", "--model", model(), "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static void expect_refused(const Arguments& arguments, const std::string& part) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }

  static std::unique_ptr<TemporaryFolder> models_;
  static std::string text_;
  TemporaryFolder folder_;
};

std::unique_ptr<TemporaryFolder> EvaluationProgram::models_;
std::string EvaluationProgram::text_;

TEST_F(EvaluationProgram, MeasuresATextOverAGridBesideABaseline) {
  const std::string out = folder_.file("results");
  const json result = run_ebt_json(eval({"--examples", "12", "--grid", "1,3", "--candidates-grid",
                                         "1,2", "--baseline", baseline(), "--out", out}));
  ASSERT_EQ(result["points"].size(), 5U);
  std::vector<double> passes;
  for (const json& point : result["points"]) {
    EXPECT_EQ(point["tokens"], result["points"][0]["tokens"]);
    EXPECT_GT(point["perplexity"].get<double>(), 1);
    EXPECT_LT(point["perplexity"].get<double>(), 400);
    passes.push_back(point["forward_passes_per_token"]);
  }
  EXPECT_LT(passes[0], passes[1]);
  EXPECT_LT(passes[1], passes[3]);
  EXPECT_EQ(passes[4], 1) << "a Transformer++ needs a pass for a token";
  EXPECT_GT(result["points"][3]["thinking_steps_per_token"].get<double>(),
            2 * result["points"][0]["thinking_steps_per_token"].get<double>());
  for (const char* name :
       {"eval-text.csv", "eval-text.json", "eval-text.svg", "eval-text-energy.svg",
        "baseline-text.jsonl", "model-text-steps-3-candidates-2-stop-0.jsonl"}) {
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(out) / name)) << name;
  }
  EXPECT_EQ(json::parse(read_file(out + "/eval-text.json"))["points"], result["points"]);
  EXPECT_NE(read_file(out + "/eval-text.svg").find("Transformer++"), std::string::npos);
}

TEST_F(EvaluationProgram, AgreesWithTheValidationOfTraining) {
  const json last = metrics_without_clock(baseline()).back();
  const json point =
      run_ebt_json({"eval", "--model", baseline(), "--precision", "fp32"})["points"][0];
  ASSERT_TRUE(last.contains("val_loss"));
  EXPECT_EQ(point["tokens"], last["val_tokens"]);
  EXPECT_NEAR(point["loss"].get<double>(), last["val_loss"].get<double>(), 0.02);
  EXPECT_NEAR(point["bits_per_byte"].get<double>(), last["val_bits_per_byte"].get<double>(), 0.03);
}

TEST_F(EvaluationProgram, DoesNotDependOnWhatRunsAtTheSameTime) {
  const Arguments some = {"--examples", "9", "--grid", "2", "--candidates", "2"};
  const auto points = [&](const Arguments& more) {
    Arguments arguments = {"eval", "--model", model()};
    arguments.insert(arguments.end(), some.begin(), some.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_ebt_json(arguments)["points"];
  };
  const json alone = points({"--batch", "1", "--threads", "1"});
  EXPECT_EQ(alone, points({"--batch", "5", "--threads", "1"}));
  EXPECT_EQ(alone, points({"--batch", "16", "--threads", "2"}));
  EXPECT_NE(alone, points({"--seed", "1"}));
}

TEST_F(EvaluationProgram, GoesOnWhereItWasKilled) {
  const Arguments some = {"--data", text_, "--grid", "2,3", "--batch", "2"};
  const auto with_out = [&](const std::string& out) {
    Arguments arguments = eval(some);
    arguments.insert(arguments.end(), {"--out", out});
    return arguments;
  };
  const std::string killed = folder_.file("killed");
  const std::string journal = killed + "/model-text-steps-2-candidates-1-stop-0.jsonl";
  {
    Program program(with_out(killed));
    while (read_file(journal).size() < 2000) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    program.send(SIGKILL);
    program.wait();
  }
  const std::string begun = read_file(journal);
  const json resumed = run_ebt_json(with_out(killed));
  EXPECT_EQ(read_file(journal).rfind(begun.substr(0, begun.rfind('\n') + 1), 0), 0U);
  EXPECT_EQ(resumed["points"], run_ebt_json(eval(some))["points"]);
  Arguments other = with_out(killed);
  other.insert(other.end(), {"--examples", "3"});
  expect_refused(other, "another \"task\"");
}

TEST_F(EvaluationProgram, AsksForLastWordsAnswersAndChoices) {
  const auto point = [&](const std::string& task, const std::string& text, const Arguments& more) {
    Arguments arguments = eval({"--task", task, "--data", folder_.write(task, text)});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_ebt_json(arguments)["points"][0];
  };
  const json lambada = point("lambada", kLambada, {});
  EXPECT_EQ(lambada["asked"], 3);
  EXPECT_EQ(lambada["tokens"], 5 + 6 + 7);
  const double word_nats = lambada["loss"].get<double>() * 18 / 3;
  EXPECT_NEAR(lambada["perplexity"].get<double>(), std::exp(word_nats), 1e-6 * std::exp(word_nats));

  const json gsm8k = point("gsm8k", kGsm8k, {"--shots", "1", "--answer-tokens", "20"});
  EXPECT_EQ(gsm8k["examples"], 2);
  EXPECT_EQ(gsm8k["tokens"], 13 + 14);
  EXPECT_TRUE(gsm8k["exact_match"].is_number());
  EXPECT_FALSE(point("gsm8k", kGsm8k, {"--answer-tokens", "0"}).contains("exact_match"));

  EXPECT_EQ(point("bigbench", kBigbench, {"--answer-tokens", "8"})["asked"], 2);
  const json choices = point("bigbench", kChoices, {});
  EXPECT_EQ(choices["accuracy"], 1) << "short and common beats long and rare";
}

// The published files, where they lie beside the project.
TEST_F(EvaluationProgram, ReadsThePublishedFiles) {
  const std::filesystem::path folder = std::filesystem::path(EBT_SOURCE_DIR) / "../shared/data";
  struct Published {
    const char *task, *file, *description;
    int64_t asked;
  };
  int64_t measured = 0;
  for (const Published& published :
       {Published{"text", "wikitext2_valid.txt", "windows of", 0},
        Published{"lambada", "lambada_test.jsonl", "7 of the 5153 passages", 7},
        Published{"gsm8k", "gsm8k_test.jsonl", "7 of the 1319 problems", 7},
        Published{"bigbench", "bbh_dyck_languages.json", "7 of the 250 questions", 7}}) {
    const std::filesystem::path file = folder / published.file;
    if (!std::filesystem::exists(file)) {
      continue;
    }
    ++measured;
    Arguments arguments = eval({"--task", published.task, "--data", file.string(), "--examples",
                                "7", "--grid", "1", "--baseline", baseline()});
    if (published.task == std::string("gsm8k") || published.task == std::string("bigbench")) {
      arguments.insert(arguments.end(), {"--answer-tokens", "6"});
    }
    const json result = run_ebt_json(arguments);
    EXPECT_NE(result["description"].get<std::string>().find(published.description),
              std::string::npos)
        << result["description"];
    ASSERT_EQ(result["points"].size(), 2U) << published.task;
    for (const json& point : result["points"]) {
      EXPECT_EQ(point["examples"], 7) << published.task;
      EXPECT_GT(point["loss"].get<double>(), 1) << published.task;
      EXPECT_LT(point["loss"].get<double>(), 12) << published.task;
      EXPECT_EQ(point.value("asked", 0), published.asked) << published.task;
    }
  }
  if (measured == 0) {
    GTEST_SKIP() << "no data sets in " << folder;
  }
}

TEST_F(EvaluationProgram, RefusesWhatItCannotMeasure) {
  expect_refused(eval({"--task", "chess"}), "--task must be text, lambada, gsm8k or bigbench");
  expect_refused(eval({"--task", "lambada"}), "--data is missing");
  expect_refused(eval({"--task", "lambada", "--data", folder_.write("x", "{}")}),
                 "line 1 of '" + folder_.file("x") + "' has no \"text\"");
  expect_refused(eval({"--shots", "2"}), "--shots is for gsm8k and bigbench, not text");
  expect_refused(eval({"--task", "gsm8k", "--data", text_, "--split", "all"}),
                 "--split is for --task text");
  expect_refused(eval({"--grid", "1,x"}), "--grid must be whole numbers from 1");
  expect_refused(eval({"--baseline", model()}), "is no Transformer++");
  expect_refused(eval({"--out", text_}), "cannot make the folder");
  expect_refused(eval({"--examples", "-1"}), "--examples must be at least 0");
}

TEST_F(EvaluationProgram, CalibratesAndStoresIt) {
  const std::string copy = folder_.file("model");
  std::filesystem::copy(model(), copy);
  const std::string figure = folder_.file("reliability.svg");
  const json result = run_ebt_json({"calibrate", "--model", copy, "--data", text_, "--windows",
                                    "60", "--think-steps", "2", "--figure", figure});
  const json stored = json::parse(read_file(copy + "/calibration.json"));
  EXPECT_EQ(stored["knots"], result["knots"]);
  EXPECT_EQ(stored["thinking"]["think-steps"], 2);
  EXPECT_EQ(stored["fitted_tokens"], 30 * 16);
  EXPECT_EQ(stored["held_out_tokens"], 30 * 16);
  for (const char* claim : {"certainty", "softmax"}) {
    EXPECT_LT(stored[claim]["calibration_error"].get<double>(), 0.5) << claim;
    EXPECT_GT(stored[claim]["auroc"].get<double>(), 0) << claim;
  }
  EXPECT_EQ(read_file(figure).rfind("<svg", 0), 0U);
  EXPECT_EQ(run_ebt_json({"calibrate", "--model", copy, "--data", text_, "--windows", "60",
                          "--think-steps", "2", "--batch", "3"})["knots"],
            result["knots"]);
}

TEST_F(EvaluationProgram, CalibratesNothingWithoutEnergyOrText) {
  expect_refused({"calibrate", "--model", baseline()}, "which has no energy");
  expect_refused({"calibrate", "--model", model(), "--windows", "2"}, "the text is too short");
  EXPECT_FALSE(std::filesystem::exists(model() + "/calibration.json"));
}

}  // namespace
}  // namespace ebt::testing
