// Thousands of damaged requests. Whatever is in one, it is refused by an ApiError or becomes
// something that a generator accepts; and whatever bytes a server is sent, it lives on.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <set>

#include "ebt/io/base64.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/chat_template.h"
#include "ebt/serve/completion_request.h"
#include "ebt/serve/image_request.h"
#include "ebt/serve/request_reader.h"
#include "tests/fuzz/mutator.h"
#include "tests/support/controlled_denoiser.h"
#include "tests/support/running_server.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::Mutator;
using testing::RawClient;
using testing::RunningServer;
using testing::TemporaryFolder;

constexpr uint64_t kMutations = 5000;

constexpr char kCompletion[] =
    R"({"model": "tiny", "prompt": ["a é", "b\n"], "n": 2, "best_of": 2, "max_tokens": 5,
 "stop": ["x", "yz"], "seed": 7, "echo": true, "logprobs": 2, "temperature": 0.5, "top_p": 0.9,
 "top_k": 4, "trace": 3, "stream": true, "stream_options": {"include_usage": true},
 "logit_bias": {}, "thinking": {"steps": 4, "on": "all", "step_size": 0.5, "stop_change": 0.01,
 "candidates": 8, "choose": "drop", "budget": 1000}})";
constexpr char kChat[] =
    R"({"model": "tiny", "messages": [{"role": "system", "content": "a"}, {"role": "user",
 "content": [{"type": "text", "text": "b"}]}], "max_tokens": 5, "logprobs": true,
 "top_logprobs": 3, "n": 2, "tools": [], "response_format": {"type": "text"}})";

ServedModel bytes_model() {
  ServedModel model;
  model.name = "tiny";
  model.tokenizer = byte_tokenizer();
  return model;
}

void expect_refused_or_possible(const std::string& valid, Endpoint endpoint) {
  const ServedModel model = bytes_model();
  const RequestLimits limits;
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < kMutations && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mutation {}", seed));
    std::string body = valid;
    Mutator(seed).mutate(body, 0, body.size());
    try {
      const CompletionRequest request = parse_completion_request(body, endpoint, model, limits);
      ++accepted;
      EXPECT_LE(request.texts(), limits.max_texts);
      for (size_t text = 0; text < static_cast<size_t>(request.texts()); ++text) {
        request.generation(text, model).check(model.config);
      }
    } catch (const ApiError& error) {
      EXPECT_TRUE(error.status() == 400 || error.status() == 404);
      EXPECT_LT(std::strlen(error.what()), 1000U);
      EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "escaped: " << error.what();
    }
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

TEST(FuzzCompletionRequest, IsRefusedOrPossible) {
  expect_refused_or_possible(kCompletion, Endpoint::kCompletions);
}

TEST(FuzzChatRequest, IsRefusedOrPossible) { expect_refused_or_possible(kChat, Endpoint::kChat); }

TEST(FuzzChatTemplate, IsRefusedOrRenders) {
  const TemporaryFolder folder;
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < kMutations && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mutation {}", seed));
    std::string text = R"({"format_version": 1, "begin": "<s>", "roles": {"system": {"prefix": "S"},
      "user": {"prefix": "U", "suffix": "u"}, "assistant": {"suffix": "a"}},
      "generation_prompt": "A", "stop": ["U", "S"]})";
    Mutator(seed).mutate(text, 0, text.size());
    folder.write(kChatTemplateFile, text);
    try {
      const ChatTemplate chat = ChatTemplate::load(folder.path());
      EXPECT_NE(chat.render({{"system", "one"}, {"assistant", "two"}}).find("two"),
                std::string::npos);
      ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << error.what();
    }
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

// Reads `kMutations` damaged requests for images. Whatever is accepted is within the limits.
template <class Read>
void expect_images_refused_or_possible(Read&& read) {
  RequestLimits limits;
  limits.max_image_pixels = 5000;
  ServedImageModel model;
  model.name = "cleaner";
  model.trained_timestep = 99;
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < kMutations && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mutation {}", seed));
    try {
      const ImageRequest request = read(Mutator(seed), model, limits);
      ++accepted;
      const Image& image = request.image;
      EXPECT_GT(image.width * image.height, 0);
      EXPECT_LE(image.width * image.height, limits.max_image_pixels);
      EXPECT_EQ(static_cast<int64_t>(image.pixels.size()),
                image.width * image.height * image.channels);
      EXPECT_GE(request.options.denoise.steps, 1);
      EXPECT_LE(request.options.denoise.steps, limits.max_thinking_steps);
      EXPECT_GE(request.options.denoise.energy_tolerance, 0);
      EXPECT_GE(request.options.noise.timestep, 0);
      EXPECT_LT(request.options.noise.timestep, 1000);
      EXPECT_GT(request.options.noise.signal, 0);
    } catch (const ApiError& error) {
      EXPECT_TRUE(error.status() == 400 || error.status() == 404 || error.status() == 413);
      EXPECT_LT(std::strlen(error.what()), 1000U);
      EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "escaped: " << error.what();
    }
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

std::string small_png() {
  Image image{12, 17, 3, {}};
  for (int i = 0; i < 12 * 17 * 3; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(i * i % 251));
  }
  return encode_png(image);
}

