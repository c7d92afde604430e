#include "ebt/eval/tasks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ebt/data/text/examples.h"
#include "ebt/data/text/windows.h"
#include "tests/support/bigram_generator.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::BigramGenerator;
using testing::BigramTable;
using testing::error_text;

constexpr int64_t kBytes = 257;

// Each letter is followed by the next one of `text` with probability 0.9, for letters that occur
// once.
BigramTable table_of(const std::string& text) {
  BigramTable table(kBytes);
  for (size_t i = 1; i < text.size(); ++i) {
    table.set(text[i - 1], text[i], 0.9);
  }
  return table;
}

// The baseline's probability of a token that is likely, and of one that is not.
const double kLikely_nats = -std::log(0.9);
const double kUnlikely_nats = -std::log(0.1 / 256);

class Tasks : public ::testing::Test {
 protected:
  // Measures every example with a Transformer++ that predicts as the table says.
  TaskTotals totals_of(const Task& task, BigramTable table) {
    BigramGenerator generator(std::move(table), 2, Architecture::kTransformerPp);
    TaskTotals totals;
    results_.clear();
    for (int64_t example = 0; example < task.examples(); ++example) {
      std::vector<Query> queries = task.queries(example);
      for (Query& query : queries) {
        query.request.sampling.temperature = 0;
        query.request.top_tokens = 1;
      }
      results_.push_back(task.judge(example, run_queries(generator, std::move(queries))));
      totals.add(results_.back());
    }
    return totals;
  }
  double metric(const Task& task, const TaskTotals& totals, const std::string& name) {
    for (const Metric& metric : task.metrics(totals)) {
      if (metric.name == name) {
        return metric.value;
      }
    }
    ADD_FAILURE() << "no metric " << name;
    return 0;
  }
  // The error of a task about this file, in which the path reads F.
  template <class MakeTask>
  std::string error_of(MakeTask make, const std::string& text, const TaskOptions& options = {}) {
    const std::string path = folder_.write("F", text);
    std::string error = error_text([&] { make(byte_tokenizer(), path, options); });
    const size_t found = error.find(path);
    return found == std::string::npos ? error : error.replace(found, path.size(), "F");
  }

  testing::TemporaryFolder folder_;
  std::vector<ExampleResult> results_;
};

TEST_F(Tasks, TextIsEveryTokenOfEveryWindow) {
  const std::string text = "abcdefghijk";
  const auto sequence = TokenSequence({text}, nullptr);
  const auto task = text_task(byte_tokenizer(), std::make_shared<ValidationWindows>(sequence, 4),
                              "the alphabet", 0);
  EXPECT_EQ(task->description(), "all 3 windows of the alphabet");
  BigramTable table = table_of(text);
  table.set('d', 'z', 0.9);
  const TaskTotals totals = totals_of(*task, table);
  EXPECT_EQ(totals.sums.tokens, 10);
  EXPECT_EQ(totals.sums.bytes, 10);
  EXPECT_EQ(totals.sums.likeliest, 9);
  EXPECT_EQ(results_[0].tokens, 4);
  EXPECT_EQ(results_[2].tokens, 2);
  const double loss = (9 * kLikely_nats + kUnlikely_nats) / 10;
  EXPECT_NEAR(metric(*task, totals, "loss"), loss, 1e-12);
  EXPECT_NEAR(metric(*task, totals, "perplexity"), std::exp(loss), 1e-12);
  EXPECT_NEAR(metric(*task, totals, "bits_per_byte"), loss / std::log(2.0), 1e-12);
  EXPECT_NEAR(metric(*task, totals, "token_accuracy"), 0.9, 1e-12);
  EXPECT_EQ(totals.asked, 0);
  EXPECT_TRUE(totals.sums.energies.empty());
  EXPECT_EQ(totals.sums.losses.size(), 10U);
}

TEST_F(Tasks, TextOfFewWindowsSpreadsThem) {
  const std::string text(41, 'a');
  const auto sequence = TokenSequence({text}, nullptr);
  const auto task =
      text_task(byte_tokenizer(), std::make_shared<ValidationWindows>(sequence, 4), "a text", 3);
  EXPECT_EQ(task->description(), "3 of the 10 windows of a text");
  EXPECT_EQ(task->examples(), 3);
}

