#include "lab/lab.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ebt/io/file.h"
#include "lab/lab_comparison.h"
#include "lab/spread.h"
#include "lab/word_list.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

// Squares numbers. Run "b" can be made to fail, or to stop.
class Squares : public Lab {
 public:
  enum class Fate { kWorks, kFails, kStops };
  Fate fate = Fate::kWorks;
  int64_t factor = 1;
  mutable std::vector<std::string> worked;

  std::string name() const override { return "squares"; }
  Json config() const override { return {{"factor", factor}, {"words", "a,b"}}; }
  std::vector<Job> jobs() const override { return {{"a", {{"x", 2}}}, {"b", {{"x", 3}}}}; }
  std::optional<Json> work(const Job& job, const std::filesystem::path& folder,
                           const std::filesystem::path& lab_folder,
                           const JobWatch& watch) const override {
    EXPECT_EQ(folder, lab_folder / "jobs" / job.id);
    worked.push_back(job.id);
    watch.on_progress("squaring", 0.5);
    if (job.id == "b" && fate == Fate::kFails) {
      fail("three cannot be squared today");
    }
    if (job.id == "b" && fate == Fate::kStops) {
      return std::nullopt;
    }
    const auto x = job.parameters["x"].get<int64_t>();
    return Json{{"square", factor * x * x}};
  }
  LabReport report(const std::vector<LabResult>& results) const override {
    LabReport report;
    report.title = "Squares <of two>";
    report.question = "What are they?";
    LabSection section;
    section.name = "squares";
    section.head = "All squares";
    section.chart = "<svg></svg>";
    section.table.columns = {"x", "square"};
    for (const LabResult& result : results) {
      if (result.result.has_value()) {
        section.table.rows.push_back(
            {result.job.id, std::to_string((*result.result)["square"].get<int64_t>())});
      }
    }
    const bool all = section.table.rows.size() == results.size();
    report.answers = {{"Squares are known", all ? Verdict::kYes : Verdict::kNotMeasured,
                       "of a, \"b\" & </script>"}};
    report.sections.push_back(std::move(section));
    return report;
  }
};

class LabTest : public ::testing::Test {
 protected:
  LabOutcome run(const Lab& lab) {
    LabRun run;
    run.folder = folder_.path() / "lab";
    run.command = "ebt lab squares";
    run.quiet = true;
    return run_lab(lab, run);
  }
  std::string file(const std::string& name) const {
    return read_text_file(folder_.path() / "lab" / name, 1'000'000);
  }

  TemporaryFolder folder_;
};

