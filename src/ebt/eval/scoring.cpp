#include "ebt/eval/scoring.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// A query that was submitted. The generator's callbacks only take notes here: everything that may
// throw happens outside of its step().
struct Pending {
  int64_t id = -1;
  Answer answer;
  std::function<bool(const std::vector<TokenReport>&)> is_done;
  size_t judged = 0;  // reports that is_done has seen
  bool finished = false;
};

class QueryRunner {
 public:
  explicit QueryRunner(Generator& generator)
      : generator_(generator), most_unfinished_(2 * generator.capacity()) {
    EBT_CHECK(generator.capacity() >= 1, "evaluation: the generator runs no text at a time");
  }
  QueryRunner(const QueryRunner&) = delete;
  QueryRunner& operator=(const QueryRunner&) = delete;
  // Nothing may call back into what is about to be gone.
  ~QueryRunner() {
    for (const auto& one : pending_) {
      if (!one->finished) {
        generator_.cancel(one->id);
      }
    }
  }

  bool is_empty() const { return pending_.empty(); }
  // One slow answer holds back those behind it, so their number is limited too.
  bool has_room() const {
    return unfinished_ < most_unfinished_ &&
           static_cast<int64_t>(pending_.size()) < 4 * most_unfinished_;
  }

  void submit(Query query) {
    auto& one = *pending_.emplace_back(std::make_unique<Pending>());
    one.is_done = std::move(query.is_done);
    ++unfinished_;
    GenerationCallbacks callbacks;
    callbacks.on_token = [&one](const TokenReport& token) { one.answer.tokens.push_back(token); };
    callbacks.on_finish = [this, &one](FinishReason reason) {
      one.answer.finish = reason;
      one.finished = true;
      --unfinished_;
    };
    try {
      one.id = generator_.submit(std::move(query.request), std::move(callbacks));
    } catch (...) {
      one.finished = true;  // it is not the generator's
      throw;
    }
  }

  // Ends what has written enough.
  void judge() {
    for (const auto& one : pending_) {
      const std::vector<TokenReport>& tokens = one->answer.tokens;
      if (one->finished || !one->is_done || one->judged == tokens.size()) {
        continue;
      }
      one->judged = tokens.size();
      if (!tokens.back().from_prompt && one->is_done(tokens)) {
        generator_.cancel(one->id);
      }
    }
  }

  // The first answer, once it is complete.
  std::optional<Answer> take() {
    if (pending_.empty() || !pending_.front()->finished) {
      return std::nullopt;
    }
    Answer answer = std::move(pending_.front()->answer);
    pending_.pop_front();
    check_finite(answer.finish);
    return answer;
  }

 private:
  Generator& generator_;
  int64_t most_unfinished_;
  int64_t unfinished_ = 0;
  std::deque<std::unique_ptr<Pending>> pending_;  // in the order of submission
};

}  // namespace

void run_queries(Generator& generator, const std::function<std::optional<Query>()>& next,
                 const std::function<void(Answer&&)>& on_answer) {
  QueryRunner runner(generator);
  bool more = true;
  while (true) {
    while (more && runner.has_room()) {
      std::optional<Query> query = next();
      more = query.has_value();
      if (more) {
        runner.submit(std::move(*query));
      }
    }
    while (std::optional<Answer> answer = runner.take()) {
      on_answer(std::move(*answer));
    }
    if (!runner.is_empty()) {
      EBT_CHECK(generator.step(), "evaluation: the generator stands still");
      runner.judge();
    } else if (!more) {
      return;
    }
  }
}

std::vector<Answer> run_queries(Generator& generator, std::vector<Query> queries) {
  std::vector<Answer> answers;
  auto query = queries.begin();
  run_queries(
      generator,
      [&]() -> std::optional<Query> {
        return query == queries.end() ? std::nullopt : std::optional(std::move(*query++));
      },
      [&](Answer&& answer) { answers.push_back(std::move(answer)); });
  return answers;
}

}  // namespace ebt
