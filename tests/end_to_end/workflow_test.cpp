// A user's path through the program, from a text to a report.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class Workflow : public TextRuns {};

TEST_F(Workflow, LearnsExamplesAndMeasuresTheirAnswers) {
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    lines += json{{"q", std::to_string(i % 3)}, {"a", std::string(2, "xyz"[i % 3])}}.dump() + "\n";
  }
  const std::string data = folder_.write("examples.jsonl", lines);
  const std::string model = folder_.file("model");
  const json trained = run_ebt_json({"train",
                                     "--data",
                                     data,
                                     "--prompt-field",
                                     "q",
                                     "--text-field",
                                     "a",
                                     "--arch",
                                     "transformer_pp",
                                     "--layers",
                                     "1",
                                     "--width",
                                     "16",
                                     "--heads",
                                     "2",
                                     "--context",
                                     "6",
                                     "--batch",
                                     "8",
                                     "--steps",
                                     "60",
                                     "--learning-rate",
                                     "0.02",
                                     "--out",
                                     model});
  EXPECT_GT(trained["validation"]["loss"], 0);
  const json evaluation = run_ebt_json({"eval", "--model", model});
  EXPECT_EQ(evaluation["description"], "all 6 examples of the validation part of '" + data + "'");
  EXPECT_EQ(evaluation["points"][0]["accuracy"], 1.0);
  EXPECT_EQ(evaluation["points"][0]["tokens"], 6 * 3);
  EXPECT_EQ(run_ebt_json({"eval", "--model", model, "--data", data, "--prompt-field", "q",
                          "--text-field", "a"})["points"][0]["tokens"],
            60 * 3);
  const std::string page = folder_.file("report.html");
  run_ebt_json({"report", "--model", model, "--tokens", "3", "--out", page});
  EXPECT_NE(read_file(page).find("<span class=\"prompt\">"), std::string::npos);
}

TEST_F(Workflow, TrainsEvaluatesGeneratesInspectsAndReports) {
  const std::string model = train("model");
  const json evaluation =
      run_ebt_json({"eval", "--model", model, "--data", text_, "--think-steps", "3"});
  const json& point = evaluation["points"][0];
  const double loss = point["loss"];
  EXPECT_DOUBLE_EQ(point["perplexity"].get<double>(), std::exp(loss));
  EXPECT_EQ(point["tokens"], real_text().size() - 1);
  EXPECT_NEAR(point["bits_per_byte"].get<double>(), loss / std::log(2.0), 1e-9);

  const json generated = run_ebt_json(
      {"generate", "--model", model, "--prompt", "const ", "--tokens", "5", "--think-steps", "2"});
  ASSERT_LE(generated["tokens"].size(), 5U);
  for (const json& token : generated["tokens"]) {
    // One step on the first landscape, two on the last, and where they end.
    EXPECT_EQ(token["energy"].size(), 4U);
  }

  const json inspected = run_ebt_json({"inspect", "--model", model});
  EXPECT_EQ(inspected["step"], 12);
  EXPECT_EQ(inspected["config"]["width"], 16);
  int64_t parameters = 0;
  for (const json& tensor : inspected["tensors"]) {
    parameters += tensor["parameters"].get<int64_t>();
  }
  EXPECT_EQ(inspected["parameters"], parameters);

  const std::string page = folder_.file("report.html");
  const std::string figure = folder_.file("figure.svg");
  const json report = run_ebt_json(
      {"report", "--model", model, "--tokens", "20", "--out", page, "--figure", figure});
  EXPECT_EQ(report["report"], page);
  EXPECT_EQ(read_file(page).rfind("<!doctype html>", 0), 0U);
  EXPECT_EQ(read_file(figure).rfind("<svg", 0), 0U);
}

TEST_F(Workflow, LearnsFromItsText) {
  const std::string model = train("model", {"--steps", "150", "--validate-every", "150"});
  const json evaluation = run_ebt_json({"eval", "--model", model});
  EXPECT_LT(evaluation["points"][0]["loss"].get<double>(), std::log(257.0) - 1);
}

