// `ebt serve` as a person starts and ends it, with real models.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <thread>

#include "ebt/data/image/image.h"
#include "tests/end_to_end/program.h"
#include "tests/support/http_client.h"
#include "tests/support/image_set.h"
#include "tests/support/raw_client.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class Serve : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    const Outcome outcome =
        run_ebt(tiny_training(folder_->write("text.txt", real_text()), folder_->file("model")));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const char* kind : {"image", "dit"}) {
      const Outcome images = run_ebt(tiny_image_training(folder_->file(kind), {}, kind));
      ASSERT_EQ(images.exit_code, 0) << images.err;
    }
    write_image(folder_->file("photo.png"), waves(20, 13, 3, 1));
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  // Starts a server of the model of text on a free port and waits until it is ready.
  void start(Arguments more = {}) {
    more.insert(more.begin(), {"--model", folder_->file("model")});
    start_with(more);
  }
  // The same with the models that are named.
  void start_with(const Arguments& more) {
    Arguments arguments = {"serve", "--port", "0", "--json", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    program_.emplace(arguments);
    std::string line;
    for (int i = 0; i < 1000 && line.find('\n') == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      line = program_->out_so_far();
    }
    const json ready = json::parse(line, nullptr, false);
    ASSERT_TRUE(ready.is_object()) << line;
    const std::string url = ready["url"];
    port_ = std::stoi(url.substr(url.rfind(':') + 1));
  }

  json complete(const std::string& body) const {
    const HttpAnswer answer = HttpClient(port_).post("/v1/completions", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body, nullptr, false);
  }

  static inline TemporaryFolder* folder_ = nullptr;
  std::optional<Program> program_;
  int port_ = 0;
};

std::string request_of(int i) {
  return fmt::format(
      R"({{"prompt": "{}", "seed": {}, "max_tokens": {}, "logprobs": 3, "trace": 2,
           "temperature": 0.8, "truncate_prompt_tokens": -1, "thinking": {{"steps": {}, "candidates": {}, "stop_change": 0.01}}}})",
      i % 2 == 0 ? "include" : "namespace ebt { // a longer prompt than the context", i, 10 + i,
      1 + i % 3, 1 + i % 2);
}

TEST_F(Serve, AnswersTogetherWhatItAnswersAlone) {
  start({"--texts", "4"});
  constexpr int kRequests = 12;
  std::vector<json> alone;
  for (int i = 0; i < kRequests; ++i) {
    alone.push_back(complete(request_of(i)));
    EXPECT_EQ(alone.back()["usage"]["completion_tokens"], 10 + i);
  }
  std::vector<std::future<json>> together;
  for (int i = 0; i < kRequests; ++i) {
    together.push_back(std::async(std::launch::async, [&, i] { return complete(request_of(i)); }));
  }
  for (size_t i = 0; i < kRequests; ++i) {
    const json answer = together[i].get();
    EXPECT_EQ(answer["choices"], alone[i]["choices"]);
    EXPECT_EQ(answer["usage"], alone[i]["usage"]);
  }
  program_->send(SIGTERM);
  EXPECT_EQ(program_->wait().exit_code, 0);
}

TEST_F(Serve, ScoresATextByItselfAndTheSeedAlone) {
  start({"--texts", "4"});
  const auto scored = [&](const std::string& prompts, const std::string& seed) {
    json choices = complete(fmt::format(R"({{"prompt": {}, "echo": true, "max_tokens": 0,
                                             "logprobs": 1{}}})",
                                        prompts, seed))["choices"];
    for (json& choice : choices) {
      choice.erase("index");
    }
    return choices;
  };
  for (const std::string seed : {"", R"(, "seed": 1)"}) {
    const json alone = scored(R"("int")", seed)[0];
    EXPECT_EQ(scored(R"(["int", "int", "int"])", seed), json({alone, alone, alone})) << seed;
    EXPECT_EQ(scored(R"(["namespace", "int"])", seed)[1], alone) << seed;
    EXPECT_EQ(scored("[[105, 110, 116]]", seed)[0], alone) << "as tokens" << seed;
    EXPECT_EQ(scored(R"("int", "n": 2)", seed), json({alone, alone})) << "samples" << seed;
  }
  EXPECT_NE(scored(R"("int")", R"(, "seed": 1)"), scored(R"("int")", R"(, "seed": 2)"));
}

