#include "ebt/eval/task_grid.h"

#include <gtest/gtest.h>

#include <sstream>

#include "ebt/data/text/windows.h"
#include "ebt/eval/tasks.h"
#include "ebt/eval/think_grid.h"
#include "ebt/io/file.h"
#include "tests/support/bigram_generator.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::BigramGenerator;
using testing::BigramTable;
using testing::error_text;

const std::string kText = "the quick brown fox jumps over the lazy dog and the cat sat on the mat";

class Grid : public ::testing::Test {
 protected:
  BigramGenerator generator(Architecture arch) const {
    const std::vector<int32_t> tokens = byte_tokenizer()->encode(kText);
    return BigramGenerator(BigramTable::of(tokens, 257, 0.01), 3, arch);
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<Task> task_ = text_task(
      byte_tokenizer(), std::make_shared<ValidationWindows>(TokenSequence({kText}, nullptr), 9),
      "a text", 0);
};

TEST_F(Grid, HasARowForEveryWayOfThinkingAndOneForTheBaseline) {
  BigramGenerator model = generator(Architecture::kEbt);
  BigramGenerator baseline = generator(Architecture::kTransformerPp);
  const std::vector<ThinkOptions> options = ThinkGrid{"1,4", "1,2", ""}.options({});
  TaskGrid grid;
  grid.task = "text";
  grid.description = task_->description();
  measure_grid({&model, "model", {}}, *task_, options, std::nullopt, grid);
  measure_grid({&baseline, "baseline", {}}, *task_, options, std::nullopt, grid);
  ASSERT_EQ(grid.rows.size(), 5U);
  EXPECT_EQ(grid.rows[1].totals.steps_per_token(), 4);
  EXPECT_EQ(grid.rows[3].totals.passes_per_token(), 9);
  EXPECT_EQ(grid.rows[3].totals.loss(), grid.rows[1].totals.loss());
  EXPECT_LT(grid.rows[4].totals.loss(), grid.rows[1].totals.loss());
  EXPECT_FALSE(grid.rows[4].think.has_value());
  EXPECT_FALSE(grid.rows[4].has_energies());
  // Energy is 1 - the largest probability: where it is low, so is the loss.
  EXPECT_GT(grid.rows[1].pearson(), 0.3);
  EXPECT_GT(grid.rows[1].spearman(), 0.3);

  const Json json = grid.to_json();
  EXPECT_EQ(json["description"], "all 8 windows of a text");
  ASSERT_EQ(json["points"].size(), 5U);
  EXPECT_EQ(json["points"][2]["thinking"]["candidates"], 2);
  EXPECT_EQ(json["points"][2]["thinking"]["think-steps"], 1);
  EXPECT_EQ(json["points"][0]["loss"], grid.rows[0].totals.loss());
  EXPECT_FALSE(json["points"][4].contains("energy"));
  EXPECT_FALSE(json["points"][4].contains("thinking"));
  EXPECT_EQ(json["points"][4]["tokens"], static_cast<int64_t>(kText.size()) - 1);

  const std::string csv = grid.to_csv();
  EXPECT_EQ(csv.rfind("arch,think_steps,candidates,stop_change,thinking_steps_per_token,"
                      "forward_passes_per_token,perplexity,loss,bits_per_byte,token_accuracy,"
                      "energy,energy_loss_pearson,energy_loss_spearman,examples,tokens\nebt,1,1,0,",
                      0),
            0U)
      << csv;
  EXPECT_NE(csv.find("\ntransformer_pp,,,,,1,"), std::string::npos) << csv;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6);

  const std::string table = grid.to_table();
  EXPECT_NE(table.find("text: all 8 windows of a text"), std::string::npos);
  EXPECT_NE(table.find("Transformer++"), std::string::npos);
}

