#include "ebt/report/html_report.h"

#include <gtest/gtest.h>

#include "ebt/core/unicode.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

ReportData small_report() {
  ReportData report;
  report.title = "A <model>";
  report.headlines = {{"1.5", "nats per token"}};
  report.history.training = {{1, 5.0}, {2, 4.0}};
  report.history.validation = {{2, {4.2, 4.1}}};
  report.evaluation = {{1, 4.2, 66.7, 6.1, -1.0}, {2, 4.1, 60.3, 5.9, -2.0}};
  report.prompt = "</pre><script>alert(1)</script>";
  report.sample = {{"a", {2, 1}}, {"b", {3, 2}}, {"c", {4, 3}}};
  report.commands = {"ebt train --out model"};
  report.config = Json{{"seed", 7}};
  return report;
}

TEST(HtmlReport, AsksNothingOfTheNetwork) {
  const std::string html = report_html(small_report());
  for (const char* request : {"src=", "href=", "@import", "url(", "fetch("}) {
    EXPECT_EQ(html.find(request), std::string::npos) << request;
  }
}

TEST(HtmlReport, EscapesWhatTheModelAndTheUserWrote) {
  const std::string html = report_html(small_report());
  EXPECT_EQ(html.find("alert(1)</script>"), std::string::npos);
  EXPECT_NE(html.find("A &lt;model&gt;"), std::string::npos);
}

TEST(HtmlReport, IsUtf8WhateverTheUserNames) {
  ReportData report = small_report();
  report.title = report.summary = report.prompt = "a\xFF\xED\xA0\x80 <b>";
  report.sample.push_back({"\xFF", {1, 2}});
  report.config = Json{{"data", "\xFF"}};
  report.commands = {"ebt \xFF"};
  const std::string html = report_html(report);
  EXPECT_EQ(valid_utf8_prefix(html), html.size());
}

TEST(HtmlReport, SpeaksOfEnergyAndNotOfDoubt) {
  const std::string html = report_html(small_report());
  for (const char* claim : {" sure", "unsure", "certain", "confiden", "doubt"}) {
    EXPECT_EQ(html.find(claim), std::string::npos) << claim;
  }
}

TEST(HtmlReport, MarksTheBestRow) {
  const std::string html = report_html(small_report());
  const size_t best = html.find("class=\"best\"");
  ASSERT_NE(best, std::string::npos);
  EXPECT_EQ(html.substr(best, 22), "class=\"best\"><td>2</td");
}

TEST(HtmlReport, LeavesOutWhatIsNotKnown) {
  const std::string html = report_html(ReportData{});
  EXPECT_EQ(html.find("<svg"), std::string::npos);
  EXPECT_EQ(html.find("<table"), std::string::npos);
}

TEST(TrainingHistory, SkipsLinesThatAreNoMeasurement) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.write(
      "metrics.jsonl", R"({"step":1,"step_losses":[5.5,5.0],"seconds":0.5,"tokens":10})"
                       "\n"
                       R"({"step":2,"step_losses":[null],"seconds":0.5,"tokens":10})"
                       "\n"
                       R"({"step":2,"val_step_losses":[4.5,4.0],"seconds":9})"
                       "\n"
                       "not json\n"
                       R"({"step":3,"step_losses":[4)");
  const TrainingHistory history = read_training_history(path);
  ASSERT_EQ(history.training.size(), 1U);
  EXPECT_EQ(history.training[0].loss, 5.0);
  ASSERT_EQ(history.validation.size(), 1U);
  EXPECT_EQ(history.validation[0].losses, (std::vector<double>{4.5, 4.0}));
  EXPECT_EQ(history.seconds, 1.0);
  EXPECT_EQ(history.tokens, 20);
}

}  // namespace
}  // namespace ebt