TEST_F(LabTest, DoesItsRunsOnceAndWritesWhatTheySay) {
  const Squares lab;
  const LabOutcome outcome = run(lab);
  EXPECT_EQ(lab.worked, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(outcome.state.done, 2);
  EXPECT_EQ(outcome.report.commands, (std::vector<std::string>{"ebt lab squares"}));
  EXPECT_EQ(file("squares.csv"), "x,square\na,4\nb,9\n");
  EXPECT_NE(file("squares.svg").find("<svg"), std::string::npos);
  const nlohmann::json summary = nlohmann::json::parse(file("summary.json"));
  EXPECT_EQ(summary["answers"][0]["verdict"], "yes");
  EXPECT_EQ(summary["tables"]["squares"][1]["square"], "9");
  EXPECT_EQ(summary["config"]["factor"], 1);
  EXPECT_EQ(run(lab).state.done, 2);  // and nothing is done again
  EXPECT_EQ(lab.worked.size(), 2U);
}

TEST_F(LabTest, WritesAPageThatIsWholeAndSafe) {
  const Squares lab;
  run(lab);
  const std::string page = file("report.html");
  EXPECT_NE(page.find("<h1>Squares &lt;of two&gt;</h1>"), std::string::npos);
  EXPECT_EQ(page.find("Not finished"), std::string::npos);
  // Data within the page cannot end the element that holds them.
  const size_t data = page.find("<script type=\"application/json\"");
  ASSERT_NE(data, std::string::npos);
  EXPECT_EQ(page.find("</script>", data), page.rfind("</script>"));
  for (const char* asks : {" src=", " href=", "url(", "@import"}) {
    EXPECT_EQ(page.find(asks), std::string::npos) << asks;
  }
}

TEST_F(LabTest, TellsFailuresAndGoesOnWithTheRest) {
  Squares lab;
  lab.fate = Squares::Fate::kFails;
  const LabOutcome outcome = run(lab);
  EXPECT_EQ(outcome.state.done, 1);
  EXPECT_EQ(outcome.state.failures, (std::vector<std::string>{"b: three cannot be squared today"}));
  EXPECT_NE(file("report.html").find("three cannot be squared today"), std::string::npos);
  lab.fate = Squares::Fate::kWorks;  // the same command tries it once more
  EXPECT_EQ(run(lab).state.done, 2);
  EXPECT_EQ(lab.worked, (std::vector<std::string>{"a", "b", "b"}));
}

TEST_F(LabTest, GoesOnWhereItWasStopped) {
  Squares lab;
  lab.fate = Squares::Fate::kStops;
  EXPECT_EQ(run(lab).state.done, 1);
  EXPECT_NE(file("report.html").find("Not finished"), std::string::npos);
  lab.fate = Squares::Fate::kWorks;
  EXPECT_EQ(run(lab).state.done, 2);
}

TEST_F(LabTest, RefusesAFolderOfOtherSettings) {
  Squares lab;
  run(lab);
  lab.factor = 2;
  const std::string folder = (folder_.path() / "lab").string();
  EXPECT_EQ(error_text([&] { run(lab); }),
            "'" + folder +
                "' holds this experiment with another --factor: choose another --out, or the same "
                "settings to go on");
  write_file_atomically(folder + "/lab.json", R"({"lab": "circles", "config": {}})");
  EXPECT_EQ(
      error_text([&] { run(lab); }),
      "'" + folder + "' holds another experiment than 'ebt lab squares': choose another --out");
}

TEST_F(LabTest, StandsBesideAnother) {
  Squares lab;
  run(lab);
  const FinishedLab first = FinishedLab::open(folder_.path() / "lab");
  lab.factor = 2;
  LabRun other;
  other.folder = folder_.path() / "other";
  other.quiet = true;
  run_lab(lab, other);
  const FinishedLab second = FinishedLab::open(other.folder);
  const Json comparison = compare_labs(first, second);
  ASSERT_EQ(comparison["settings"].size(), 1U);
  EXPECT_EQ(comparison["settings"][0]["name"], "factor");
  EXPECT_EQ(comparison["settings"][0]["second"], "2");
  EXPECT_EQ(comparison["answers"][0]["claim"], "Squares are known");
  EXPECT_NE(comparison_text(first, second).find("factor: A 1, B 2"), std::string::npos);
  const std::string page = comparison_page(first, second);
  const size_t figure = page.find("class=\"figure\"");
  EXPECT_NE(figure, std::string::npos);
  EXPECT_NE(page.find("class=\"figure\"", figure + 1), std::string::npos);
  EXPECT_EQ(error_text([&] { FinishedLab::open(folder_.path()); }),
            "'" + folder_.path().string() + "' is no folder of 'ebt lab': it has no summary.json");
}

TEST(LabTable, QuotesWhatACsvMust) {
  const LabTable table{{"a", "b"}, {{"1,5", "say \"x\""}, {"two\nlines", "plain"}}};
  EXPECT_EQ(table.to_csv(), "a,b\n\"1,5\",\"say \"\"x\"\"\"\n\"two\nlines\",plain\n");
}

TEST(Spread, IsMeanAndDeviation) {
  const Spread spread({1, 2, 6});
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_DOUBLE_EQ(spread.deviation, std::sqrt(7.0));
  EXPECT_EQ(in_words(spread), "3.000 ± 2.646");
  EXPECT_EQ(in_words(Spread({0.5})), "0.500");
  EXPECT_EQ(in_words(Spread({})), "—");
}

TEST(Verdict, NeedsADifferenceOfTwoStandardErrors) {
  EXPECT_EQ(verdict_of({}), Verdict::kNotMeasured);
  EXPECT_EQ(verdict_of({1, 1}), Verdict::kUnclear);  // too few
  EXPECT_EQ(verdict_of({1, 1.1, 0.9}), Verdict::kYes);
  EXPECT_EQ(verdict_of({-1, -1.1, -0.9}), Verdict::kNo);
  EXPECT_EQ(verdict_of({1, -1, 0.5}), Verdict::kUnclear);
  EXPECT_EQ(verdict_of({0, 0, 0}), Verdict::kUnclear);
}

TEST(WordList, IsWordsWithCommasBetween) {
  EXPECT_EQ(read_words("s1", "learners"), (std::vector<std::string>{"s1"}));
  EXPECT_EQ(read_words("b,a", "learners"), (std::vector<std::string>{"b", "a"}));
  for (const char* text : {"", "a,", ",a", "a,,b"}) {
    EXPECT_EQ(
        error_text([&] { read_words(text, "learners"); }),
        "--learners: '" + std::string(text) + "' is not a list of words with commas between them");
  }
  EXPECT_EQ(error_text([] { read_words("a,b,a", "learners"); }),
            "--learners: 'a' stands there twice");
}

}  // namespace
}  // namespace ebt