TEST_F(Workflow, TrainsTheBaselineAndEveryKindOfLandscape) {
  const std::string baseline = train("baseline", {"--arch", "transformer_pp"});
  const json evaluation = run_ebt_json({"eval", "--model", baseline});
  EXPECT_EQ(evaluation["points"][0]["arch"], "transformer_pp");
  EXPECT_EQ(run_ebt({"report", "--model", baseline, "--tokens", "5", "--out",
                     folder_.file("baseline.html")})
                .exit_code,
            0);
  train("adaln", {"--type", "adaln"});
  train("adaln-zero", {"--type", "adaln_zero"});
  train("default", {"--type", "default", "--landscapes", "1", "--steps-max", "2"});
}

TEST_F(Workflow, TrainsTheRecipeThatThinksLonger) {
  const std::string model = train("s2", {"--recipe", "s2", "--replay-rows", "8"});
  const json config = run_ebt_json({"inspect", "--model", model})["config"];
  EXPECT_EQ(config["landscapes"], 1);
  EXPECT_EQ(config["steps-max"], 3);
  EXPECT_EQ(config["truncate"], true);
  EXPECT_EQ(config["replay-rows"], 8) << "flags override the recipe";
  EXPECT_EQ(run_ebt_json({"eval", "--model", model})["points"][0]["thinking_steps_per_token"], 3);
}

TEST_F(Workflow, ReadsAConfigFileAsItReadsFlags) {
  const std::string by_flags =
      train("flags", {"--steps-max", "2", "--no-detach", "--beta1", "0.8"});
  const std::string config = folder_.write("config.json", R"({
    "data": ")" + text_ + R"(", "layers": 1, "width": 16, "heads": 2, "context": 16, "batch": 4,
    "steps": 12, "checkpoint-every": 5, "validate-every": 6, "validation-windows": 8, "seed": 99,
    "threads": 1, "steps-max": 2, "detach": false, "beta1": 0.8})");
  const std::string by_file = folder_.file("file");
  const Outcome outcome = run_ebt({"train", "--config", config, "--seed", "3", "--out", by_file});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_run(by_flags, by_file);
}

TEST_F(Workflow, RepeatsARunFromItsStoredConfig) {
  const std::string first = train("first", {"--recipe", "s2", "--replay-rows", "8"});
  const std::string again = folder_.file("again");
  const Outcome outcome = run_ebt({"train", "--config", first + "/config.json", "--out", again});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_run(first, again);
}

TEST_F(Workflow, PrintsTheResultOfTrainingAsOneObject) {
  const json result = run_ebt_json(tiny_training(text_, folder_.file("model")));
  EXPECT_EQ(result["finished"], true);
  EXPECT_EQ(result["step"], 12);
  EXPECT_EQ(result["validation"]["step"], 12);
  EXPECT_TRUE(result["validation"]["loss"].is_number());
}

TEST_F(Workflow, GeneratesTheSameTextFromTheSameSeed) {
  const std::string model = train("model");
  const auto text_of = [&](const std::string& seed) {
    return run_ebt({"generate", "--model", model, "--tokens", "30", "--seed", seed}).out;
  };
  EXPECT_EQ(text_of("1"), text_of("1"));
  EXPECT_NE(text_of("1"), text_of("2"));
}

