// The server of a model of images over real sockets: what it answers, and to whom.
#include <gtest/gtest.h>

#include <future>

#include "ebt/io/base64.h"
#include "ebt/serve/server.h"
#include "tests/support/controlled_denoiser.h"
#include "tests/support/error_text.h"
#include "tests/support/running_server.h"
#include "tests/support/small_images.h"

namespace ebt::testing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr char kDenoise[] = "/v1/images/denoise";

class ImageServer : public ::testing::Test {
 protected:
  RunningServer& start(ServerSetup setup = {}) {
    setup.images = std::make_unique<ControlledDenoiser>(small_image_model(), 3, denoiser_controls);
    server_ = std::make_unique<RunningServer>(std::move(setup));
    return *server_;
  }

  static std::string body_of(const std::string& fields = "") {
    return R"({"image": ")" + base64(encode_png(gradient(20, 13, 3))) + "\"" +
           (fields.empty() ? "" : ", ") + fields + "}";
  }
  json denoise(const std::string& fields) const {
    const auto [status, body] = server_->post(kDenoise, body_of(fields));
    EXPECT_EQ(status, 200) << body;
    return json::parse(body, nullptr, false);
  }
  std::future<std::pair<int, std::string>> denoise_later(const std::string& fields = "") const {
    return std::async(std::launch::async,
                      [this, fields] { return server_->post(kDenoise, body_of(fields)); });
  }
  static std::string error_of(const std::pair<int, std::string>& answer) {
    const json body = json::parse(answer.second, nullptr, false);
    EXPECT_TRUE(body.is_object()) << answer.second;
    return fmt::format("{} {}", answer.first, body["error"]["message"].get<std::string>());
  }
  static std::string error_of(const HttpAnswer& answer) {
    return error_of({answer.status, answer.body});
  }
  static Image image_of(const json& file) {
    return decode_image(from_base64(file["b64_json"].get<std::string>()).value_or(""), "answer");
  }

  std::shared_ptr<DenoiserControls> denoiser_controls = std::make_shared<DenoiserControls>();
  std::unique_ptr<RunningServer> server_;
};

TEST_F(ImageServer, CleansAnImage) {
  start();
  const json answer = denoise(R"("model": "cleaner", "steps": 4, "sigma": 25, "seed": 3)");
  EXPECT_EQ(answer["object"], "image.denoised");
  EXPECT_EQ(answer["model"], "cleaner");
  EXPECT_EQ(answer["width"], 13);
  EXPECT_EQ(answer["height"], 20);
  EXPECT_EQ(answer["steps"], 4);
  EXPECT_EQ(answer["steps_per_tile"], 4);
  EXPECT_EQ(answer["seed"], 3);
  EXPECT_NEAR(answer["sigma"].get<double>(), 25, 1e-9);
  EXPECT_EQ(answer["energy"].size(), 5U);
  EXPECT_EQ(answer["psnr"].size(), 5U);
  EXPECT_EQ(answer["patch_energy"]["rows"], 5);
  EXPECT_EQ(answer["patch_energy"]["columns"], 4);
  EXPECT_EQ(answer["patch_energy"]["patch"], 4);
  double sum = 0;
  for (const json& value : answer["patch_energy"]["values"]) {
    sum += value.get<double>();
  }
  EXPECT_NEAR(sum / 20, answer["energy"][4].get<double>(), 1e-6);
  EXPECT_EQ(image_of(answer["data"][0]).width, 13);
  EXPECT_EQ(image_of(answer["noisy"]).height, 20);
  const json plain = denoise("");
  EXPECT_FALSE(plain.contains("psnr") || plain.contains("noisy") || plain.contains("seed"));
  EXPECT_EQ(plain["timestep"], 99);
}

