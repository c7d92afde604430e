#include "ebt/serve/completion_handler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "ebt/serve/api_error.h"
#include "ebt/serve/open_answer.h"

namespace ebt {
namespace {

Json finish_reason(TextEnd end) { return end == TextEnd::kStop ? "stop" : "length"; }

// An accepted request, and what its texts have come to.
class Acceptance {
 public:
  Acceptance(Engine& engine, Metrics& metrics, const std::shared_ptr<Job>& job,
             Connection& connection, std::chrono::milliseconds deadline)
      : engine_(engine),
        metrics_(metrics),
        job_(job),
        answer_(metrics, connection, deadline, [&engine, job] { engine.cancel(job); }) {}

  OpenAnswer& answer() { return answer_; }
  Usage usage() const { return job_->usage(); }

  // What happened since the last call, waiting for it a moment. Throws ApiError when the request
  // cannot be answered any more.
  std::vector<TextEvent> take() {
    answer_.check_deadline();
    std::vector<TextEvent> events = job_->take(kLookForClient);
    for (const TextEvent& event : events) {
      if (first_ && !event.piece.tokens.empty()) {
        first_ = false;
        metrics_.count_first_token(answer_.seconds());
      }
      if (event.end) {
        check(*event.end);
      }
    }
    return events;
  }

 private:
  void check(TextEnd text_end) {
    switch (text_end) {
      case TextEnd::kStop:
      case TextEnd::kLength:
        return;
      case TextEnd::kNotFinite:
        answer_.give_up(Outcome::kFailed);
        throw ApiError(400,
                       "The model's prediction was not a finite number: too large a step size or "
                       "noise, or a model that was not trained to this point.",
                       "thinking", "not_finite");
      case TextEnd::kCancelled:
        answer_.give_up(Outcome::kStopped);
        throw ApiError(503, "The server was stopped before the answer was finished.", "",
                       "stopping");
      case TextEnd::kFailed:
        answer_.give_up(Outcome::kFailed);
        throw ApiError(500, "The server has failed: " + engine_.failure().value_or("") + ".");
    }
  }

  Engine& engine_;
  Metrics& metrics_;
  std::shared_ptr<Job> job_;
  OpenAnswer answer_;
  bool first_ = true;
};

// A whole text.
struct Text {
  TextPiece piece;
  TextEnd end = TextEnd::kLength;

  void add(TextEvent event) {
    piece.text += event.piece.text;
    std::move(event.piece.tokens.begin(), event.piece.tokens.end(),
              std::back_inserter(piece.tokens));
    end = event.end.value_or(end);
  }
  // By which the best of several are chosen: the mean log-probability of what was written.
  double score() const {
    double sum = 0;
    int64_t count = 0;
    for (const TokenReport& report : piece.tokens) {
      if (!report.from_prompt) {
        sum += report.log_probability;
        ++count;
      }
    }
    return count > 0 ? sum / static_cast<double>(count) : -std::numeric_limits<double>::infinity();
  }
};

// The indices of the texts that are answered with: for each prompt the n best, best first, or all
// in order.
std::vector<size_t> chosen_texts(const CompletionRequest& request, const std::vector<Text>& texts) {
  std::vector<size_t> chosen;
  const auto best_of = static_cast<size_t>(request.best_of);
  for (size_t first = 0; first < texts.size(); first += best_of) {
    std::vector<size_t> order(best_of);
    std::iota(order.begin(), order.end(), first);
    if (request.best_of > request.n) {
      std::stable_sort(order.begin(), order.end(),
                       [&](size_t a, size_t b) { return texts[a].score() > texts[b].score(); });
    }
    chosen.insert(chosen.end(), order.begin(), order.begin() + request.n);
  }
  return chosen;
}

Json whole_answer(const CompletionRequest& request, const ServedModel& model,
                  const CompletionFormat& answer, std::vector<Text> texts, const Usage& usage) {
  Json choices = Json::array();
  for (const size_t text : chosen_texts(request, texts)) {
    ChoiceFormat format(request, model, text);
    texts[text].piece.text.insert(0, format.echo().text);
    choices.push_back(
        format.choice(choices.size(), texts[text].piece, finish_reason(texts[text].end)));
  }
  return answer.whole(std::move(choices), usage);
}

// The events of a streamed answer.
class EventStream {
 public:
  EventStream(CompletionRequest request, const ServedModel& model, const std::string& id,
              std::unique_ptr<Acceptance> acceptance)
      : request_(std::move(request)),
        answer_(request_, model, id, unix_time()),
        acceptance_(std::move(acceptance)),
        open_texts_(static_cast<size_t>(request_.texts())) {
    for (size_t text = 0; text < open_texts_; ++text) {
      choices_.emplace_back(request_, model, text);
    }
  }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Writes what there is to write. False ends the connection.
  bool write_more(BodySink& sink) {
    std::string lines = first_ ? first_lines() : "";
    first_ = false;
    try {
      for (const TextEvent& event : acceptance_->take()) {
        const Json reason = event.end ? finish_reason(*event.end) : Json(nullptr);
        lines += line(choices_[event.text].chunk(event.text, event.piece, reason));
        open_texts_ -= event.end ? 1 : 0;
      }
    } catch (const ApiError& error) {
      lines += event_line(error.to_json());
      sink.write(lines);
      sink.done();
      return true;
    }
    if (acceptance_->answer().client_left()) {
      acceptance_->answer().give_up(Outcome::kClientLeft);
      return false;
    }
    if (open_texts_ == 0) {
      if (request_.include_usage) {
        lines += event_line(answer_.usage_chunk(acceptance_->usage()));
      }
      lines += kLastEvent;
    }
    if (!lines.empty() && !sink.write(lines)) {
      acceptance_->answer().give_up(Outcome::kClientLeft);
      return false;
    }
    if (open_texts_ == 0) {
      acceptance_->answer().answered();
      sink.done();
    }
    return true;
  }