TEST_F(Workflow, TracesTheEnergyOfEveryToken) {
  const std::string model = train("model");
  const Outcome outcome =
      run_ebt({"generate", "--model", model, "--tokens", "4", "--think-steps", "2", "--trace"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.out.find("energy"), std::string::npos);
  EXPECT_NE(outcome.out.find("->"), std::string::npos);
}

TEST_F(Workflow, GeneratesAsItIsToldToThink) {
  const std::string model = train("model");
  const json result = run_ebt_json({"generate", "--model", model, "--prompt", "ab", "--tokens", "3",
                                    "--echo", "--top-tokens", "2", "--trace", "--candidates", "4",
                                    "--think-steps", "5", "--accept-lower", "--seed", "3"});
  EXPECT_EQ(result["thinking"]["candidates"], 4);
  EXPECT_EQ(result["finish_reason"], "length");
  ASSERT_EQ(result["tokens"].size(), 4U);
  EXPECT_EQ(result["tokens"][0]["token"], 'b');
  EXPECT_EQ(result["tokens"][0]["from_prompt"], true);
  int64_t steps = 0;
  for (const json& token : result["tokens"]) {
    steps += token["thinking_steps"].get<int64_t>();
    EXPECT_EQ(token["thinking_steps"], 4 * 6);
    EXPECT_EQ(token["candidate_energies"].size(), 4U);
    EXPECT_EQ(token["top"].size(), 2U);
    EXPECT_EQ(token["states"].size(), token["energy"].size());
    EXPECT_EQ(token["states"][0]["top"].size(), 2U);
    EXPECT_EQ(token["energy"].back(), *std::min_element(token["candidate_energies"].begin(),
                                                        token["candidate_energies"].end()));
  }
  EXPECT_EQ(result["thinking_steps"], steps);
  const json limited = run_ebt_json({"generate", "--model", model, "--think-budget", "5"});
  EXPECT_EQ(limited["finish_reason"], "budget");
  EXPECT_EQ(limited["thinking_steps"], 5);
}

TEST_F(Workflow, EndsBeforeTheTextThatStopsIt) {
  const std::string model = train("model");
  const std::vector<std::string> command = {"generate", "--model", model, "--tokens", "60"};
  const std::string whole = run_ebt_json(command)["text"];
  // Two letters: what is no UTF-8 is not in the JSON as it was written.
  const auto letters = std::adjacent_find(whole.begin() + 5, whole.end(), [](char a, char b) {
    return a > ' ' && a < 0x7F && b > ' ' && b < 0x7F;
  });
  ASSERT_NE(letters, whole.end());
  const std::string stop(letters, letters + 2);
  std::vector<std::string> stopped = command;
  stopped.insert(stopped.end(), {"--stop", stop});
  const json result = run_ebt_json(stopped);
  EXPECT_EQ(result["finish_reason"], "stop");
  EXPECT_EQ(result["text"], whole.substr(0, whole.find(stop)));
}

TEST_F(Workflow, KeepsARunUnlessToldToOverwriteIt) {
  const std::string model = train("model");
  const std::string weights = read_file(model + "/model.safetensors");
  const Outcome refused = run_ebt(tiny_training(text_, model, {"--seed", "4"}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("--overwrite"), std::string::npos) << refused.err;
  EXPECT_EQ(read_file(model + "/model.safetensors"), weights);

  const Outcome impossible =
      run_ebt(tiny_training(folder_.file("missing"), model, {"--overwrite"}));
  EXPECT_EQ(impossible.exit_code, 1);
  EXPECT_EQ(read_file(model + "/model.safetensors"), weights) << "a refused run cost the old one";

  const Outcome replaced = run_ebt(tiny_training(text_, model, {"--seed", "4", "--overwrite"}));
  EXPECT_EQ(replaced.exit_code, 0) << replaced.err;
  EXPECT_NE(read_file(model + "/model.safetensors"), weights);
}

TEST_F(Workflow, SavesAndSaysHowToGoOnWhenInterrupted) {
  const std::string model = folder_.file("model");
  Program program(tiny_training(text_, model, {"--steps", "1000000"}));
  while (read_file(model + "/metrics.jsonl").empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("ebt train --resume " + model), std::string::npos) << outcome.err;
  const json last = metrics_without_clock(model).back();
  EXPECT_EQ(run_ebt_json({"inspect", "--model", model})["step"], last["step"]);
}

TEST_F(Workflow, EvaluatesTheSplitThatIsAskedFor) {
  const std::string model = train("model");
  const json validation = run_ebt_json({"eval", "--model", model});
  const json same =
      run_ebt_json({"eval", "--model", model, "--data", text_, "--split", "validation"});
  const json all = run_ebt_json({"eval", "--model", model, "--data", text_});
  EXPECT_EQ(validation["points"], same["points"]);
  EXPECT_LT(validation["points"][0]["tokens"].get<int64_t>(),
            all["points"][0]["tokens"].get<int64_t>());
}

TEST(Help, TeachesEveryCommand) {
  for (const char* command : {"train", "eval", "calibrate", "generate", "inspect", "report"}) {
    const Outcome outcome = run_ebt({command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_NE(outcome.out.find("Examples:"), std::string::npos) << command;
    EXPECT_NE(outcome.out.find("--json"), std::string::npos) << command;
  }
}

}  // namespace
}  // namespace ebt::testing