TEST(FuzzImageRequest, IsRefusedOrPossible) {
  const std::string file = base64(small_png());
  const std::string fields =
      R"({"model": "cleaner", "steps": 4, "energy_tolerance": 0.001, "sigma": 25, "seed": 7,
 "stream": true, "input_sigma": null, "image": "data:image/png;base64,)";
  expect_images_refused_or_possible(
      [&](Mutator mutator, const ServedImageModel& model, const RequestLimits& limits) {
        std::string body = fields + file + "\"}";
        mutator.mutate(body, 0, mutator.below(2) == 0 ? fields.size() : body.size());
        return parse_image_request(body, model, limits);
      });
}

TEST(FuzzImageUpload, IsRefusedOrPossible) {
  const std::string valid = small_png();
  expect_images_refused_or_possible(
      [&](Mutator mutator, const ServedImageModel& model, const RequestLimits& limits) {
        QueryParameters query = {{"steps", "4"}, {"sigma", "25"}, {"stream", "true"}};
        std::string file = valid;
        if (mutator.below(2) == 0) {
          mutator.mutate_bytes(file, 0, file.size());
        } else {
          auto& [name, text] = *std::next(query.begin(), static_cast<long>(mutator.below(3)));
          mutator.mutate(text, 0, text.size());
          query.emplace(mutator.below(4) == 0 ? "steps" : "seed", "3");
        }
        return parse_image_upload(file, query, model, limits);
      });
}

