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
#include "ebt/core/message.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/eval/calibration.h"
#include "ebt/io/file.h"
#include "ebt/model/model_folder.h"
#include "ebt/serve/server.h"
#include "ebt/think/generator.h"
#include "ebt/think/open_model.h"
#include "ebt/train/image_train_config.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_train_config.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"

namespace ebt {
namespace {

struct ServeFlags {
  std::string model;
  std::string name;
  int64_t texts = 16;
  std::string image_model;
  std::string image_name;
  int64_t image_batch = 32;
  std::string precision = "auto";
  int64_t threads = 0;
  std::string api_key_file;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model of text");
    visit("name", name, "name of the model in requests; default: that of its folder");
    visit("texts", texts, "texts written at the same time; each keeps a context in memory");
    visit("image-model", image_model,
          "folder of a model of images that 'ebt train image' or 'ebt train dit' made, beside the "
          "other or instead of it");
    visit("image-name", image_name, "its name in requests, likewise");
    visit("image-batch", image_batch,
          "tiles of an image at a time; an image of no more is seen while it is thought about");
    visit("precision", precision, "what weights and cached keys are stored as: auto, fp32 or bf16");
    visit("threads", threads, kThreadsHelp);
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
    "  ebt serve --image-model denoiser                    # cleans images; the page shows how\n"
    "  curl 'http://127.0.0.1:8080/v1/images/denoise?input_sigma=25' --data-binary @noisy.png \\\n"
    "       -H 'Content-Type: image/png' -H 'Accept: image/png' -o clean.png\n"
    "Speaks OpenAI's API: /v1/models, /v1/completions, /v1/chat/completions, and beside it\n"
    "/v1/images/denoise; state at /healthz and /metrics. Ctrl-C or SIGTERM answers what was\n"
    "accepted and ends; a second one ends at once.\n"
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

// What a model is called where it is given no name: as its folder. Always UTF-8, as requests are.
std::string model_name(const std::string& name, const std::string& folder) {
  return escape_bytes(name.empty() ? std::filesystem::canonical(folder).filename().string() : name);
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
    output_json(Json{{"url", url}}, -1);
  } else {
    fmt::print("Listening on {}\n", url);
  }
  flush_output();
  while (!signalled(kLook)) {
    if (const auto failure = server.failure()) {
      server.drain();
      server.wait_until_idle(std::chrono::seconds(5));
      fail("serve: the engine has failed: {}", *failure);
    }
  }
  server.drain();
  tell(
      fmt::format("ending after {} open requests; once more ends at once", server.open_requests()));
  while (!server.wait_until_idle(kLook)) {
    if (signalled(std::chrono::milliseconds(0))) {
      server.cancel_all();
      server.wait_until_idle(std::chrono::seconds(2));
      return;
    }
  }
}

TextModelSource open_texts(const ServeFlags& flags) {
  TextModelSource source;
  ServedModel& model = source.model;
  model.name = model_name(flags.name, flags.model);
  model.created = modified_s(std::filesystem::path(flags.model) / kModelFile);
  model.tokenizer = load_tokenizer(flags.model);
  model.chat = ChatTemplate::load(flags.model);
  if (const auto calibration = Calibration::load(flags.model)) {
    model.certainty = [known = *calibration](double energy) { return known.certainty(energy); };
  }
  source.generator = load_generator(flags.model, {flags.texts, flags.precision});
  return source;
}

ImageModelSource open_images(const ServeFlags& flags) {
  ImageModelSource source;
  source.denoiser = load_image_denoiser(flags.image_model, flags.image_batch, flags.precision);
  source.model.name = model_name(flags.image_name, flags.image_model);
  source.model.created = modified_s(std::filesystem::path(flags.image_model) / kModelFile);
  return source;
}

// What can be known to be wrong before anything large is read.
void check(const ServeFlags& flags) {
  EBT_CHECK(!flags.model.empty() || !flags.image_model.empty(),
            "--model and --image-model are missing: name the folder of a trained model");
  EBT_CHECK(
      flags.name.empty() || !flags.model.empty(),
      "--name is that of a model of texts: give its --model, or name the other by --image-name");
  EBT_CHECK(flags.image_name.empty() || !flags.image_model.empty(),
            "--image-name is that of a model of images: give its --image-model");
  if (!flags.model.empty()) {
    load_config<TextTrainConfig>(flags.model);
  }
  if (!flags.image_model.empty()) {
    load_config<ImageTrainConfig>(flags.image_model);
  }
  check_counts({{"texts", flags.texts, 1}, {"image-batch", flags.image_batch, 1}});
}

void run_serve(const Flags& command_flags) {
  ServeFlags flags;
  ServerOptions options;
  RequestLimits limits;
  command_flags.apply_to(flags);
  command_flags.apply_to(options);
  command_flags.apply_to(limits);
  check(flags);
  options.check();
  limits.check();
  // Every thread that is started from here on leaves these signals to this one.
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  use_threads(flags.threads);
  ModelSources sources;
  if (!flags.model.empty()) {
    sources.texts = open_texts(flags);
  }
  if (!flags.image_model.empty()) {
    sources.images = open_images(flags);
  }
  Server server(options, limits, api_key(flags), std::move(sources));
  serve(server, options, command_flags.json());
}

}  // namespace

void register_serve(CLI::App& app) {
  add_command(
      app, "serve",
      "Answer requests for texts and for cleaned images over HTTP, and show a page that watches it "
      "think.",
      kExamples,
      [](Flags& flags) {
        flags.bind(ServeFlags{}, "Model");
        flags.bind(ServerOptions{}, "Server");
        flags.bind(RequestLimits{}, "Limits of a request");
      },
      run_serve);
}

}  // namespace ebt