TEST_F(Serve, WritesTheSameGreedilyWithoutASeedAndOtherwiseSamples) {
  start({"--texts", "4"});
  const auto texts = [&](const std::string& fields) {
    std::vector<std::string> texts;
    const json answer = complete(R"({"max_tokens": 20, )" + fields + "}");
    for (const json& choice : answer["choices"]) {
      texts.push_back(choice["text"]);
    }
    return texts;
  };
  const std::string greedy = texts(R"("prompt": "int", "temperature": 0)")[0];
  EXPECT_EQ(texts(R"("prompt": ["for", "int", "int"], "temperature": 0)")[2], greedy);
  EXPECT_EQ(texts(R"("prompt": "int", "temperature": 0, "n": 2)"),
            (std::vector<std::string>{greedy, greedy}));
  const auto drawn = texts(R"("prompt": "int", "n": 2, "seed": 3)");
  EXPECT_NE(drawn[0], drawn[1]);
  EXPECT_EQ(texts(R"("prompt": ["for", "int"], "n": 2, "seed": 3)")[3], drawn[1]);
  const auto unseeded = texts(R"("prompt": ["int", "int"])");
  EXPECT_NE(unseeded[0], unseeded[1]);
}

TEST_F(Serve, WritesWhatGenerateWrites) {
  start();
  const json answer = complete(R"({"prompt": "int", "seed": 5, "max_tokens": 30})");
  const json generated = run_ebt_json({"generate", "--model", folder_->file("model"), "--prompt",
                                       "int", "--seed", "5", "--tokens", "30", "--threads", "1"});
  EXPECT_EQ(answer["choices"][0]["text"], generated["text"]);
}

TEST_F(Serve, CleansAsDenoiseCleans) {
  for (const std::string kind : {"image", "dit"}) {
    start_with({"--image-model", folder_->file(kind)});
    const json told =
        run_ebt_json({"denoise", folder_->file("photo.png"), folder_->file("cleaned.png"),
                      "--model", folder_->file(kind), "--sigma", "30", "--seed", "4", "--steps",
                      "6", "--trace", "--threads", "1"});
    const HttpClient client(port_);
    const std::string path = "/v1/images/denoise?sigma=30&seed=4&steps=6";
    const std::string photo = read_file(folder_->file("photo.png"));
    const auto file = client.post(path, photo, "image/png", {{"Accept", "image/png"}});
    ASSERT_EQ(file.status, 200) << file.body;
    EXPECT_EQ(file.body, read_file(folder_->file("cleaned.png"))) << kind;
    const json answer = json::parse(client.post(path, photo, "image/png").body);
    EXPECT_EQ(answer["psnr"], told["psnr_by_step"]);
    EXPECT_EQ(answer["tiles"], told["tiles"]);
    EXPECT_EQ(answer.contains("energy"), kind == "image");
    if (kind == "image") {
      EXPECT_EQ(answer["energy"], told["energy"]);
    }
    program_->send(SIGTERM);
    EXPECT_EQ(program_->wait().exit_code, 0);
  }
}

TEST_F(Serve, WritesAndCleansAtTheSameTime) {
  start({"--image-model", folder_->file("image"), "--image-name", "cleaner"});
  const HttpClient client(port_);
  const json models = json::parse(client.get("/v1/models").body)["data"];
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0]["id"], "model");
  EXPECT_EQ(models[1]["id"], "cleaner");
  auto text = std::async(std::launch::async,
                         [&] { return complete(R"({"max_tokens": 300, "temperature": 0})"); });
  const auto cleaned = client.post("/v1/images/denoise?stream=true&steps=9",
                                   read_file(folder_->file("photo.png")), "image/png");
  EXPECT_NE(cleaned.body.find("\"step\":9"), std::string::npos);
  EXPECT_TRUE(cleaned.body.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(text.get()["usage"]["completion_tokens"], 300);
}

TEST_F(Serve, FinishesWhatItAcceptedAndEndsOnSigterm) {
  start();
  auto answer = std::async(std::launch::async, [&] {
    return complete(R"({"max_tokens": 2000, "temperature": 0, "thinking": {"steps": 8}})");
  });
  const HttpClient client(port_);
  for (int i = 0; i < 1000; ++i) {
    const HttpAnswer metrics = client.get("/metrics");
    if (metrics.body.find("\nebt_requests_open 1\n") != std::string::npos) {
      break;
    }
  }
  program_->send(SIGTERM);
  EXPECT_EQ(answer.get()["usage"]["completion_tokens"], 2000);
  const Outcome outcome = program_->wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "ebt: ending after 1 open requests; once more ends at once\n");
}

