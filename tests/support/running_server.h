// A server in this process, on a free port of the loopback, over a generator of the test's choice.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "ebt/serve/server.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_generator.h"

namespace ebt::testing {

// After which a test takes a server to hang, on however slow a machine.
inline constexpr std::chrono::minutes kPatience{1};

struct ServerSetup {
  std::string name = "tiny";
  std::string script = "abcdefghijklmnopqrstuvwxyz";
  int64_t capacity = 4;
  ServerOptions options;
  RequestLimits limits;
  std::string api_key;
  bool texts = true;
  std::unique_ptr<ImageDenoiser> images = nullptr;  // served as "cleaner"
};

class RunningServer {
 public:
  explicit RunningServer(ServerSetup setup = {}) {
    setup.options.port = 0;
    ModelSources sources;
    if (setup.texts) {
      ServedModel model;
      model.name = setup.name;
      model.tokenizer = byte_tokenizer();
      sources.texts = {std::move(model),
                       std::make_unique<ScriptedGenerator>(setup.script, setup.capacity, controls)};
    }
    if (setup.images) {
      ServedImageModel model;
      model.name = "cleaner";
      sources.images = {std::move(model), std::move(setup.images)};
    }
    server_ =
        std::make_unique<Server>(setup.options, setup.limits, setup.api_key, std::move(sources));
    port_ = server_->start();
  }

  int port() const { return port_; }
  Server& server() { return *server_; }
  void stop() { server_.reset(); }

  HttpClient client() const { return HttpClient(port_); }

  // Status and body of an answer; -1 where there is none.
  std::pair<int, std::string> post(const std::string& path, const std::string& body) const {
    const HttpAnswer answer = client().post(path, body);
    return {answer.status, answer.body};
  }
  std::pair<int, std::string> get(const std::string& path) const {
    const HttpAnswer answer = client().get(path);
    return {answer.status, answer.body};
  }

  // A line of /metrics, or -1.
  int64_t metric(const std::string& name) const {
    const std::string text = "\n" + get("/metrics").second;
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + name.size() + 2));
  }
  int64_t ended(const std::string& outcome) const {
    return metric("ebt_requests_finished_total{outcome=\"" + outcome + "\"}");
  }
  // Waits until a metric has a value; false: it has not within kPatience.
  bool reaches(const std::string& name, int64_t value) const {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (metric(name) != value) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  std::shared_ptr<GeneratorControls> controls = std::make_shared<GeneratorControls>();

 private:
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

// The objects of a stream of events; "[DONE]" is a string.
inline std::vector<nlohmann::json> events_of(const std::string& body) {
  std::vector<nlohmann::json> events;
  constexpr std::string_view kData = "data: ";
  for (size_t at = 0; (at = body.find(kData, at)) != std::string::npos;) {
    at += kData.size();
    const std::string line = body.substr(at, body.find("\n\n", at) - at);
    events.push_back(line == "[DONE]" ? nlohmann::json(line) : nlohmann::json::parse(line));
  }
  return events;
}

}  // namespace ebt::testing
