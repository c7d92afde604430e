#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>

#include "commands.h"
#include "ebt/eval/calibration.h"
#include "ebt/io/file.h"
#include "ebt/serve/server.h"
#include "ebt/think/generator.h"
#include "evaluation.h"
#include "flags.h"

namespace ebt {
namespace {

struct ServeFlags {
  std::string model;
  std::string name;
  int64_t texts = 16;
  std::string precision = "auto";
  int64_t threads = 0;
  std::string api_key_file;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    visit("name", name, "name of the model in requests; default: that of its folder");
    visit("texts", texts, "texts written at the same time; each keeps a context in memory");
    visit("precision", precision, "what weights and cached keys are stored as: auto, fp32 or bf16");
    visit("threads", threads, "CPU threads; 0 uses all cores. Results do not depend on it");
    visit("api-key-file", api_key_file,
          "file with the bearer token that requests must carry; default: what the environment's "
          "EBT_API_KEY says, else none");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt serve --model model                             # then open http://127.0.0.1:8080\n"
    "  ebt serve --model model --port 0                    # a free port, printed when ready\n"
    "  EBT_API_KEY=secret ebt serve --model model --host 0.0.0.0\n"
    "  curl http://127.0.0.1:8080/v1/completions -H 'Content-Type: application/json' \\\n"
    "       -d '{\"prompt\": \"The command \", \"max_tokens\": 40, \"thinking\": {\"steps\": 4}}'\n"
    "Speaks OpenAI's API: /v1/models, /v1/completions, /v1/chat/completions; state at /healthz "
    "and\n"
    "/metrics. Ctrl-C or SIGTERM answers what was accepted and ends; a second one ends at once.\n"
    "docs/serving.md has all of it.";

constexpr size_t kMaxKey_bytes = 4096;

// The bearer token, or "" where none is asked for.
std::string api_key(const ServeFlags& flags) {
  std::string key;
  if (!flags.api_key_file.empty()) {
    key = read_text_file(flags.api_key_file, kMaxKey_bytes);
    key.erase(key.find_last_not_of(" \t\r\n") + 1);
    EBT_CHECK(!key.empty(), "'{}' holds no bearer token", flags.api_key_file);
  } else if (const char* const given = std::getenv("EBT_API_KEY")) {
    key = given;
  }
  return key;
}

std::string model_name(const ServeFlags& flags) {
  if (!flags.name.empty()) {
    return flags.name;
  }
  return std::filesystem::canonical(flags.model).filename().string();
}

int64_t modified_s(const std::filesystem::path& file) {
  const auto age =
      std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(file);
  return std::time(nullptr) - std::chrono::duration_cast<std::chrono::seconds>(age).count();
}

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// Waits for SIGINT or SIGTERM; false if none comes in time.
bool signalled(std::chrono::milliseconds most) {
  const sigset_t signals = ending_signals();
  const timespec time = {most.count() / 1000, (most.count() % 1000) * 1'000'000};
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

std::string url_of(const std::string& host, int port) {
  const bool is_any = host == "0.0.0.0" || host == "::";
  const std::string name = is_any ? "127.0.0.1" : host;
  return name.find(':') == std::string::npos ? fmt::format("http://{}:{}/", name, port)
                                             : fmt::format("http://[{}]:{}/", name, port);
}

// Serves until a signal, then answers what was accepted.
void serve(Server& server, const ServerOptions& options, bool json) {
  constexpr std::chrono::milliseconds kLook{200};
  const std::string url = url_of(options.host, server.start());
  if (json) {
    fmt::print("{}\n", Json{{"url", url}}.dump());
  } else {
    fmt::print("Listening on {}\n", url);
  }
  std::fflush(stdout);
  while (!signalled(kLook)) {
    if (const auto failure = server.failure()) {
      server.drain();
      server.wait_until_idle(std::chrono::seconds(5));
      fail("serve: the engine has failed: {}", *failure);
    }
  }
  server.drain();
  fmt::print(stderr, "ebt: ending after {} open requests; once more ends at once\n",
             server.open_requests());
  while (!server.wait_until_idle(kLook)) {
    if (signalled(std::chrono::milliseconds(0))) {
      server.cancel_all();
      server.wait_until_idle(std::chrono::seconds(2));
      return;
    }
  }
}

void run_serve(const Flags& command_flags) {
  ServeFlags flags;
  ServerOptions options;
  RequestLimits limits;
  command_flags.apply_to(flags);
  command_flags.apply_to(options);
  command_flags.apply_to(limits);
  open_config(flags.model);
  check_counts({{"texts", flags.texts, 1}});
  options.check();
  limits.check();
  // Every thread that is started from here on leaves these signals to this one.
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  use_threads(flags.threads);
  ServedModel model;
  model.name = model_name(flags);
  model.created = modified_s(std::filesystem::path(flags.model) / kModelFile);
  model.tokenizer = load_tokenizer(flags.model);
  model.chat = ChatTemplate::load(flags.model);
  if (const auto calibration = Calibration::load(flags.model)) {
    model.certainty = [known = *calibration](double energy) { return known.certainty(energy); };
  }
  Server server(options, limits, std::move(model), api_key(flags),
                load_generator(flags.model, {flags.texts, flags.precision}));
  serve(server, options, command_flags.json());
}

}  // namespace

void register_serve(CLI::App& app) {
  add_command(
      app, "serve", "Answer requests for texts over HTTP, and show a page that watches it think.",
      kExamples,
      [](Flags& flags) {
        flags.bind(ServeFlags{}, "Model");
        flags.bind(ServerOptions{}, "Server");
        flags.bind(RequestLimits{}, "Limits of a request");
      },
      run_serve);
}

}  // namespace ebt
