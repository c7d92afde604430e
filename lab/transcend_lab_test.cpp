#include "lab/transcend_lab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TranscendLabConfig small_config() {
  TranscendLabConfig config;
  config.deviations = "0.1,2";
  config.temperatures = "1,0";
  config.expert_grid = "1,100";
  config.coverage_grid = "0.2,0.4";
  config.alpha_grid = "0,1";
  config.phrasing_grid = "1";
  config.two_hop_grid = "50,200";
  config.width_grid = "128";
  return config;
}

// Results as if greedy answers were right for a share of 0.9 with many experts and 0.2 with one,
// and of two-hop facts for 0.5 with the bridge and 0.3 without.
std::vector<LabResult> made_up_results(const TranscendLab& lab) {
  std::vector<LabResult> results;
  for (const Job& job : lab.jobs()) {
    nlohmann::json result;
    if (job.parameters["setting"] == "linear") {
      const auto row = [](double deviation, double expert, double model, bool transcends) {
        return nlohmann::json{{"deviation", deviation},
                              {"best_expert", expert},
                              {"temperatures", {1.0, 0.0}},
                              {"accuracies", {0.3, model}},
                              {"transcends", {false, transcends}}};
      };
      result = {{"deviations", {row(0.1, 0.95, 0.94, false), row(2, 0.28, 0.43, true)}}};
    } else {
      const bool many = job.parameters["experts"].get<int64_t>() > 1;
      const double greedy = many ? 0.9 : 0.2;
      result = {{"best_expert", 0.22},
                {"majority", 0.08},
                {"temperatures", {1.0, 0.0}},
                {"accuracies", {0.2, greedy}},
                {"greedy", greedy}};
      if (job.parameters["setting"] == "generalization") {
        result["two_hop"] = {{"majority", 0.1},
                             {"greedy", job.parameters["bridge"].get<bool>() ? 0.5 : 0.3}};
      } else if (job.parameters["learner"] != "transformer_pp") {
        result["judgement"] = {{"by_energy", 0.4},
                               {"by_probability", 0.9},
                               {"auroc_by_energy", 0.6},
                               {"auroc_by_probability", 0.95},
                               {"pooled_auroc_by_energy", 0.55},
                               {"pooled_auroc_by_probability", 0.9},
                               {"right_energies", {-3.0, -2.0, -1.0}},
                               {"wrong_energies", {-1.0, 0.5, 2.0}}};
      }
    }
    results.push_back({job, result});
  }
  return results;
}

Verdict verdict_on(const LabReport& report, const std::string& claim) {
  for (const LabAnswer& answer : report.answers) {
    if (answer.claim == claim) {
      return answer.verdict;
    }
  }
  ADD_FAILURE() << "nobody asks: " << claim;
  return Verdict::kNotMeasured;
}

TEST(TranscendLab, VariesOneThingAtATime) {
  const std::vector<FactRun> runs = fact_runs(small_config());
  std::set<std::string> ids;
  for (const FactRun& run : runs) {
    ids.insert(run.id());
    EXPECT_EQ(FactRun::from(run.parameters()), run);
  }
  EXPECT_EQ(ids.size(), runs.size());
  // Of both learners: denoising by experts and coverage, selection by experts and alpha, and
  // two-hop facts with and without bridge; the base run counts once.
  EXPECT_EQ(runs.size(), 2U * ((2 + 1) + (2 + 1) + 2 * 2));
}

TEST(TranscendLab, AnswersFromWhatItsModelsDid) {
  const TranscendLab lab(small_config());
  const LabReport report = lab.report(made_up_results(lab));
  EXPECT_EQ(verdict_on(report,
                       "A linear model is better than its best expert at low temperature, "
                       "where experts err much"),
            Verdict::kYes);
  EXPECT_EQ(verdict_on(report, "Where they err little, it is not"), Verdict::kYes);
  EXPECT_EQ(verdict_on(report, "denoising: greedy Transformer++ is better than its best expert"),
            Verdict::kYes);
  EXPECT_EQ(verdict_on(report, "denoising: EBT S2 answers more with 100 experts than with 1"),
            Verdict::kYes);
  EXPECT_EQ(
      verdict_on(report, "selection: EBT S2 answers more the more experts keep to what they know"),
      Verdict::kUnclear);
  EXPECT_EQ(verdict_on(report, "generalization: writing the bridge out helps Transformer++"),
            Verdict::kYes);
  EXPECT_EQ(verdict_on(report, "generalization: more two-hop facts help EBT S2"),
            Verdict::kUnclear);
  EXPECT_EQ(verdict_on(report,
                       "The tail of least energy is right more often than that of highest "
                       "probability (EBT S2)"),
            Verdict::kNo);
  const auto energy =
      std::find_if(report.sections.begin(), report.sections.end(),
                   [](const LabSection& section) { return section.name == "energy"; });
  ASSERT_NE(energy, report.sections.end());
  EXPECT_EQ(energy->table.rows.size(), 2U);
}

TEST(TranscendLab, SaysThatNothingIsMeasuredYet) {
  const TranscendLab lab(small_config());
  std::vector<LabResult> none;
  for (const Job& job : lab.jobs()) {
    none.push_back({job, std::nullopt});
  }
  for (const LabAnswer& answer : lab.report(none).answers) {
    EXPECT_EQ(answer.verdict, Verdict::kNotMeasured) << answer.claim;
  }
}

TEST(TranscendLab, RefusesImpossibleSettings) {
  const auto error_of = [](auto change) {
    TranscendLabConfig config = small_config();
    change(config);
    return error_text([&] { TranscendLab lab(config); });
  };
  EXPECT_EQ(error_of([](TranscendLabConfig& config) { config.settings = "denoising,luck"; }),
            "--settings: 'luck' is none of denoising, selection and generalization");
  EXPECT_EQ(error_of([](TranscendLabConfig& config) { config.coverage_grid = "1.5"; }),
            "--coverage-grid: 1.5 is not between 0 and 1");
  EXPECT_EQ(error_of([](TranscendLabConfig& config) { config.width_grid = "60"; }),
            "--width-grid: 60 is not a multiple of 32");
  EXPECT_EQ(error_of([](TranscendLabConfig& config) { config.learners = "gpt"; }),
            "a learner must be transformer_pp, s1 or s2, not 'gpt'");
}

}  // namespace
}  // namespace ebt
