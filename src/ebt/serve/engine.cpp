#include "ebt/serve/engine.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

TextEnd end_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEnd:
      return TextEnd::kStop;
    case FinishReason::kLength:
    case FinishReason::kBudget:
      return TextEnd::kLength;
    case FinishReason::kNotFinite:
      return TextEnd::kNotFinite;
    case FinishReason::kCancelled:
      break;
  }
  return TextEnd::kCancelled;
}

}  // namespace

std::vector<TextEvent> Job::take(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, most, [&] { return !events_.empty(); });
  return std::exchange(events_, {});
}

Usage Job::usage() const {
  const std::lock_guard lock(mutex_);
  return usage_;
}

void Job::put(TextEvent event, const TokenReport* report) {
  const std::lock_guard lock(mutex_);
  if (report != nullptr) {
    usage_.add(*report);
  }
  if (event.end || !event.piece.text.empty() || !event.piece.tokens.empty()) {
    events_.push_back(std::move(event));
    arrived_.notify_one();
  }
}

Engine::Engine(std::unique_ptr<Generator> generator, int64_t queue, const ServedModel& model,
               Metrics& metrics)
    : generator_(std::move(generator)),
      model_(model),
      metrics_(metrics),
      places_(generator_->capacity() + queue) {
  EBT_CHECK(queue >= 0, "queue: {} is negative", queue);
  metrics_.texts_capacity = generator_->capacity();
  metrics_.queue_limit = queue;
  // New threads know nothing of what this one was told.
  thread_ = std::thread([this, threads = omp_get_max_threads()] {
    omp_set_num_threads(threads);
    run();
  });
}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<Job> Engine::submit(const CompletionRequest& request) {
  const int64_t texts = request.texts();
  if (texts > places_) {
    throw ApiError(400, fmt::format("The request asks for {} texts, but this server holds {}.",
                                    texts, places_));
  }
  auto job = std::make_shared<Job>();
  job->keeps_states_ = request.trace > 0;
  job->open_texts_ = static_cast<size_t>(texts);
  for (size_t i = 0; i < job->open_texts_; ++i) {
    job->texts_.push_back({request.generation(i, model_), TextWriter(model_, request.stop)});
    try {
      job->texts_.back().request.check(model_.config);
    } catch (const Error& error) {
      throw ApiError(400, fmt::format("{}.", error.what()));
    }
  }
  for (const std::vector<int32_t>& prompt : request.prompts) {
    job->usage_.prompt_tokens += static_cast<int64_t>(prompt.size());
  }
  {
    const std::lock_guard lock(mutex_);
    if (failure_) {
      throw ApiError(503, "The server has failed and answers no more: " + *failure_ + ".");
    }
    if (open_texts_ + texts > places_) {
      throw ApiError(429,
                     fmt::format("The server is busy: {} of {} places are taken. Try again later.",
                                 open_texts_, places_),
                     "", "queue_full");
    }
    open_texts_ += texts;
    metrics_.count_accepted(job->usage_.prompt_tokens);
    commands_.push_back({job, false});
  }
  wake_.notify_one();
  return job;
}

void Engine::cancel(const std::shared_ptr<Job>& job) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back({job, true});
  }
  wake_.notify_one();
}

void Engine::cancel_all() { cancel(nullptr); }

std::optional<std::string> Engine::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool Engine::take_commands(std::deque<Command>& commands) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return ending_ || !commands_.empty() || !jobs_.empty(); });
  commands = std::exchange(commands_, {});
  return !ending_;
}

void Engine::run() {
  std::deque<Command> commands;
  try {
    while (take_commands(commands)) {
      for (; !commands.empty(); commands.pop_front()) {
        obey(commands.front());
      }
      generator_->step();
      show_state();
    }
    for (; !commands.empty(); commands.pop_front()) {
      obey(commands.front());
    }
    obey({nullptr, true});
    show_state();
  } catch (const std::exception& error) {
    fail_all(error.what(), std::move(commands));
  }
}

void Engine::obey(const Command& command) {
  if (!command.cancel) {
    start(command.job);
  } else if (command.job != nullptr) {
    stop(*command.job);
  } else {
    for (const auto& job : std::vector(jobs_)) {
      stop(*job);
    }
  }
}

void Engine::start(const std::shared_ptr<Job>& job) {
  jobs_.push_back(job);
  for (size_t i = 0; i < job->texts_.size(); ++i) {
    GenerationCallbacks callbacks;
    callbacks.on_token = [this, job, i](const TokenReport& report) { on_token(*job, i, report); };
    callbacks.on_end = callbacks.on_token;  // a token like the others, which has no text
    callbacks.on_finish = [this, job, i](FinishReason reason) { on_finish(job, i, reason); };
    Job::Text& text = job->texts_[i];
    text.id = generator_->submit(std::move(text.request), std::move(callbacks));
  }
}

void Engine::stop(Job& job) {
  for (Job::Text& text : job.texts_) {
    if (!text.ended) {
      generator_->cancel(text.id);
    }
  }
}

void Engine::on_token(Job& job, size_t index, const TokenReport& report) {
  Job::Text& text = job.texts_[index];
  metrics_.count_token(report);
  if (text.writer.stopped()) {
    return;
  }
  TokenReport kept = report;
  if (!job.keeps_states_) {
    kept.states.clear();
    kept.candidate_energies.clear();
  }
  job.put({index, text.writer.add(std::move(kept)), std::nullopt}, &report);
  if (text.writer.stopped()) {
    generator_->cancel(text.id);
  }
}

void Engine::on_finish(const std::shared_ptr<Job>& job, size_t index, FinishReason reason) {
  end_text(job, index, job->texts_[index].writer.stopped() ? TextEnd::kStop : end_of(reason));
}

void Engine::end_text(const std::shared_ptr<Job>& job, size_t index, TextEnd end) {
  Job::Text& text = job->texts_[index];
  text.ended = true;
  {
    const std::lock_guard lock(mutex_);
    --open_texts_;
  }
  job->put({index, text.writer.finish(), end}, nullptr);
  if (--job->open_texts_ == 0) {
    std::erase(jobs_, job);
  }
}

// The generator is in no state to go on: nothing more is asked of it.
void Engine::fail_all(const std::string& why, std::deque<Command> unheard) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = why;
    unheard.insert(unheard.end(), commands_.begin(), commands_.end());
    commands_.clear();
  }
  for (const Command& command : unheard) {
    if (!command.cancel && std::find(jobs_.begin(), jobs_.end(), command.job) == jobs_.end()) {
      jobs_.push_back(command.job);
    }
  }
  for (const auto& job : std::vector(jobs_)) {
    for (size_t i = 0; i < job->texts_.size(); ++i) {
      if (!job->texts_[i].ended) {
        end_text(job, i, TextEnd::kFailed);
      }
    }
  }
  metrics_.texts_running = 0;
  metrics_.texts_waiting = 0;
}

void Engine::show_state() {
  metrics_.texts_running = generator_->running();
  metrics_.texts_waiting = generator_->waiting();
}

}  // namespace ebt
