// A generator that writes what it was told to, for tests of what stands around one.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/think/generator.h"

namespace ebt::testing {

// What a test may change while a generator runs.
struct GeneratorControls {
  std::atomic<bool> held{false};        // no text grows
  std::atomic<int64_t> hold_after{-1};  // passes until no text grows
  std::atomic<int64_t> fail_after{-1};  // passes until one throws
  std::atomic<int64_t> passes{0};
};

// Token i of a text is byte (sum of the prompt's tokens + seed + i) of the script, taken round and
// round; a '\0' in it stands for a prediction that is not finite, and \x01 for the end token. Byte
// b has log-probability -b / 100 and is the second likeliest; the likeliest is b + 1. Thinking
// takes `steps` (default 2) from energy 10 down to 10 - steps. Every pass writes or scores one
// token of each running text.
class ScriptedGenerator : public Generator {
 public:
  ScriptedGenerator(std::string script, int64_t capacity,
                    std::shared_ptr<GeneratorControls> controls = nullptr,
                    Architecture arch = Architecture::kEbt)
      : script_(std::move(script)), capacity_(capacity), controls_(std::move(controls)) {
    config_.arch = arch;
    if (!controls_) {
      controls_ = std::make_shared<GeneratorControls>();
    }
  }

  const TextModelConfig& config() const override { return config_; }
  int64_t capacity() const override { return capacity_; }
  int64_t running() const override {
    return std::min(capacity_, static_cast<int64_t>(texts_.size()));
  }
  int64_t waiting() const override { return static_cast<int64_t>(texts_.size()) - running(); }

  int64_t submit(GenerationRequest request, GenerationCallbacks callbacks) override {
    request.check(config_);
    auto text = std::make_unique<Text>();
    text->id = next_id_++;
    text->scored =
        request.score_from > 0 ? request.score_from : static_cast<int64_t>(request.prompt.size());
    text->request = std::move(request);
    text->callbacks = std::move(callbacks);
    texts_.push_back(std::move(text));
    return texts_.back()->id;
  }

  void cancel(int64_t id) override {
    for (const auto& text : texts_) {
      if (text->id == id && !text->over) {
        text->over = true;
        text->reason = FinishReason::kCancelled;
      }
    }
    if (!stepping_) {
      finish_texts();
    }
  }

  bool step() override {
    if (texts_.empty()) {
      return false;
    }
    EBT_CHECK(controls_->fail_after < 0 || controls_->passes < controls_->fail_after,
              "the generator was told to fail");
    if (controls_->held ||
        (controls_->hold_after >= 0 && controls_->passes >= controls_->hold_after)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return true;
    }
    ++controls_->passes;
    stepping_ = true;
    const int64_t count = running();
    for (int64_t i = 0; i < count; ++i) {
      advance(*texts_[static_cast<size_t>(i)]);
    }
    stepping_ = false;
    finish_texts();
    return true;
  }

 private:
  struct Text {
    int64_t id = 0;
    GenerationRequest request;
    GenerationCallbacks callbacks;
    int64_t scored = 0;
    int64_t written = 0;
    bool over = false;
    FinishReason reason = FinishReason::kLength;
  };

  static TokenReport report_of(const GenerationRequest& request, int32_t token) {
    TokenReport report;
    report.token = token;
    report.log_probability = -token / 100.0;
    const std::vector<TokenProbability> top = {{(token + 1) % 256, -0.1},
                                               {token, report.log_probability}};
    const auto count = static_cast<size_t>(std::min<int64_t>(request.top_tokens, 2));
    report.top.assign(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(count));
    return report;
  }

  void think(const GenerationRequest& request, TokenReport& report) const {
    if (config_.arch == Architecture::kEbt) {
      const int64_t steps = request.think.steps > 0 ? request.think.steps : 2;
      for (int64_t step = 0; step <= steps; ++step) {
        report.states.push_back({10.0 - static_cast<double>(step), 0, {}});
        if (request.trace) {
          report.states.back().entropy = 1;
          report.states.back().top = report.top;
        }
      }
      report.candidate_energies.assign(static_cast<size_t>(request.think.candidates),
                                       report.energy());
      report.thinking_steps = steps * request.think.candidates;
    }
    report.forward_passes = report.thinking_steps + 1;
  }

  void advance(Text& text) {
    const GenerationRequest& request = text.request;
    if (text.scored < static_cast<int64_t>(request.prompt.size())) {
      TokenReport report = report_of(request, request.prompt[static_cast<size_t>(text.scored++)]);
      report.from_prompt = true;
      think(request, report);
      text.callbacks.on_token(report);
    } else if (text.written < request.max_tokens) {
      uint64_t at = request.sampling.seed + static_cast<uint64_t>(text.written);
      for (const int32_t token : request.prompt) {
        at += static_cast<uint64_t>(token);
      }
      const char byte = script_[at % script_.size()];
      if (byte == '\0' || byte == '\x01') {
        text.over = true;
        text.reason = byte == '\0' ? FinishReason::kNotFinite : FinishReason::kEnd;
        if (byte == '\x01' && text.callbacks.on_end) {
          TokenReport report = report_of(request, request.end_token);
          think(request, report);
          text.callbacks.on_end(report);
        }
        return;
      }
      TokenReport report = report_of(request, static_cast<unsigned char>(byte));
      think(request, report);
      ++text.written;
      text.callbacks.on_token(report);
    }
    text.over = text.over || (text.scored >= static_cast<int64_t>(request.prompt.size()) &&
                              text.written == request.max_tokens);
  }

  void finish_texts() {
    for (size_t i = 0; i < texts_.size();) {
      if (!texts_[i]->over) {
        ++i;
        continue;
      }
      const std::unique_ptr<Text> text = std::move(texts_[i]);
      texts_.erase(texts_.begin() + static_cast<std::ptrdiff_t>(i));
      text->callbacks.on_finish(text->reason);
    }
  }

  std::string script_;
  int64_t capacity_;
  std::shared_ptr<GeneratorControls> controls_;
  TextModelConfig config_;
  int64_t next_id_ = 1;
  bool stepping_ = false;
  std::deque<std::unique_ptr<Text>> texts_;
};

}  // namespace ebt::testing