TEST_F(Tasks, AnswersAreRightWhenEveryTokenIsTheLikeliest) {
  const std::string path =
      folder_.write("F.jsonl", "{\"q\": \"ab\", \"a\": \"cd\"}\n{\"q\": \"a\", \"a\": \"cx\"}\n");
  const auto rows =
      std::make_shared<ExampleSet>(ExampleSet::open({path, "a"}, "q", *byte_tokenizer(), 10));
  const auto task = answer_task(byte_tokenizer(), rows, "the questions", 0);
  EXPECT_EQ(task->description(), "all 2 examples of the questions");
  // Of the second answer neither the first letter nor the last is likely; both end.
  BigramTable table = table_of("abcd");
  table.set('d', kBytes - 1, 0.9);
  table.set('x', kBytes - 1, 0.9);
  const TaskTotals totals = totals_of(*task, table);
  EXPECT_EQ(results_[0].tokens, 3);
  EXPECT_EQ(results_[0].right, true);
  EXPECT_EQ(results_[0].bytes, 2);
  EXPECT_EQ(results_[1].right, false);
  EXPECT_EQ(results_[1].likeliest, 1);
  EXPECT_NEAR(metric(*task, totals, "accuracy"), 0.5, 1e-12);
  EXPECT_NEAR(metric(*task, totals, "token_accuracy"), 4.0 / 6, 1e-12);
  EXPECT_NEAR(metric(*task, totals, "loss"), (4 * kLikely_nats + 2 * kUnlikely_nats) / 6, 1e-12);
}

TEST_F(Tasks, LambadaAsksForTheWholeLastWord) {
  const std::string path = folder_.write("F", "{\"text\": \"the cat\"}\n{\"text\": \"the cot\"}\n");
  const auto task = lambada_task(byte_tokenizer(), path, {});
  // "the cat" is likely letter by letter; of " cot" o and t are not.
  BigramTable table(kBytes);
  for (const char* pair : {"e ", " c", "ca", "at"}) {
    table.set(pair[0], pair[1], 0.9);
  }
  table.set('o', 'x', 0.9);
  const TaskTotals totals = totals_of(*task, table);
  EXPECT_EQ(totals.examples, 2);
  EXPECT_EQ(totals.asked, 2);
  EXPECT_EQ(totals.right, 1);
  EXPECT_EQ(results_[0].tokens, 4) << "the space and three letters";
  EXPECT_EQ(results_[0].right, true);
  EXPECT_EQ(results_[1].right, false);
  const double nats = 6 * kLikely_nats + 2 * kUnlikely_nats;
  EXPECT_NEAR(metric(*task, totals, "perplexity"), std::exp(nats / 2), 1e-6 * std::exp(nats / 2));
  EXPECT_EQ(metric(*task, totals, "accuracy"), 0.5);
}

TEST_F(Tasks, LambadaRefusesWhatHasNoLastWord) {
  EXPECT_EQ(error_of(lambada_task, "{\"text\": \"a b\"}\n{\"text\": \"word\"}"),
            "line 2 of 'F' has a \"text\" of one word: nothing precedes the last");
  EXPECT_EQ(error_of(lambada_task, "{}"), "line 1 of 'F' has no \"text\"");
}

// Problems whose answers the table knows: behind "Answer:" it writes " #### 12" and a line's end.
BigramTable calculator() { return table_of(": #@12\n"); }

TEST_F(Tasks, Gsm8kComparesTheNumberThatWasWritten) {
  const std::string path =
      folder_.write("F",
                    "{\"question\": \"six and six?\", \"answer\": \"#### 12\"}\n"
                    "{\"question\": \"six and seven?\", \"answer\": \"#### 13\"}\n");
  const auto task = gsm8k_task(byte_tokenizer(), path, {.answer_tokens = 20});
  EXPECT_EQ(task->description(), "all 2 problems of '" + path + "', 0-shot");
  // A bigram cannot count to four: answers are put in the mouth of the judge.
  std::vector<Query> queries = task->queries(0);
  ASSERT_EQ(queries.size(), 2U);
  const std::string prompt = byte_tokenizer()->decode(queries[1].request.prompt);
  EXPECT_EQ(prompt, "Question: six and six?\nAnswer:");
  EXPECT_EQ(byte_tokenizer()->decode(queries[0].request.prompt), prompt + " #### 12");
  EXPECT_EQ(queries[0].request.score_from, static_cast<int64_t>(prompt.size()) + 1);
  EXPECT_EQ(queries[1].request.max_tokens, 20);

  const auto written = [](const std::string& text) {
    Answer answer;
    for (const char c : text) {
      answer.tokens.emplace_back().token = static_cast<unsigned char>(c);
    }
    return answer;
  };
  Answer scored;
  scored.tokens.resize(8);
  for (TokenReport& token : scored.tokens) {
    token.from_prompt = true;
    token.log_probability = -0.5;
    token.forward_passes = 3;
  }
  EXPECT_EQ(task->judge(0, {scored, written(" 6+6\n#### 12.0\n")}).right, true);
  EXPECT_EQ(task->judge(1, {scored, written(" 6+6\n#### 12.0\n")}).right, false);
  EXPECT_EQ(task->judge(0, {scored, written(" twelve")}).right, false);
  const ExampleResult result = task->judge(0, {scored, written(" #")});
  EXPECT_EQ(result.nats, 4);
  EXPECT_EQ(result.tokens, 8);
  EXPECT_EQ(result.reported, 10);
  EXPECT_EQ(result.forward_passes, 24);
  EXPECT_EQ(result.written, " #");

  const auto done = [&](const std::string& text) {
    return queries[1].is_done(written(text).tokens);
  };
  EXPECT_FALSE(done(" 6 + 6\n"));
  EXPECT_FALSE(done(" 6\n#### "));
  EXPECT_FALSE(done(" 6\n#### 12"));
  EXPECT_TRUE(done(" 6\n#### 12\n"));
  EXPECT_FALSE(done(" 6\n####\n12"));
  EXPECT_TRUE(done(" 6\n\n"));
  EXPECT_TRUE(done(" 6\nQuestion:"));
}