TEST_F(Serve, EndsAtOnceOnASecondSignal) {
  start();
  RawClient client(port_);
  client.send(post_bytes("/v1/completions",
                         R"({"max_tokens": 4000, "temperature": 0, "stream": true,
                             "thinking": {"steps": 200}})"));
  client.receive_until("text_completion");
  program_->send(SIGINT);
  while (program_->err_so_far().empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  program_->send(SIGINT);
  EXPECT_EQ(program_->wait().exit_code, 0);
  EXPECT_NE(client.receive_all().find("\"stopping\""), std::string::npos);
}

TEST_F(Serve, ReadsItsTokenFromAFile) {
  start({"--api-key-file", folder_->write("key", "secret\n")});
  HttpClient client(port_);
  EXPECT_EQ(client.get("/v1/models").status, 401);
  client.set_token("secret");
  EXPECT_EQ(client.get("/v1/models").status, 200);
}

TEST_F(Serve, UsesTheChatTemplateOfTheModel) {
  folder_->write("model/chat_template.json",
                 R"({"format_version": 1, "roles": {"system": {}, "user": {"prefix": "Q:"},
                     "assistant": {}}, "generation_prompt": "A:"})");
  start();
  const HttpClient client(port_);
  const auto answer = client.post(
      "/v1/chat/completions",
      R"({"messages": [{"role": "user", "content": "x"}], "max_tokens": 1})", "application/json");
  EXPECT_EQ(json::parse(answer.body)["usage"]["prompt_tokens"], 5) << "Q:xA:";
  std::filesystem::remove(folder_->file("model/chat_template.json"));
}

TEST_F(Serve, SaysWhatIsWrongWithItsFlags) {
  const auto refusal = [&](const Arguments& more) {
    Arguments arguments = {"serve", "--model", folder_->file("model")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    return outcome.err.substr(0, outcome.err.find('\n'));
  };
  EXPECT_EQ(refusal({"--port", "99999"}), "ebt: port: 99999 is not a whole number from 0 to 65535");
  EXPECT_EQ(refusal({"--host", "no.such.host.invalid"}).substr(0, 57),
            "ebt: serve: there is no address 'no.such.host.invalid': N");
  EXPECT_EQ(refusal({"--api-key-file", folder_->write("empty", " \n")}),
            "ebt: '" + folder_->file("empty") + "' holds no bearer token");
  EXPECT_EQ(refusal({"--max-tokens", "0"}),
            "ebt: max-tokens: 0 is not a whole number from 1 to 1000000000");
  EXPECT_EQ(refusal({"--image-model", folder_->file("model")}).substr(0, 6), "ebt: '");
  EXPECT_EQ(refusal({"--image-model", folder_->file("image"), "--image-name", "model"}),
            "ebt: serve: the model of texts and that of images are both called 'model': give one "
            "another name with --name or --image-name");
  EXPECT_EQ(refusal({"--image-model", folder_->file("image"), "--image-batch", "0"}),
            "ebt: --image-batch must be at least 1, not 0");
  EXPECT_EQ(
      refusal({"--max-image-body", "1000000000"}),
      "ebt: max-image-body: 1000000000 is more than the 100000000 bytes of JSON that are ever "
      "read");
  EXPECT_EQ(refusal({"--image-name", "cleaner"}),
            "ebt: --image-name is that of a model of images: give its --image-model");
  const Outcome misnamed =
      run_ebt({"serve", "--image-model", folder_->file("image"), "--name", "cleaner"});
  EXPECT_EQ(misnamed.exit_code, 1);
  EXPECT_EQ(misnamed.err.substr(0, misnamed.err.find('\n')),
            "ebt: --name is that of a model of texts: give its --model, or name the other by "
            "--image-name");
  const Outcome none = run_ebt({"serve"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(none.err.substr(0, none.err.find('\n')),
            "ebt: --model and --image-model are missing: name the folder of a trained model");
}

}  // namespace
}  // namespace ebt::testing
