#include "ebt/serve/engine.h"

#include <gtest/gtest.h>

#include "ebt/serve/api_error.h"
#include "tests/support/scripted_generator.h"

namespace ebt {
namespace {

using std::chrono::milliseconds;
using testing::GeneratorControls;
using testing::ScriptedGenerator;

// An engine over a generator of two texts at a time, with two more that may wait.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { model_.tokenizer = byte_tokenizer(); }

  Engine& start(const std::string& script) {
    engine_.emplace(std::make_unique<ScriptedGenerator>(script, 2, controls_), 2, model_, metrics_);
    return *engine_;
  }

  static CompletionRequest request(int64_t tokens, int64_t n = 1) {
    CompletionRequest request;
    request.prompts = {{0}};
    request.prompt_texts = {std::string(1, '\0')};
    request.max_tokens = tokens;
    request.n = request.best_of = n;
    return request;
  }

  // "text end text end ..." by index.
  static std::string finish(Job& job, size_t texts) {
    const char* const kNames[] = {"stop", "length", "cancelled", "not finite", "failed"};
    std::vector<std::string> written(texts);
    for (size_t open = texts; open > 0;) {
      for (TextEvent& event : job.take(milliseconds(1000))) {
        written[event.text] += event.piece.text;
        if (event.end) {
          written[event.text] += std::string(" ") + kNames[static_cast<size_t>(*event.end)];
          --open;
        }
      }
    }
    std::string all;
    for (const std::string& text : written) {
      all += all.empty() ? text : " " + text;
    }
    return all;
  }

  std::string refusal(const CompletionRequest& request) {
    try {
      engine_->submit(request);
    } catch (const ApiError& error) {
      return fmt::format("{} {}", error.status(), error.what());
    }
    return "accepted";
  }

  ServedModel model_;
  Metrics metrics_;
  std::shared_ptr<GeneratorControls> controls_ = std::make_shared<GeneratorControls>();
  std::optional<Engine> engine_;
};

TEST_F(EngineTest, WritesAllTextsOfARequest) {
  Engine& engine = start("abcdef");
  const auto job = engine.submit(request(3, 4));
  EXPECT_EQ(finish(*job, 4), "abc length bcd length cde length def length");
  EXPECT_EQ(job->usage().prompt_tokens, 1);
  EXPECT_EQ(job->usage().completion_tokens, 12);
  EXPECT_EQ(job->usage().thinking_steps, 24);
  EXPECT_EQ(job->usage().forward_passes, 36);
}

TEST_F(EngineTest, EndsATextAtAStopString) {
  Engine& engine = start("abcdef");
  CompletionRequest stopping = request(1000);
  stopping.stop = {"de"};
  const auto job = engine.submit(stopping);
  EXPECT_EQ(finish(*job, 1), "abc stop");
  EXPECT_EQ(job->usage().completion_tokens, 5) << "no token after the stop string";
}

TEST_F(EngineTest, TellsHowTextsEnd) {
  Engine& engine =
      start(std::string("a\x01"
                        "b\0",
                        4));
  const auto ended = engine.submit(request(5));
  EXPECT_EQ(finish(*ended, 1), "a stop");
  EXPECT_EQ(ended->usage().completion_tokens, 2) << "the end was thought about too";
  EXPECT_EQ(ended->usage().thinking_steps, 4);
  CompletionRequest other = request(5);
  other.seed = 2;
  EXPECT_EQ(finish(*engine.submit(other), 1), "b not finite");
}

TEST_F(EngineTest, KeepsWhatWasThoughtOnlyWhereItIsAskedFor) {
  Engine& engine = start("ab");
  CompletionRequest traced = request(1);
  for (const int64_t trace : {0, 1}) {
    traced.trace = trace;
    const auto job = engine.submit(traced);
    const std::vector<TextEvent> events = job->take(milliseconds(1000));
    ASSERT_FALSE(events.empty());
    ASSERT_EQ(events[0].piece.tokens.size(), 1U);
    EXPECT_EQ(events[0].piece.tokens[0].states.size(), trace == 0 ? 0U : 3U);
  }
}

TEST_F(EngineTest, RefusesWhatFindsNoPlace) {
  controls_->held = true;
  Engine& engine = start("ab");
  EXPECT_EQ(refusal(request(1, 5)), "400 The request asks for 5 texts, but this server holds 4.");
  const auto first = engine.submit(request(1, 3));
  EXPECT_EQ(refusal(request(1, 2)),
            "429 The server is busy: 3 of 4 places are taken. Try again later.");
  const auto second = engine.submit(request(1));
  controls_->held = false;
  finish(*first, 3);
  finish(*second, 1);
  EXPECT_EQ(finish(*engine.submit(request(1, 4)), 4), "a length b length a length b length");
}

TEST_F(EngineTest, CancelsWhatRunsAndWhatWaits) {
  controls_->held = true;
  Engine& engine = start("ab");
  const auto job = engine.submit(request(1000, 4));
  engine.cancel(job);
  EXPECT_EQ(finish(*job, 4), " cancelled  cancelled  cancelled  cancelled");
  engine.cancel(job);  // again: nothing happens
  controls_->held = false;
  EXPECT_EQ(finish(*engine.submit(request(2)), 1), "ab length");
}

TEST_F(EngineTest, CancelsAllWhenItEnds) {
  controls_->held = true;
  Engine& engine = start("ab");
  const auto job = engine.submit(request(1000));
  engine_.reset();
  EXPECT_EQ(finish(*job, 1), " cancelled");
}

TEST_F(EngineTest, TellsEveryoneWhenTheGeneratorFails) {
  controls_->fail_after = 2;
  Engine& engine = start("ab");
  const auto job = engine.submit(request(1000, 2));
  EXPECT_EQ(finish(*job, 2), "ab failed ba failed");
  EXPECT_EQ(engine.failure(), "the generator was told to fail");
  EXPECT_EQ(refusal(request(1)),
            "503 The server has failed and answers no more: the generator was told to fail.");
}

TEST_F(EngineTest, RefusesWhatTheModelCannotDo) {
  start("ab");
  CompletionRequest impossible = request(1);
  impossible.prompts = {{1000}};
  EXPECT_EQ(refusal(impossible),
            "400 generate: token 1000 of the prompt is not one of the model's 0..256.");
}

}  // namespace
}  // namespace ebt
