#include "ebt/eval/task_run.h"

#include <gtest/gtest.h>

#include "ebt/data/text/windows.h"
#include "ebt/eval/tasks.h"
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

class TaskRun : public ::testing::Test {
 protected:
  BigramGenerator generator(int64_t capacity = 3, Architecture arch = Architecture::kEbt) const {
    const std::vector<int32_t> tokens = byte_tokenizer()->encode(kText);
    return BigramGenerator(BigramTable::of(tokens, 257, 0.01), capacity, arch);
  }
  std::unique_ptr<Task> text(int64_t context = 7) const {
    return text_task(byte_tokenizer(),
                     std::make_shared<ValidationWindows>(TokenSequence({kText}, nullptr), context),
                     "a text", 0);
  }

  testing::TemporaryFolder folder_;
  std::string journal_ = folder_.file("journal.jsonl");
  Json subject_ = {{"task", "text"}, {"steps", 2}};
};

TEST_F(TaskRun, ThinkingLongerCostsMoreAndPredictsBetter) {
  BigramGenerator model = generator();
  ThinkOptions think;
  think.steps = 1;
  const TaskTotals once = run_task(model, *text(), think, nullptr, nullptr);
  think.steps = 6;
  think.candidates = 2;
  const TaskTotals longer = run_task(model, *text(), think, nullptr, nullptr);
  EXPECT_EQ(once.sums.tokens, static_cast<int64_t>(kText.size()) - 1);
  EXPECT_EQ(once.steps_per_token(), 1);
  EXPECT_EQ(longer.steps_per_token(), 12);
  EXPECT_EQ(longer.passes_per_token(), 13);
  EXPECT_LT(longer.loss(), once.loss());
  EXPECT_EQ(longer.sums.energies.size(), longer.sums.losses.size());
}

TEST_F(TaskRun, ReportsEveryExampleInOrder) {
  BigramGenerator model = generator();
  std::vector<int64_t> seen;
  run_task(model, *text(), {}, nullptr, [&](int64_t done) { seen.push_back(done); });
  ASSERT_EQ(static_cast<int64_t>(seen.size()), text()->examples());
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i], static_cast<int64_t>(i) + 1);
  }
}

TEST_F(TaskRun, GoesOnWhereItWasInterrupted) {
  BigramGenerator whole_model = generator();
  const std::string whole = folder_.file("whole.jsonl");
  TaskTotals expected;
  {
    TaskJournal journal(whole, subject_);
    expected = run_task(whole_model, *text(), {}, &journal, nullptr);
  }
  BigramGenerator model = generator(1);
  {
    TaskJournal journal(journal_, subject_);
    EXPECT_TRUE(journal.results().empty());
    EXPECT_EQ(error_text([&] {
                run_task(model, *text(), {}, &journal,
                         [](int64_t done) { EBT_CHECK(done < 4, "interrupted"); });
              }),
              "interrupted");
  }
  // As if the process had been killed while it wrote the fourth.
  const std::string text_so_far = read_text_file(journal_, 1'000'000);
  folder_.write("journal.jsonl", text_so_far.substr(0, text_so_far.size() - 9));
  int64_t measured = 0;
  TaskJournal journal(journal_, subject_);
  EXPECT_EQ(journal.results().size(), 3U);
  const TaskTotals totals = run_task(model, *text(), {}, &journal, [&](int64_t) { ++measured; });
  EXPECT_EQ(measured, text()->examples() - 3);
  EXPECT_EQ(totals.sums.to_json(), expected.sums.to_json());
  EXPECT_EQ(read_text_file(journal_, 1'000'000), read_text_file(whole, 1'000'000));
  // Now nothing is left to measure.
  TaskJournal finished(journal_, subject_);
  BigramGenerator idle = generator();
  EXPECT_EQ(run_task(idle, *text(), {}, &finished, nullptr).sums.to_json(),
            expected.sums.to_json());
  EXPECT_EQ(idle.most_submitted(), 0);
}

TEST_F(TaskRun, RefusesTheJournalOfSomethingElse) {
  { const TaskJournal journal(journal_, subject_); }
  const std::string before = read_text_file(journal_, 1'000'000);
  const auto error_of = [&](const Json& subject) {
    return error_text([&] { const TaskJournal journal(journal_, subject); });
  };
  EXPECT_EQ(error_of({{"task", "text"}, {"steps", 3}}),
            "'" + journal_ +
                "' measures with another \"steps\": continue with the same settings, or name "
                "another folder");
  EXPECT_NE(error_of({{"task", "text"}}).find("another \"steps\""), std::string::npos);
  EXPECT_EQ(read_text_file(journal_, 1'000'000), before);
  folder_.write("journal.jsonl", before + "{\"tokens\": 1}\n");
  EXPECT_NE(error_of(subject_).find("line 2 of"), std::string::npos);
  folder_.write("journal.jsonl", "[]\n");
  EXPECT_NE(error_of(subject_).find("another program"), std::string::npos);
}

TEST_F(TaskRun, RefusesTheJournalOfALongerTask) {
  BigramGenerator model = generator();
  TaskJournal journal(journal_, subject_);
  run_task(model, *text(), {}, &journal, nullptr);
  TaskJournal again(journal_, subject_);
  EXPECT_EQ(error_text([&] { run_task(model, *text(50), {}, &again, nullptr); }),
            "the journal of the evaluation has 10 examples, and the task 2");
}

TEST_F(TaskRun, RefusesABudget) {
  BigramGenerator model = generator();
  ThinkOptions think;
  think.budget = 10;
  EXPECT_EQ(error_text([&] { run_task(model, *text(), think, nullptr, nullptr); }),
            "think-budget: a text that is not thought about to its end cannot be measured");
}

TEST_F(TaskRun, GathersTheAnswersOfEveryExample) {
  const std::string path = folder_.write("F", R"({"examples": [
    {"input": "a", "target_scores": {"the": 1, "tho": 0, "thu": 0}},
    {"input": "b", "target": "the"},
    {"input": "c", "target_scores": {"the": 1, "tzz": 0}}]})");
  const auto task = bigbench_task(byte_tokenizer(), path, {.answer_tokens = 5});
  BigramGenerator model = generator(2);
  const TaskTotals totals = run_task(model, *task, {}, nullptr, nullptr);
  EXPECT_EQ(totals.examples, 3);
  EXPECT_EQ(totals.asked, 3);
  EXPECT_EQ(totals.right, 2);
}

}  // namespace
}  // namespace ebt