TEST_F(ImageServer, StreamsWhatItWouldAnswerWhole) {
  start();
  const std::string fields = R"("steps": 4, "sigma": 25)";
  const json whole = denoise(fields);
  const auto [status, body] = server_->post(kDenoise, body_of(fields + R"(, "stream": true)"));
  std::vector<json> events = events_of(body);
  ASSERT_GT(events.size(), 6U);
  EXPECT_EQ(events.back(), "[DONE]");
  events.pop_back();
  json last = events.back();
  events.pop_back();
  std::vector<json> states;
  double done = 0;
  for (const json& event : events) {
    if (event["object"] == "image.progress") {
      EXPECT_GT(event["done"], done);
      done = event["done"];
    } else {
      EXPECT_EQ(event["object"], "image.step");
      states.push_back(event);
    }
  }
  EXPECT_EQ(done, 1);
  ASSERT_EQ(states.size(), 5U);
  for (size_t i = 0; i < states.size(); ++i) {
    EXPECT_EQ(states[i]["step"], i);
    EXPECT_EQ(states[i]["energy"], whole["energy"][i]);
    EXPECT_EQ(states[i]["psnr"], whole["psnr"][i]);
  }
  EXPECT_EQ(states.front()["b64_json"], whole["noisy"]["b64_json"]);
  EXPECT_EQ(states.back()["b64_json"], whole["data"][0]["b64_json"]);
  EXPECT_EQ(states.back()["patch_energy"], whole["patch_energy"]);
  for (const char* key : {"created", "seconds"}) {
    last[key] = whole[key];
  }
  json expected = whole;
  expected.erase("data");
  expected.erase("noisy");
  EXPECT_EQ(last, expected);
}

