#include "lab/scale_lab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

ScaleLabConfig small_config() {
  ScaleLabConfig config;
  config.step_grid = "10,20,40,80";
  config.batch_grid = "2,4,8";
  config.width_grid = "32,64";
  config.layer_grid = "1,2,3";
  config.steps = 20;
  config.batch = 4;
  config.width = 32;
  config.layers = 1;
  return config;
}

// Losses fall with tokens as 8 t^-0.1 for the baseline, and as 20 t^-0.2 for s1.
std::vector<LabResult> made_up_results(const ScaleLab& lab) {
  std::vector<LabResult> results;
  for (const Job& job : lab.jobs()) {
    const double tokens =
        job.parameters["steps"].get<double>() * job.parameters["batch"].get<double>() * 100;
    const bool thinks = job.parameters["learner"] == "s1";
    const double loss = thinks ? 20 * std::pow(tokens, -0.2) : 8 * std::pow(tokens, -0.1);
    results.push_back({job, nlohmann::json{{"loss", loss},
                                           {"tokens", tokens},
                                           {"parameters", job.parameters["width"].get<double>()},
                                           {"batch", job.parameters["batch"].get<double>()},
                                           {"layers", job.parameters["layers"].get<double>()},
                                           {"flops", tokens * (thinks ? 6e6 : 1e6)},
                                           {"seconds", tokens * (thinks ? 6e-3 : 1e-3)}}});
  }
  return results;
}

TEST(ScaleLab, VariesOneThingAtATimeAndSharesWhatIsTheSame) {
  const ScaleLab lab(small_config());
  const std::vector<Job> jobs = lab.jobs();
  // Of each learner 4 + 3 + 2 + 3 runs, of which one is the same on all four axes.
  EXPECT_EQ(jobs.size(), 2U * (4 + 3 + 2 + 3 - 3));
  for (size_t i = 1; i < jobs.size(); ++i) {
    EXPECT_LE(jobs[i - 1].parameters["steps"].get<int64_t>() *
                  jobs[i - 1].parameters["batch"].get<int64_t>() *
                  jobs[i - 1].parameters["width"].get<int64_t>() *
                  jobs[i - 1].parameters["layers"].get<int64_t>(),
              jobs[i].parameters["steps"].get<int64_t>() *
                  jobs[i].parameters["batch"].get<int64_t>() *
                  jobs[i].parameters["width"].get<int64_t>() *
                  jobs[i].parameters["layers"].get<int64_t>());
  }
}

TEST(ScaleLab, FindsTheSlopesAndWhereTheyMeet) {
  const ScaleLab lab(small_config());
  const LabReport report = lab.report(made_up_results(lab));
  const LabAnswer& data = report.answers[0];
  EXPECT_EQ(data.claim, "EBT S1 gains more from more training tokens than Transformer++");
  EXPECT_EQ(data.verdict, Verdict::kYes);
  // 20 t^-0.2 = 8 t^-0.1 at t = 2.5^10 = 9537.
  EXPECT_NE(data.evidence.find("slopes 0.2000 and 0.1000, ratio 2.00"), std::string::npos)
      << data.evidence;
  EXPECT_NE(data.evidence.find("they meet at 9.54k training tokens"), std::string::npos)
      << data.evidence;
  const auto seconds = std::find_if(
      report.answers.begin(), report.answers.end(),
      [](const LabAnswer& answer) { return answer.claim.find("seconds") != std::string::npos; });
  ASSERT_NE(seconds, report.answers.end());
  // 20 (x / 6e-3)^-0.2 = 8 (x / 1e-3)^-0.1: x = 6e-3 * 2.5^10 * 6 = 343 s.
  EXPECT_NE(seconds->evidence.find("they meet at 5 min 43 s"), std::string::npos)
      << seconds->evidence;
  // Widths are too few for a fit.
  EXPECT_EQ(report.answers[2].verdict, Verdict::kNotMeasured);
  EXPECT_EQ(report.sections[0].name, "slopes");
}

TEST(ScaleLab, SaysThatNothingIsMeasuredYet) {
  const ScaleLab lab(small_config());
  std::vector<LabResult> none;
  for (const Job& job : lab.jobs()) {
    none.push_back({job, std::nullopt});
  }
  for (const LabAnswer& answer : lab.report(none).answers) {
    EXPECT_EQ(answer.verdict, Verdict::kNotMeasured) << answer.claim;
  }
}

TEST(ScaleLab, RefusesImpossibleSettings) {
  const auto error_of = [](auto change) {
    ScaleLabConfig config = small_config();
    change(config);
    return error_text([&] { ScaleLab lab(config); });
  };
  EXPECT_EQ(error_of([](ScaleLabConfig& config) { config.width_grid = "32,50"; }),
            "--width-grid: 50 is not a multiple of 32");
  EXPECT_EQ(error_of([](ScaleLabConfig& config) { config.learners = "s1"; }),
            "--learners: two are compared, not 1");
  EXPECT_EQ(error_of([](ScaleLabConfig& config) { config.seeds = 0; }),
            "--seeds: 0 is not at least 1");
}

}  // namespace
}  // namespace ebt