 private:
  std::string line(Json choice) const {
    return event_line(answer_.chunk(Json::array({std::move(choice)})));
  }

  // A chat tells its role before anything is written, and a completion echoes its prompt.
  std::string first_lines() {
    std::string lines;
    for (size_t text = 0; text < choices_.size(); ++text) {
      if (request_.endpoint == Endpoint::kChat || request_.echo) {
        lines += line(choices_[text].chunk(text, choices_[text].echo(), nullptr));
      }
    }
    return lines;
  }

  CompletionRequest request_;
  CompletionFormat answer_;
  std::vector<ChoiceFormat> choices_;
  std::unique_ptr<Acceptance> acceptance_;
  size_t open_texts_;
  bool first_ = true;
};

void answer_whole(const CompletionRequest& request, const ServedModel& model, const std::string& id,
                  Acceptance& acceptance, HttpResponse& response) {
  std::vector<Text> texts(static_cast<size_t>(request.texts()));
  for (size_t open = texts.size(); open > 0;) {
    for (TextEvent& event : acceptance.take()) {
      open -= event.end ? 1 : 0;
      Text& text = texts[event.text];
      text.add(std::move(event));
    }
    if (acceptance.answer().client_left()) {
      acceptance.answer().abandon(response);
      return;
    }
  }
  const CompletionFormat answer(request, model, id, unix_time());
  const Json json = whole_answer(request, model, answer, std::move(texts), acceptance.usage());
  response.set_content(to_line(json), "application/json");
  acceptance.answer().answered();
}

}  // namespace

CompletionHandler::CompletionHandler(Engine& engine, const ServedModel& model,
                                     const RequestLimits& limits,
                                     std::chrono::milliseconds deadline, Metrics& metrics)
    : engine_(engine),
      model_(model),
      limits_(limits),
      deadline_(deadline),
      metrics_(metrics),
      id_prefix_(std::random_device()()) {}

void CompletionHandler::handle(const std::string& body, Endpoint endpoint, HttpResponse& response,
                               Connection& connection) {
  CompletionRequest request = parse_completion_request(body, endpoint, model_, limits_);
  auto acceptance = std::make_unique<Acceptance>(engine_, metrics_, engine_.submit(request),
                                                 connection, deadline_);
  if (!request.stream) {
    answer_whole(request, model_, next_id(), *acceptance, response);
    return;
  }
  const auto stream =
      std::make_shared<EventStream>(std::move(request), model_, next_id(), std::move(acceptance));
  answer_by_events(response, [stream](BodySink& sink) { return stream->write_more(sink); });
}

std::string CompletionHandler::next_id() { return fmt::format("{:08x}{:08x}", id_prefix_, ++ids_); }

}  // namespace ebt