TEST_F(Tasks, Gsm8kMeasuresWithAndWithoutWriting) {
  const std::string path = folder_.write("F",
                                         "{\"question\": \"q\", \"answer\": \"#### 1\"}\n"
                                         "{\"question\": \"r\", \"answer\": \"#### 2\"}\n"
                                         "{\"question\": \"s\", \"answer\": \"#### 3\"}\n");
  const auto task = gsm8k_task(byte_tokenizer(), path, {.shots = 1, .answer_tokens = 0});
  EXPECT_EQ(task->examples(), 2);
  ASSERT_EQ(task->queries(0).size(), 1U);
  EXPECT_EQ(byte_tokenizer()->decode(task->queries(0)[0].request.prompt),
            "Question: q\nAnswer: #### 1\n\nQuestion: r\nAnswer: #### 2");
  const TaskTotals totals = totals_of(*task, calculator());
  EXPECT_EQ(totals.asked, 0);
  EXPECT_EQ(task->metrics(totals)[0].name, "perplexity");
  EXPECT_EQ(totals.sums.tokens, 14);

  const auto writing = gsm8k_task(byte_tokenizer(), path, {.examples = 2, .answer_tokens = 9});
  const TaskTotals written = totals_of(*writing, calculator());
  EXPECT_EQ(written.asked, 2);
  EXPECT_EQ(written.right, 0);
  EXPECT_EQ(results_[0].written.substr(0, 6), " #@12\n");
  EXPECT_EQ(writing->metrics(written)[0].name, "exact_match");
}

TEST_F(Tasks, Gsm8kRefusesProblemsWithoutNumbers) {
  EXPECT_EQ(error_of(gsm8k_task, "{\"question\": \"q\", \"answer\": \"one\"}"),
            "line 1 of 'F' has an \"answer\" without a number after \"####\"");
  EXPECT_EQ(error_of(gsm8k_task, "{\"question\": \"q\"}"), "line 1 of 'F' has no \"answer\"");
  EXPECT_EQ(error_of(gsm8k_task, "{\"question\": \"q\", \"answer\": \"#### 1\"}", {.shots = 3}),
            "--shots: 'F' has 1 examples, and 3 shots leave none to measure");
}

TEST_F(Tasks, BigbenchComparesTheLineThatWasWritten) {
  const std::string path = folder_.write("F", R"({"name": "letters", "examples": [
    {"input": "first?", "target": "xyz"},
    {"input": "second?", "target": ["one", "xyz"]},
    {"input": "third?", "target": "xy"}]})");
  const auto task = bigbench_task(byte_tokenizer(), path, {.answer_tokens = 12});
  EXPECT_EQ(byte_tokenizer()->decode(task->queries(0)[0].request.prompt), "Q: first?\nA: xyz");
  EXPECT_EQ(byte_tokenizer()->decode(task->queries(1)[1].request.prompt), "Q: second?\nA:");
  const TaskTotals totals = totals_of(*task, table_of(": xyz\n"));
  EXPECT_EQ(results_[0].written, "xyz");
  EXPECT_EQ(results_[0].right, true);
  EXPECT_EQ(results_[1].right, true) << "any of the targets";
  EXPECT_EQ(results_[2].right, false) << "not a part of one";
  EXPECT_EQ(results_[0].reported, 4 + 5) << "writing ends with the line";
  EXPECT_NEAR(results_[0].nats, 4 * kLikely_nats, 1e-12);
  EXPECT_EQ(task->metrics(totals)[0].name, "exact_match");
  EXPECT_NEAR(task->metrics(totals)[0].value, 2.0 / 3, 1e-12);
}