TEST_F(ImageServer, TakesAFileAndGivesOneBack) {
  start();
  const std::string png = encode_png(gradient(20, 13, 3));
  const std::string path = std::string(kDenoise) + "?steps=4&sigma=25";
  HttpClient client = server_->client();
  const auto answer = client.post(path, png, "image/png", {{"Accept", "image/png"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.field("Content-Type"), "image/png");
  EXPECT_EQ(base64(answer.body), denoise(R"("steps": 4, "sigma": 25)")["data"][0]["b64_json"]);
  const auto jpeg = client.post(path, jpeg_of(gradient(20, 13, 3)), "image/jpeg");
  EXPECT_EQ(json::parse(jpeg.body)["steps"], 4);
  EXPECT_EQ(error_of(client.post(path, body_of(), "application/json")),
            "400 Parameters of the query are for bodies that are an image; here they stand in the "
            "JSON.");
}

TEST_F(ImageServer, ListsBothModels) {
  start();
  const json list = json::parse(server_->get("/v1/models").second)["data"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["ebt"]["kind"], "text");
  EXPECT_EQ(list[1]["id"], "cleaner");
  const json& ebt = list[1]["ebt"];
  EXPECT_EQ(ebt["kind"], "image");
  EXPECT_EQ(ebt["arch"], "ebt");
  EXPECT_EQ(ebt["thinks"], true);
  EXPECT_EQ(ebt["width"], 8);
  EXPECT_EQ(ebt["patch"], 4);
  EXPECT_NEAR(ebt["trained_sigma"].get<double>(), 43, 1);
  EXPECT_EQ(ebt["max_pixels"], 1 << 22);
  EXPECT_EQ(json::parse(server_->get("/v1/models/cleaner").second), list[1]);
  EXPECT_EQ(error_of(server_->get("/v1/models/x")),
            "404 This server has two models: 'tiny' and 'cleaner'.");
}

TEST_F(ImageServer, AnswersForTheModelsItHas) {
  ServerSetup images_only;
  images_only.texts = false;
  start(std::move(images_only));
  EXPECT_EQ(server_->post(kDenoise, body_of()).first, 200);
  EXPECT_EQ(error_of(server_->post("/v1/completions", "{}")),
            "404 This server has no model of texts.");
  for (const char* path : {"/tokenize", "/detokenize"}) {
    EXPECT_EQ(server_->post(path, R"({"prompt": "a"})").first, 404) << path;
  }
  EXPECT_EQ(server_->get("/tokenizer_info").first, 404);
  EXPECT_EQ(json::parse(server_->get("/v1/models").second)["data"].size(), 1U);
  EXPECT_EQ(error_of(server_->get("/v1/models/tiny")), "404 This server has one model: 'cleaner'.");
  EXPECT_EQ(server_->get("/healthz").first, 200);
  const RunningServer texts_only;
  EXPECT_EQ(error_of(texts_only.post(kDenoise, body_of())),
            "404 This server has no model of images.");
}

TEST_F(ImageServer, AnswersErrorsAsOpenAiDoes) {
  ServerSetup setup;
  setup.limits.max_image_body_bytes = 5000;
  setup.limits.max_image_pixels = 300;
  start(std::move(setup));
  HttpClient client = server_->client();
  EXPECT_EQ(error_of(server_->get(kDenoise)), "405 This path is asked by POST.");
  EXPECT_EQ(error_of(client.post(kDenoise, "x", "image/webp")),
            "415 The Content-Type must be application/json or image/png or image/jpeg.");
  EXPECT_EQ(error_of(client.post(kDenoise, "x", "image/png")),
            "400 The image is neither a PNG nor a JPEG image.");
  EXPECT_EQ(error_of(client.post(kDenoise, std::string(5001, 'x'), "image/png")),
            "413 The body has more than 5000 bytes, the limit of this server.");
  const std::string large = encode_png(gradient(18, 17, 3));
  const auto refused = client.post(kDenoise, large, "image/png");
  EXPECT_EQ(error_of(refused),
            "413 The image has 17 x 18 pixels, more than the 300 that this server takes.");
  EXPECT_EQ(json::parse(refused.body)["error"]["param"], "image");
  denoiser_controls->diverges = true;
  const auto diverged = client.post(kDenoise, body_of(), "application/json");
  EXPECT_EQ(error_of(diverged),
            "400 Cleaning the image failed: the energy of an image is not finite after 1 steps.");
  EXPECT_EQ(json::parse(diverged.body)["error"]["code"], "not_finite");
  const std::string streamed = server_->post(kDenoise, body_of(R"("stream": true)")).second;
  EXPECT_EQ(events_of(streamed).back()["error"]["code"], "not_finite") << "and no [DONE]";
  EXPECT_EQ(server_->ended("failed"), 2);
  denoiser_controls->diverges = false;
  EXPECT_EQ(server_->post(kDenoise, body_of()).first, 200);
}

TEST_F(ImageServer, StreamsTheStatesBeforeAnError) {
  start();
  // Twelve tiles in batches of three, each of which reports four steps and the end; the states are
  // told as the last batch reaches them.
  denoiser_controls->diverges_after = 3 * 5 + 2;
  const auto [status, body] = server_->post(kDenoise, body_of(R"("steps": 4, "stream": true)"));
  std::vector<json> events = events_of(body);
  EXPECT_EQ(events.back()["error"]["message"],
            "Cleaning the image failed: the energy of an image is not finite after 2 steps.");
  std::vector<int> steps;
  for (const json& event : events) {
    if (event.value("object", "") == "image.step") {
      steps.push_back(event["step"]);
    }
  }
  EXPECT_EQ(steps, (std::vector{0, 1}));
  EXPECT_EQ(server_->ended("failed"), 1);
}

TEST_F(ImageServer, AsksForItsToken) {
  ServerSetup setup;
  setup.api_key = "secret";
  start(std::move(setup));
  EXPECT_EQ(server_->post(kDenoise, body_of()).first, 401);
  HttpClient client = server_->client();
  client.set_token("secret");
  EXPECT_EQ(client.post(kDenoise, body_of(), "application/json").status, 200);
}

TEST_F(ImageServer, AnswersBy429WhenAllPlacesAreTaken) {
  ServerSetup setup;
  setup.options.image_queue = 1;
  start(std::move(setup));
  denoiser_controls->held = true;
  auto first = denoise_later();
  ASSERT_TRUE(server_->reaches("ebt_images_running", 1));
  auto second = denoise_later();
  ASSERT_TRUE(server_->reaches("ebt_images_waiting", 1));
  EXPECT_EQ(server_->metric("ebt_image_queue_limit"), 1);
  RawClient client(server_->port());
  // The answer comes before the body, which is not waited for.
  client.send(
      "POST /v1/images/denoise HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "image/png\r\nContent-Length: 1000000\r\n"
      "\r\n");
  const std::string refused = client.receive_all();
  EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 429");
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_NE(refused.find("\"queue_full\""), std::string::npos);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server_->post("/v1/completions", "{}").first, 200) << "texts have places of their own";
  denoiser_controls->held = false;
  EXPECT_EQ(first.get().first, 200);
  EXPECT_EQ(second.get().first, 200);
  EXPECT_EQ(server_->post(kDenoise, body_of()).first, 200);
}

TEST_F(ImageServer, CancelsWhenTheClientLeaves) {
  start();
  denoiser_controls->step_ms = 20;
  for (const char* stream : {"false", "true"}) {
    denoiser_controls->steps = 0;
    RawClient client(server_->port());
    client.send(
        post_bytes(kDenoise, body_of(fmt::format(R"("steps": 200, "stream": {})", stream))));
    ASSERT_TRUE(server_->reaches("ebt_images_running", 1));
    client.leave();
    EXPECT_TRUE(server_->reaches("ebt_images_running", 0));
    EXPECT_TRUE(server_->reaches("ebt_requests_open", 0));
    EXPECT_LT(denoiser_controls->steps, 800) << "of 804";
  }
  EXPECT_EQ(server_->ended("client_left"), 2);
  EXPECT_TRUE(server_->reaches(
      "ebt_http_requests_total{endpoint=\"/v1/images/denoise\",status=\"499\"}", 1));
}

TEST_F(ImageServer, GivesUpWhatTakesTooLong) {
  ServerSetup setup;
  setup.options.request_timeout_s = 0.3;
  start(std::move(setup));
  denoiser_controls->step_ms = 20;
  EXPECT_EQ(error_of(server_->post(kDenoise, body_of(R"("steps": 200)"))),
            "503 The answer took longer than this server allows.");
  EXPECT_TRUE(server_->reaches("ebt_images_running", 0));
  EXPECT_EQ(server_->ended("timed_out"), 1);
}

TEST_F(ImageServer, FinishesWhatItAcceptedWhenItDrains) {
  start();
  denoiser_controls->held = true;
  auto running = denoise_later();
  ASSERT_TRUE(server_->reaches("ebt_images_running", 1));
  auto waiting = denoise_later();
  ASSERT_TRUE(server_->reaches("ebt_images_waiting", 1));
  server_->server().drain();
  EXPECT_FALSE(server_->server().wait_until_idle(milliseconds(50)));
  denoiser_controls->held = false;
  EXPECT_EQ(running.get().first, 200);
  EXPECT_EQ(waiting.get().first, 200);
  EXPECT_TRUE(server_->server().wait_until_idle(milliseconds(5000)));
}

TEST_F(ImageServer, AnswersBy503WhenAllIsCancelled) {
  start();
  denoiser_controls->held = true;
  auto running = denoise_later();
  ASSERT_TRUE(server_->reaches("ebt_images_running", 1));
  auto waiting = denoise_later(R"("stream": true)");
  ASSERT_TRUE(server_->reaches("ebt_images_waiting", 1));
  server_->server().cancel_all();
  EXPECT_EQ(events_of(waiting.get().second).back()["error"]["code"], "stopping");
  denoiser_controls->held = false;
  EXPECT_EQ(error_of(running.get()), "503 The server was stopped before the answer was finished.");
  EXPECT_EQ(server_->ended("stopped"), 2);
}

TEST_F(ImageServer, CountsWhatItCleans) {
  start();
  denoise(R"("steps": 4)");
  const json answer = denoise(R"("steps": 2)");
  EXPECT_EQ(server_->metric("ebt_images_total"), 2);
  EXPECT_EQ(server_->metric("ebt_image_pixels_total"), 2 * 20 * 13);
  EXPECT_EQ(server_->metric("ebt_image_tile_steps_total"), 6 * answer["tiles"].get<int64_t>());
  EXPECT_EQ(server_->metric("ebt_requests_accepted_total"), 2);
  EXPECT_EQ(server_->ended("answered"), 2);
}

TEST_F(ImageServer, CleansOneAfterTheOther) {
  start();
  denoiser_controls->step_ms = 1;
  std::vector<std::future<std::pair<int, std::string>>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(denoise_later(fmt::format(R"("sigma": 20, "seed": {})", i % 2)));
  }
  std::vector<json> files;
  for (auto& answer : answers) {
    files.push_back(json::parse(answer.get().second)["data"]);
  }
  for (size_t i = 2; i < files.size(); ++i) {
    EXPECT_EQ(files[i], files[i % 2]);
  }
  EXPECT_NE(files[0], files[1]);
}

TEST(ImageServerOptions, AreRefusedWhereImpossible) {
  ServerOptions options;
  options.image_queue = -1;
  EXPECT_EQ(error_text([&] { options.check(); }),
            "image-queue: -1 is not a whole number from 0 to 100000");
  RequestLimits limits;
  limits.max_image_pixels = 1 << 29;
  EXPECT_EQ(error_text([&] { limits.check(); }),
            "max-image-pixels: 536870912 is more than the 268435456 pixels that are ever decoded");
  limits = {};
  limits.max_image_body_bytes = 200'000'000;
  EXPECT_EQ(
      error_text([&] { limits.check(); }),
      "max-image-body: 200000000 is more than the 100000000 bytes of JSON that are ever read");
  EXPECT_EQ(error_text([&] { Server({}, {}, "", {}); }), "serve: there is no model");
  ModelSources same;
  same.texts.emplace().model.name = "a";
  same.images.emplace().model.name = "a";
  EXPECT_EQ(
      error_text([&] { Server({}, {}, "", std::move(same)); }),
      "serve: the model of texts and that of images are both called 'a': give one another name "
      "with --name or --image-name");
}

}  // namespace
}  // namespace ebt::testing