TEST(Table, KeepsColumnsApartAndInLine) {
  TaskGrid grid;
  GridRow row;
  row.think = ThinkOptions{.steps = 1};
  row.totals.sums.reported = 1;
  row.totals.sums.energies = {-12.73456, -12.73456};
  row.totals.sums.losses = {1, 2};
  row.metrics = {{"perplexity", "perplexity", -0.0123456, true}, {"x", "x", -0.0123456, false}};
  grid.rows = {row};
  const std::string table = grid.to_table();
  EXPECT_NE(table.find("  perplexity          x   energy"), std::string::npos) << table;
  EXPECT_NE(table.find("   -0.012346  -0.012346  -12.735"), std::string::npos) << table;
}

TEST(Table, IsNoWiderThanAskedForAndLeavesOutWhatNoRowChanges) {
  TaskGrid grid;
  for (const int64_t steps : {1, 2}) {
    GridRow row;
    row.think = ThinkOptions{.steps = steps};
    row.totals.sums.reported = 1;
    row.totals.sums.energies = {-12.73456, -12.73456};
    row.totals.sums.losses = {1, 2};
    for (const char* name : {"perplexity", "nats/token", "bits/byte", "accuracy", "likeliest"}) {
      row.metrics.push_back({name, name, 1234.5678, true});
    }
    grid.rows.push_back(row);
  }
  for (const size_t width : {40, 80, 100}) {
    const std::string table = grid.to_table(width);
    std::istringstream lines(table.substr(0, table.find("\nsteps, passes")));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), width) << table;
    }
    for (const char* head : {"perplexity", "likeliest", "Spearman"}) {
      EXPECT_NE(table.find(head), std::string::npos) << table;
    }
    EXPECT_EQ(table.find("candidates"), std::string::npos) << table;
    EXPECT_EQ(table.find("stop"), std::string::npos) << table;
  }
  grid.rows[1].think->candidates = 4;
  EXPECT_NE(grid.to_table().find("candidates"), std::string::npos);
}

TEST_F(Grid, IsNotMeasuredTwice) {
  BigramGenerator model = generator(Architecture::kEbt);
  TaskGrid grid;
  grid.task = "text";
  const Contender contender = {&model, "model", {{"weights", "abc"}}};
  measure_grid(contender, *task_, ThinkGrid{"1,2", "", ""}.options({}), folder_.path(), grid);
  EXPECT_TRUE(
      std::filesystem::exists(folder_.file("model-text-steps-2-candidates-1-stop-0.jsonl")));
  // A larger grid takes over what is there.
  BigramGenerator again = generator(Architecture::kEbt);
  TaskGrid larger;
  larger.task = "text";
  measure_grid({&again, "model", {{"weights", "abc"}}}, *task_,
               ThinkGrid{"2,1", "", ""}.options({}), folder_.path(), larger);
  EXPECT_EQ(again.most_submitted(), 0);
  EXPECT_EQ(larger.rows[0].totals.loss(), grid.rows[1].totals.loss());
  EXPECT_EQ(larger.rows[1].spearman(), grid.rows[0].spearman());
}

TEST_F(Grid, IsMeasuredAnewForOtherWeightsOrAnotherText) {
  BigramGenerator model = generator(Architecture::kEbt);
  TaskGrid grid;
  grid.task = "text";
  const auto error_of = [&](const std::string& weights, const Task& task, uint64_t seed) {
    ThinkOptions think;
    think.seed = seed;
    return error_text([&] {
      measure_grid({&model, "model", {{"weights", weights}}}, task, {think}, folder_.path(), grid);
    });
  };
  EXPECT_EQ(error_of("abc", *task_, 0), "no error");
  EXPECT_NE(error_of("abd", *task_, 0).find("another \"weights\""), std::string::npos);
  EXPECT_NE(error_of("abc", *task_, 1).find("another \"seed\""), std::string::npos);
  const std::string other = kText + "s";
  const auto other_task = text_task(
      byte_tokenizer(), std::make_shared<ValidationWindows>(TokenSequence({other}, nullptr), 9),
      "a text", 0);
  EXPECT_NE(error_of("abc", *other_task, 0).find("another \"task\""), std::string::npos);
}

}  // namespace
}  // namespace ebt