TEST_F(Tasks, BigbenchChoosesByLogProbability) {
  const std::string path = folder_.write("F", R"({"examples": [
    {"input": "first?", "target_scores": {"yes": 1, "no": 0}},
    {"input": "second?", "target_scores": {"no": 1, "yes": 0, "perhaps": 0.5}}]})");
  const auto task = bigbench_task(byte_tokenizer(), path, {});
  const TaskTotals totals = totals_of(*task, table_of(" yes"));
  EXPECT_EQ(results_[0].written, "yes");
  EXPECT_EQ(results_[0].right, true);
  EXPECT_EQ(results_[1].right, false);
  EXPECT_EQ(results_[0].tokens, 4) << "perplexity is that of the best choice";
  EXPECT_EQ(results_[1].tokens, 3);
  EXPECT_EQ(results_[0].reported, 4 + 3) << "all choices cost";
  EXPECT_EQ(task->metrics(totals)[0].name, "accuracy");
  EXPECT_EQ(task->metrics(totals)[0].value, 0.5);
}

TEST_F(Tasks, BigbenchShowsShotsAndKeepsLongTargets) {
  const std::string path = folder_.write("F", R"({"examples": [
    {"input": "a", "target_scores": {"yes": 0, "no": 1}},
    {"input": "b", "target": "two\nlines"}]})");
  const auto task = bigbench_task(byte_tokenizer(), path, {.shots = 1});
  ASSERT_EQ(task->examples(), 1);
  const std::vector<Query> queries = task->queries(0);
  EXPECT_EQ(byte_tokenizer()->decode(queries[1].request.prompt), "Q: a\nA: no\n\nQ: b\nA:");
  std::vector<TokenReport> line(1);
  line[0].token = '\n';
  EXPECT_FALSE(queries[1].is_done(line)) << "a target of two lines does not end with the first";
}

TEST_F(Tasks, BigbenchRefusesWhatAsksNothing) {
  EXPECT_EQ(error_of(bigbench_task, "[]"), "'F' has no list of \"examples\"");
  EXPECT_EQ(error_of(bigbench_task, R"({"examples": []})"),
            "'F' is empty: there is no example to measure");
  EXPECT_EQ(error_of(bigbench_task, R"({"examples": [{"input": "a"}]})"),
            "example 1 of 'F' has neither \"target\" nor \"target_scores\"");
  EXPECT_EQ(error_of(bigbench_task, R"({"examples": [{"input": "a", "target": []}]})"),
            "example 1 of 'F' has no \"target\"");
  EXPECT_EQ(error_of(bigbench_task, R"({"examples": [{"input": "a", "target": ["b", 3]}]})"),
            "example 1 of 'F' has a \"target\" that is not a string");
  EXPECT_EQ(
      error_of(bigbench_task, R"({"examples": [{"input": "a", "target_scores": {"b": 1}}]})"),
      "example 1 of 'F' has \"target_scores\" that are not an object of at least two choices");
  EXPECT_EQ(error_of(bigbench_task,
                     R"({"examples": [{"input": "a", "target_scores": {"b": 1, "c": "x"}}]})"),
            "example 1 of 'F' has a choice whose score is not a number");
  EXPECT_EQ(error_of(bigbench_task, R"({"examples": [3]})"),
            "example 1 of 'F' is not a JSON object");
}

TEST(ExampleResult, IsTheSameThroughJson) {
  ExampleResult result;
  result.tokens = 2;
  result.nats = 0.1 + 0.2;
  result.right = true;
  result.written = "caf\u00e9";
  result.energies = {1.25, -3e-7};
  result.losses = {0.5, 2};
  const nlohmann::json stored = nlohmann::json::parse(result.to_json().dump());
  const ExampleResult read = ExampleResult::from_json(stored, "F");
  EXPECT_EQ(read.to_json(), result.to_json());
  EXPECT_EQ(read.nats, result.nats);
  nlohmann::json damaged = stored;
  damaged["losses"] = {1};
  EXPECT_EQ(error_text([&] { ExampleResult::from_json(damaged, "F"); }),
            "F has 2 tokens, but 1 losses and 2 energies");
}

TEST(ExampleResult, RefusesPredictionsThatAreNoNumbers) {
  Answer answer;
  answer.tokens.resize(1);
  answer.tokens[0].from_prompt = true;
  ExampleResult result;
  EXPECT_EQ(error_text([&] { result.add_scored(answer, 2, 2); }),
            "evaluation: 2 tokens were to be scored, and 1 were");
  answer.tokens[0].log_probability = std::nan("");
  EXPECT_EQ(
      error_text([&] { result.add_scored(answer, 1, 1); }),
      "the model's prediction is not a finite number: its weights are too large, as training that "
      "diverged leaves them, or so is the step size or noise that it thinks with");
}

}  // namespace
}  // namespace ebt
