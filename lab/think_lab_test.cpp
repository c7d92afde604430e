#include "lab/think_lab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lab/think_findings.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

ThinkLabConfig small_config() {
  ThinkLabConfig config;
  config.puzzles = "brackets,sorting";
  config.ablation = "brackets";
  config.grid = "1,3,8";
  config.candidates = "1,4";
  config.stops = "0,0.1";
  return config;
}

Json point(int steps, double accuracy, double loss) {
  return {{"steps", steps},
          {"candidates", 1},
          {"stop", 0.0},
          {"accuracy", accuracy},
          {"token_accuracy", 0.5},
          {"loss", loss},
          {"passes_per_token", steps + 2.0}};
}

// Results as of models whose accuracy beyond the range of training is 0.1 for a Transformer++, and
// rises from 0.2 to 0.4 with thinking for s2 with all its parts, but not without the random step
// size. Seeds differ a little.
std::vector<LabResult> made_up_results(const ThinkLab& lab) {
  std::vector<LabResult> results;
  for (const Job& job : lab.jobs()) {
    const bool thinks = job.parameters["learner"] != "transformer_pp";
    const bool improves = job.parameters["without"] != "step-size";
    const double noise = 0.01 * job.parameters["seed"].get<double>();
    Json levels = Json::array();
    for (const bool trained : {true, false}) {
      Json points = Json::array();
      if (!thinks) {
        points.push_back({{"accuracy", trained ? 0.9 : 0.1 + noise},
                          {"token_accuracy", 0.5},
                          {"loss", 1.0},
                          {"passes_per_token", 1.0}});
      } else {
        points.push_back(point(1, 0.05, 2));
        points.push_back(point(3, trained ? 0.9 : 0.2 + noise, 1.0));
        points.push_back(point(8,
                               trained    ? 0.9
                               : improves ? 0.4 + 2 * noise
                                          : 0.2 + noise,
                               improves ? 0.5 - noise : 1.0));
      }
      levels.push_back({{"level", trained ? "easy" : "hard"},
                        {"sizes", "1–4"},
                        {"trained", trained},
                        {"points", points}});
    }
    results.push_back({job, nlohmann::json::parse(Json{{"levels", levels}}.dump())});
  }
  return results;
}

const LabAnswer& answer_to(const LabReport& report, const std::string& beginning) {
  static const LabAnswer none;
  const auto found =
      std::find_if(report.answers.begin(), report.answers.end(),
                   [&](const LabAnswer& answer) { return answer.claim.starts_with(beginning); });
  if (found == report.answers.end()) {
    ADD_FAILURE() << "nobody asks: " << beginning;
    return none;
  }
  return *found;
}

TEST(ThinkLab, TrainsEveryLearnerOnEveryPuzzleAndEveryRecipeOnOne) {
  const ThinkLab lab(small_config());
  const std::vector<Job> jobs = lab.jobs();
  EXPECT_EQ(jobs.size(), 3U * (2 * 3 + 4));
  std::set<std::string> ids;
  for (const Job& job : jobs) {
    ids.insert(job.id);
  }
  EXPECT_EQ(ids.size(), jobs.size());
  EXPECT_TRUE(ids.contains("sorting-s1-seed2"));
  EXPECT_TRUE(ids.contains("brackets-s2-without-langevin-seed0"));
  EXPECT_FALSE(ids.contains("sorting-s2-without-langevin-seed0"));
}

TEST(ThinkLab, LeavesOutOnePartAtATime) {
  const TextThinkingConfig full = learner_config("s2").thinking;
  for (const std::string& part : s2_parts()) {
    TextThinkingConfig thinking = full;
    leave_out(part, thinking);
    const Json before = fields_to_json(full);
    const Json after = fields_to_json(thinking);
    int64_t changed = 0;
    for (const auto& [name, value] : before.items()) {
      changed += after[name] != value ? 1 : 0;
    }
    EXPECT_EQ(changed, 1) << part;
  }
  TextThinkingConfig thinking = full;
  EXPECT_EQ(error_text([&] { leave_out("luck", thinking); }),
            "'luck' is no part of the recipe s2 that can be left out");
}

TEST(ThinkLab, AnswersFromWhatItsModelsDid) {
  const ThinkLab lab(small_config());
  const LabReport report = lab.report(made_up_results(lab));
  const LabAnswer& longer =
      answer_to(report, "EBT S2 answers more beyond the range of training when");
  EXPECT_EQ(longer.verdict, Verdict::kYes);
  EXPECT_EQ(longer.evidence, "accuracy +0.210 (standard error 0.004, 6 pairs of models)");
  EXPECT_EQ(answer_to(report, "EBT S2 answers more beyond the range of training than").verdict,
            Verdict::kYes);
  EXPECT_EQ(
      answer_to(report, "The least energy of 4 candidates is the better answer (EBT S2)").verdict,
      Verdict::kNotMeasured);
  EXPECT_EQ(answer_to(report,
                      "Thinking longer lowers the loss beyond the range of training less "
                      "without step-size")
                .verdict,
            Verdict::kYes);
  EXPECT_EQ(answer_to(report,
                      "Thinking longer lowers the loss beyond the range of training less "
                      "without replay")
                .verdict,
            Verdict::kUnclear);
}

TEST(ThinkLab, SaysThatNothingIsMeasuredYet) {
  const ThinkLab lab(small_config());
  std::vector<LabResult> none;
  for (const Job& job : lab.jobs()) {
    none.push_back({job, std::nullopt});
  }
  for (const LabAnswer& answer : lab.report(none).answers) {
    EXPECT_EQ(answer.verdict, Verdict::kNotMeasured) << answer.claim;
  }
}

TEST(ThinkLab, RefusesImpossibleSettings) {
  const auto error_of = [](auto change) {
    ThinkLabConfig config = small_config();
    change(config);
    return error_text([&] { ThinkLab lab(config); });
  };
  EXPECT_EQ(error_of([](ThinkLabConfig& config) { config.ablation = "maze"; }),
            "--ablation: 'maze' is not among the --puzzles brackets,sorting");
  EXPECT_EQ(error_of([](ThinkLabConfig& config) { config.learners = "s3"; }),
            "a learner must be transformer_pp, s1 or s2, not 's3'");
  EXPECT_EQ(error_of([](ThinkLabConfig& config) { config.seeds = 0; }),
            "--seeds: 0 is not at least 1");
  EXPECT_NE(error_of([](ThinkLabConfig& config) { config.puzzles = "chess"; }).find("chess"),
            std::string::npos);
  EXPECT_NE(error_of([](ThinkLabConfig& config) { config.grid = "1,x"; }).find("grid"),
            std::string::npos);
}

}  // namespace
}  // namespace ebt
