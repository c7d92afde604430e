// The quick versions of the experiments, run as a user would: each must come out in the direction
// that is known, and leave what it promises.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <utility>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class Experiments : public ::testing::Test {
 protected:
  // Runs an experiment in `name`, and again, which must change nothing.
  json run_quick(const std::string& lab, const Arguments& more = {}) {
    Arguments arguments = {"lab", lab, "--quick", "--out", folder_.file(lab)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const json summary = run_ebt_json(arguments);
    EXPECT_EQ(summary["done"], summary["jobs"]);
    EXPECT_TRUE(summary["failures"].empty()) << summary["failures"];
    EXPECT_EQ(run_ebt_json(arguments), summary);
    EXPECT_EQ(json::parse(read_file(folder_.path() / lab / "summary.json")), summary);
    EXPECT_NE(read_file(folder_.path() / lab / "report.html").find("</html>"), std::string::npos);
    return summary;
  }
  // The answer to the claim that begins so.
  static json answer_to(const json& summary, const std::string& beginning) {
    for (const json& answer : summary["answers"]) {
      if (answer["claim"].get<std::string>().starts_with(beginning)) {
        return answer;
      }
    }
    ADD_FAILURE() << "nobody asks: " << beginning;
    return {};
  }
  // "0.512 ± 0.013" or "0.512".
  static double number(const json& cell) {
    return std::strtod(cell.get<std::string>().c_str(), nullptr);
  }

  TemporaryFolder folder_;
};

TEST_F(Experiments, ModelsTranscendTheirExperts) {
  const json summary = run_quick("transcend");
  EXPECT_EQ(answer_to(summary, "A linear model is better than its best expert")["verdict"], "yes");
  EXPECT_EQ(answer_to(summary, "Where they err little")["verdict"], "yes");
  EXPECT_EQ(answer_to(summary, "denoising: greedy Transformer++ is better than")["verdict"], "yes");
  EXPECT_EQ(answer_to(summary, "denoising: Transformer++ answers more with 50 experts")["verdict"],
            "yes");
  // At temperature 1 a model says what its experts say, at 0 what most of them do.
  std::map<std::pair<std::string, std::string>, double> accuracy;
  for (const json& row : summary["tables"]["denoising-experts"]) {
    accuracy[{row["curve"], row["experts"]}] = number(row["accuracy"]);
  }
  const double drawn = accuracy[std::pair("Transformer++, temperature 1", "50")];
  EXPECT_LT(drawn, 0.5);
  EXPECT_GT(accuracy[std::pair("Transformer++, greedy", "50")], drawn + 0.2);
}

TEST_F(Experiments, ModelsThinkAboutPuzzles) {
  const json summary = run_quick("think");
  // Of s2 one step is less than training ever took, three are what it learned to take.
  const json& steps = summary["tables"]["points"];
  std::map<std::string, double> loss;  // by steps
  for (const json& row : steps) {
    if (row["learner"] == "s2" && row["candidates"] == "1" && row["stop"] == "0" &&
        row["trained"] == "yes") {
      loss[row["steps"]] += number(row["loss"]);
    }
  }
  EXPECT_LT(loss["3"], loss["1"]);
  double within = 0;
  double beyond = 0;
  for (const json& row : steps) {
    if (row["learner"] == "transformer_pp") {
      (row["trained"] == "yes" ? within : beyond) +=
          number(row["loss"]) / (row["trained"] == "yes" ? 3 : 2);
    }
  }
  EXPECT_LT(within, beyond);
  const std::string folder = folder_.file("think");
  const json comparison = run_ebt_json({"lab", "compare", folder, folder});
  EXPECT_TRUE(comparison["settings"].empty());
  EXPECT_EQ(comparison["answers"].size(), summary["answers"].size());
}

TEST_F(Experiments, ModelsGetBetterWithMoreOfEverything) {
  const json summary = run_quick("scale");
  for (const json& row : summary["tables"]["slopes"]) {
    if (row["x"] == "training tokens" || row["x"] == "floating-point operations") {
      EXPECT_GT(number(row["slope of EBT S1"]), 0) << row;
      EXPECT_GT(number(row["slope of Transformer++"]), 0) << row;
    }
  }
}

TEST_F(Experiments, AreRefusedWhereImpossible) {
  const auto error_of = [](const Arguments& arguments) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    return outcome.err.substr(0, outcome.err.find('\n'));
  };
  EXPECT_EQ(error_of({"lab", "compare", folder_.file("a"), folder_.file("b")}),
            "ebt: '" + folder_.file("a") + "' is no folder of 'ebt lab': it has no summary.json");
  EXPECT_EQ(error_of({"lab", "compare"}),
            "ebt: name the folders of two experiments, as in 'ebt lab compare A B'");
  EXPECT_EQ(error_of({"lab", "think", "--learners", "gpt", "--out", folder_.file("c")}),
            "ebt: a learner must be transformer_pp, s1 or s2, not 'gpt'");
}

}  // namespace
}  // namespace ebt::testing