// Bytes that are no HTTP, or no longer.
std::string damaged_http(uint64_t seed) {
  static constexpr const char* kHeaders[] = {
      "Content-Length: -1",
      "Content-Length: 99999999999999999999",
      "Content-Length: 5\r\nContent-Length: 50",
      "Content-Length: 1x",
      "Transfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 3",
      "Range: bytes=0-1,2-3,5-1",
      "Expect: 100-continue",
      "Content-Type: multipart/form-data; boundary=a",
      "Connection: close",
      "Accept-Encoding: gzip, br",
      "Authorization: Bearer \xff\xfe",
      "Host: \x01",
  };
  static constexpr const char* kLines[] = {"POST /v1/completions HTTP/1.1",
                                           "POST /v1/chat/completions HTTP/1.1",
                                           "POST /v1/images/denoise HTTP/1.1",
                                           "POST /v1/images/denoise?steps=%zz&sigma=& HTTP/1.1",
                                           "GET / HTTP/1.1",
                                           "GET /%00%ff%zz HTTP/1.1",
                                           "HEAD /metrics HTTP/1.0",
                                           "BREW / HTTP/1.1",
                                           "POST /v1/completions",
                                           "GET /v1/models/../../etc/passwd HTTP/1.1"};
  Mutator mutator(seed);
  std::string bytes = kLines[mutator.below(std::size(kLines))];
  bytes += "\r\n";
  if (mutator.below(8) != 0) {
    bytes += "Host: localhost\r\n";
  }
  if (mutator.below(2) == 0) {
    bytes += mutator.below(4) == 0 ? "Content-Type: image/png\r\n"
                                   : "Content-Type: application/json\r\n";
  }
  for (size_t count = mutator.below(4); count > 0; --count) {
    bytes += kHeaders[mutator.below(std::size(kHeaders))];
    bytes += "\r\n";
  }
  if (mutator.below(8) == 0) {
    bytes += "X: " + std::string(10'000, '0' + static_cast<char>(mutator.below(10))) + "\r\n";
  }
  std::string body = mutator.below(2) == 0 ? kCompletion : "5\r\n{\"n\":\r\n1\r\n1\r\n0\r\n\r\n";
  if (mutator.below(2) == 0) {
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  bytes += "\r\n" + body;
  mutator.mutate(bytes, 0, bytes.size());
  return bytes;
}

// What a reader makes of the requests in a stream of bytes, which arrives in pieces and then ends.
std::string requests_in(const std::string& bytes, const std::vector<size_t>& cuts) {
  std::array<int, 2> sockets{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets.data()), 0);
  size_t at = 0;
  for (const size_t cut : cuts) {  // each piece is received by itself
    EXPECT_EQ(send(sockets[0], bytes.data() + at, cut - at, MSG_NOSIGNAL),
              static_cast<ssize_t>(cut - at));
    at = cut;
  }
  close(sockets[0]);
  Connection connection(sockets[1], {});
  std::string seen;
  try {
    for (;;) {
      RequestReader reader(connection);
      if (!reader.read_head()) {
        return seen + "end";
      }
      const HttpRequest& request = reader.request();
      EXPECT_LE(request.fields.size(), kMostFields);
      seen += request.method + " " + request.path + " for " + request.host + "\n";
      for (const HttpField& field : request.fields) {
        EXPECT_EQ((field.name + field.value).find_first_of(std::string("\0\r\n", 3)),
                  std::string::npos);
        seen += field.name + "=" + field.value + "\n";
      }
      const std::string body = reader.read_body(kMostHead_bytes);
      EXPECT_TRUE(body.empty() || request.has("Content-Length") ||
                  request.has("Transfer-Encoding"));
      seen += body + "\n";
    }
  } catch (const ApiError& error) {
    EXPECT_TRUE(error.status() >= 400 && error.status() <= 505);
    EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << error.what();
    return seen + std::to_string(error.status());
  }
}

// However bytes are cut into packets, they are the same requests.
TEST(FuzzRequestReader, ReadsTheSameInAnyPieces) {
  const std::string head = " HTTP/1.1\r\nHost: localhost:80\r\nContent-Type: text/plain\r\n";
  const std::string valid = "POST /a%20b?c=d&e" + head +
                            "Content-Length: 12\r\n\r\nGET / HTTP\r\n" + "PUT http://a.example/x" +
                            head +
                            "Transfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n00B\r\n"
                            "0\r\n\r\nGET / \r\n0\r\nTrailer: x\r\n\r\nGET /" +
                            head + "\r\n";
  EXPECT_TRUE(requests_in(valid, {valid.size()}).ends_with("end"));
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < kMutations && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mutation {}", seed));
    Mutator mutator(seed);
    std::string bytes = valid;
    mutator.mutate(bytes, 0, bytes.size());
    ASSERT_LT(bytes.size(), 16'384U) << "a piece must not be larger than what is read at once";
    if (bytes.empty()) {
      continue;
    }
    std::set<size_t> cuts = {bytes.size()};
    for (int i = 0; i < 6; ++i) {
      cuts.insert(1 + mutator.below(bytes.size()));
    }
    const std::string whole = requests_in(bytes, {bytes.size()});
    accepted += whole.ends_with("end") ? 1 : 0;
    EXPECT_EQ(requests_in(bytes, {cuts.begin(), cuts.end()}), whole) << bytes;
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

TEST(FuzzHttp, LeavesTheServerAlive) {
  constexpr uint64_t kConnections = 1500;
  testing::ServerSetup setup;
  setup.options.read_timeout_s = 0.05;
  setup.options.idle_timeout_s = 0.05;
  setup.images = std::make_unique<testing::ControlledDenoiser>(
      testing::small_image_model(), 4, std::make_shared<testing::DenoiserControls>());
  const RunningServer server(std::move(setup));
  uint64_t answered = 0;
  for (uint64_t seed = 0; seed < kConnections; ++seed) {
    RawClient client(server.port());
    client.send(damaged_http(seed));
    const std::string answer =
        client.receive_until(seed % 16 == 0 ? "never" : "\r\n\r\n", std::chrono::seconds(5));
    answered += answer.starts_with("HTTP/1.1 ") ? 1 : 0;
    EXPECT_EQ(answer.find("HTTP/1.1 500"), std::string::npos) << seed << "\n" << answer;
  }
  EXPECT_GT(answered, kConnections / 2);
  EXPECT_EQ(server.post("/v1/completions", "{\"max_tokens\": 3}").first, 200);
  EXPECT_EQ(server.client().post("/v1/images/denoise", small_png(), "image/png").status, 200);
  EXPECT_TRUE(server.reaches("ebt_requests_open", 0));
  EXPECT_TRUE(server.reaches("ebt_texts_running", 0));
  EXPECT_TRUE(server.reaches("ebt_images_running", 0));
}

}  // namespace
}  // namespace ebt
