#include "ebt/serve/image_handler.h"

#include <memory>
#include <utility>

#include "ebt/serve/api_error.h"
#include "ebt/serve/image_response.h"
#include "ebt/serve/open_answer.h"
#include "ebt/serve/request_body.h"

namespace ebt {
namespace {

// An accepted request, and what has become of its image.
class Acceptance {
 public:
  Acceptance(ImageEngine& engine, Metrics& metrics, const std::shared_ptr<ImageJob>& job,
             Connection& connection, std::chrono::milliseconds deadline)
      : job_(job), answer_(metrics, connection, deadline, [&engine, job] { engine.cancel(job); }) {}

  OpenAnswer& answer() { return answer_; }

  // What happened since the last call, waiting for it a moment. Throws ApiError once the deadline
  // has passed.
  ImageNews take() {
    answer_.check_deadline();
    return job_->take(kLookForClient);
  }

  // Throws the ApiError by which the image has ended, if it has.
  void check(const ImageNews& news) {
    if (news.error) {
      answer_.give_up(news.error->code() == "stopping" ? Outcome::kStopped : Outcome::kFailed);
      throw ApiError(*news.error);
    }
  }

 private:
  std::shared_ptr<ImageJob> job_;
  OpenAnswer answer_;
};

class EventStream {
 public:
  EventStream(CleaningOptions options, const ServedImageModel& model,
              std::unique_ptr<Acceptance> acceptance)
      : options_(std::move(options)), model_(model), acceptance_(std::move(acceptance)) {}

  // Writes what there is to write. False ends the connection.
  bool write_more(BodySink& sink) {
    try {
      const ImageNews news = acceptance_->take();
      if (acceptance_->answer().client_left() || !tell(news, sink)) {
        acceptance_->answer().give_up(Outcome::kClientLeft);
        return false;
      }
      acceptance_->check(news);
      if (news.result) {
        acceptance_->answer().answered();
        sink.done();
      }
    } catch (const ApiError& error) {
      write(event_line(error.to_json()), sink);
      sink.done();
    }
    return true;
  }

 private:
  // False when the client does not read. Throws ApiError once the deadline has passed.
  bool tell(const ImageNews& news, BodySink& sink) {
    // One by one, since each is large, and the client has its time for each.
    for (const ImageState& state : news.states) {
      if (!write(event_line(state_json(state)), sink)) {
        return false;
      }
      acceptance_->answer().check_deadline();
    }
    std::string lines;
    // Of a large image there are thousands of reports, and no eye tells a hundredth of it.
    constexpr double kWorthTelling = 0.01;
    if (news.done >= told_ + kWorthTelling) {
      told_ = news.done;
      lines += event_line(progress_json(news.done));
    }
    if (news.result) {
      lines += event_line(denoised_json(options_, model_, *news.result, unix_time()));
      lines += kLastEvent;
    }
    return write(lines, sink);
  }

  static bool write(const std::string& lines, BodySink& sink) {
    return lines.empty() || sink.write(lines);
  }

  CleaningOptions options_;
  const ServedImageModel& model_;
  std::unique_ptr<Acceptance> acceptance_;
  double told_ = 0;  // share of the work
};

bool wants_file(const HttpRequest& http) { return http.field("Accept") == "image/png"; }

void answer_whole(const CleaningOptions& options, const ServedImageModel& model,
                  Acceptance& acceptance, const HttpRequest& http, HttpResponse& response) {
  for (;;) {
    const ImageNews news = acceptance.take();
    acceptance.check(news);
    if (acceptance.answer().client_left()) {
      acceptance.answer().abandon(response);
      return;
    }
    if (!news.result) {
      continue;
    }
    if (wants_file(http)) {
      response.set_content(news.result->png, "image/png");
    } else {
      response.set_content(to_line(denoised_json(options, model, *news.result, unix_time())),
                           "application/json");
    }
    acceptance.answer().answered();
    return;
  }
}

}  // namespace

ImageHandler::ImageHandler(ImageEngine& engine, const ServedImageModel& model,
                           const RequestLimits& limits, std::chrono::milliseconds deadline,
                           Metrics& metrics)
    : engine_(engine), model_(model), limits_(limits), deadline_(deadline), metrics_(metrics) {}

ImageRequest ImageHandler::parse(const std::string& body, const HttpRequest& http) const {
  if (content_type(http) != "application/json") {
    return parse_image_upload(body, http.query, model_, limits_);
  }
  if (!http.query.empty()) {
    throw ApiError(400,
                   "Parameters of the query are for bodies that are an image; here they stand "
                   "in the JSON.");
  }
  return parse_image_request(body, model_, limits_);
}

void ImageHandler::handle(ImagePlace place, std::string body, const HttpRequest& http,
                          HttpResponse& response, Connection& connection) {
  ImageRequest request = parse(body, http);
  body = std::string();  // while the image waits, it is there once
  const CleaningOptions options = request.options;
  auto acceptance = std::make_unique<Acceptance>(
      engine_, metrics_, engine_.submit(std::move(place), std::move(request)), connection,
      deadline_);
  if (!options.stream) {
    answer_whole(options, model_, *acceptance, http, response);
    return;
  }
  const auto stream = std::make_shared<EventStream>(options, model_, std::move(acceptance));
  answer_by_events(response, [stream](BodySink& sink) { return stream->write_more(sink); });
}

}  // namespace ebt
