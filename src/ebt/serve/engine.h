// The thread that owns the generator, and what other threads hand to it and get back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ebt/serve/completion_request.h"
#include "ebt/serve/completion_response.h"
#include "ebt/serve/metrics.h"
#include "ebt/serve/text_writer.h"
#include "ebt/think/generator.h"

namespace ebt {

// How a text ended.
enum class TextEnd { kStop, kLength, kCancelled, kNotFinite, kFailed };

// A text has grown, or ended.
struct TextEvent {
  size_t text = 0;  // its index in the request
  TextPiece piece;
  std::optional<TextEnd> end;
};

// The texts of one request, being written. Events are put in by the engine's thread and taken by
// one other; their number is bounded by what the request may ask for.
class Job {
 public:
  // What has happened since the last call; waits for it, but not beyond `most`.
  std::vector<TextEvent> take(std::chrono::milliseconds most);
  // Of everything the texts took, until now.
  Usage usage() const;

 private:
  friend class Engine;
  struct Text {
    GenerationRequest request;
    TextWriter writer;
    int64_t id = 0;  // the generator's
    bool ended = false;
  };

  void put(TextEvent event, const TokenReport* report);

  bool keeps_states_ = false;
  std::vector<Text> texts_;  // of the engine's thread
  size_t open_texts_ = 0;    // likewise
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<TextEvent> events_;
  Usage usage_;
};

// Batches continuously: texts of all jobs share every pass through the model, and a text takes the
// place of one that ended. Members but the destructor are thread-safe.
class Engine {
 public:
  // `queue`: texts that may wait beyond those the generator can run. `model` and `metrics` must
  // outlive the engine.
  Engine(std::unique_ptr<Generator> generator, int64_t queue, const ServedModel& model,
         Metrics& metrics);
  // Cancels what runs.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Texts that may be open at the same time.
  int64_t places() const { return places_; }
  // Throws ApiError: 400 when the request can never be run, 429 when it finds no place now, 503
  // when the engine has failed.
  std::shared_ptr<Job> submit(const CompletionRequest& request);
  // Ends the texts of a job; each is reported as kCancelled unless it ended before.
  void cancel(const std::shared_ptr<Job>& job);
  void cancel_all();
  // Why the engine has stopped working, if it has.
  std::optional<std::string> failure() const;

 private:
  struct Command {
    std::shared_ptr<Job> job;  // none: all
    bool cancel = false;
  };

  void run();
  // False when it is time to end.
  bool take_commands(std::deque<Command>& commands);
  void obey(const Command& command);
  void start(const std::shared_ptr<Job>& job);
  void stop(Job& job);
  void on_token(Job& job, size_t index, const TokenReport& report);
  void on_finish(const std::shared_ptr<Job>& job, size_t index, FinishReason reason);
  void end_text(const std::shared_ptr<Job>& job, size_t index, TextEnd end);
  void fail_all(const std::string& why, std::deque<Command> unheard);
  void show_state();

  std::unique_ptr<Generator> generator_;
  const ServedModel& model_;
  Metrics& metrics_;
  int64_t places_;
  std::vector<std::shared_ptr<Job>> jobs_;  // open ones; of the engine's thread
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Command> commands_;
  int64_t open_texts_ = 0;
  bool ending_ = false;
  std::optional<std::string> failure_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace ebt
