// A generator whose model is a table of which token follows which, for tests of what uses one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/kernels/rng.h"
#include "ebt/think/generator.h"

namespace ebt::testing {

// P(next | last) for every pair of V tokens.
class BigramTable {
 public:
  explicit BigramTable(int64_t vocab_size)
      : vocab_size_(vocab_size),
        p_(static_cast<size_t>(vocab_size * vocab_size), 1.0 / static_cast<double>(vocab_size)) {}

  // Counted from a text, every pair having been seen `prior` times before.
  static BigramTable of(std::span<const int32_t> tokens, int64_t vocab_size, double prior) {
    BigramTable table(vocab_size);
    std::fill(table.p_.begin(), table.p_.end(), prior);
    for (size_t i = 1; i < tokens.size(); ++i) {
      table.row(tokens[i - 1])[tokens[i]] += 1;
    }
    for (int64_t last = 0; last < vocab_size; ++last) {
      double* const row = table.row(static_cast<int32_t>(last));
      const double total = std::accumulate(row, row + vocab_size, 0.0);
      std::for_each(row, row + vocab_size, [&](double& p) { p /= total; });
    }
    return table;
  }

  int64_t vocab_size() const { return vocab_size_; }
  double* row(int32_t last) { return p_.data() + last * vocab_size_; }
  const double* row(int32_t last) const { return p_.data() + last * vocab_size_; }
  // Makes `next` follow `last` with this probability, and every other token equally.
  void set(int32_t last, int32_t next, double probability) {
    std::fill(row(last), row(last) + vocab_size_,
              (1 - probability) / static_cast<double>(vocab_size_ - 1));
    row(last)[next] = probability;
  }

 private:
  int64_t vocab_size_;
  std::vector<double> p_;
};

// Thinks so: step k leaves 2^-k of the uniform prediction that it starts from, and the rest is the
// table's. The energy of a prediction is 1 less its largest probability; candidate c adds c / 100.
// A baseline predicts as the table says. A step is a pass of one row, a token of context another.
// Every step() thinks about one token of every running text from beginning to end.
class BigramGenerator : public Generator {
 public:
  static constexpr int64_t kDefaultSteps = 2;

  explicit BigramGenerator(BigramTable table, int64_t capacity = 3,
                           Architecture arch = Architecture::kEbt)
      : table_(std::move(table)), capacity_(capacity) {
    config_.arch = arch;
    config_.vocab_size = table_.vocab_size();
  }

  int64_t most_submitted() const { return most_submitted_; }

  const TextModelConfig& config() const override { return config_; }
  int64_t capacity() const override { return capacity_; }
  int64_t running() const override {
    return std::min(capacity_, static_cast<int64_t>(texts_.size()));
  }
  int64_t waiting() const override { return static_cast<int64_t>(texts_.size()) - running(); }

  int64_t submit(GenerationRequest request, GenerationCallbacks callbacks) override {
    EBT_CHECK(!request.prompt.empty(), "the prompt has no token");
    auto text = std::make_unique<Text>();
    text->id = next_id_++;
    text->next =
        request.score_from >= 1 ? static_cast<size_t>(request.score_from) : request.prompt.size();
    text->request = std::move(request);
    text->callbacks = std::move(callbacks);
    text->tokens = text->request.prompt;
    texts_.push_back(std::move(text));
    most_submitted_ = std::max(most_submitted_, static_cast<int64_t>(texts_.size()));
    return texts_.back()->id;
  }

  void cancel(int64_t id) override {
    for (const auto& text : texts_) {
      if (text->id == id) {
        text->cancelled = true;
      }
    }
    if (!stepping_) {
      remove_finished();
    }
  }

  bool step() override {
    const auto count = static_cast<size_t>(running());
    if (count == 0) {
      return false;
    }
    stepping_ = true;
    for (size_t i = 0; i < count; ++i) {
      advance(*texts_[i]);
    }
    stepping_ = false;
    remove_finished();
    return true;
  }

 private:
  struct Text {
    int64_t id = 0;
    GenerationRequest request;
    GenerationCallbacks callbacks;
    std::vector<int32_t> tokens;
    size_t next = 0;     // the token to report next
    size_t context = 0;  // tokens that passes went through
    int64_t written = 0;
    bool finished = false;
    bool cancelled = false;
    FinishReason reason = FinishReason::kLength;
  };

  std::vector<double> prediction(int32_t last, double learned) const {
    const auto count = static_cast<size_t>(table_.vocab_size());
    std::vector<double> p(count, (1 - learned) / static_cast<double>(count));
    for (size_t v = 0; v < count; ++v) {
      p[v] += learned * table_.row(last)[v];
    }
    return p;
  }

  static std::vector<TokenProbability> likeliest(const std::vector<double>& p, int64_t count) {
    std::vector<int32_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return p[static_cast<size_t>(a)] > p[static_cast<size_t>(b)];
    });
    std::vector<TokenProbability> top;
    for (const int32_t token : order) {
      if (static_cast<int64_t>(top.size()) < count) {
        top.push_back({token, std::log(p[static_cast<size_t>(token)])});
      }
    }
    return top;
  }

  static double energy_of(const std::vector<double>& p) {
    return 1 - *std::max_element(p.begin(), p.end());
  }

  void advance(Text& text) {
    const GenerationRequest& request = text.request;
    const bool from_prompt = text.next < request.prompt.size();
    if (!from_prompt && text.written == request.max_tokens) {
      text.finished = true;
      return;
    }
    TokenReport report;
    report.from_prompt = from_prompt;
    const int32_t last = text.tokens[text.next - 1];
    std::vector<double> p = prediction(last, config_.arch == Architecture::kEbt ? 0 : 1);
    if (config_.arch == Architecture::kEbt) {
      think(request, last, p, report);
    }
    report.forward_passes = static_cast<int64_t>(text.next - text.context) + report.thinking_steps;
    text.context = text.next;
    report.top = likeliest(p, request.top_tokens);
    report.token = from_prompt ? text.tokens[text.next] : choose(text, p);
    report.log_probability = std::log(p[static_cast<size_t>(report.token)]);
    if (!from_prompt) {
      if (report.token == request.end_token) {
        text.finished = true;
        text.reason = FinishReason::kEnd;
        return;
      }
      text.tokens.push_back(report.token);
      ++text.written;
    }
    ++text.next;
    text.callbacks.on_token(report);
    text.finished = text.next >= request.prompt.size() && text.written == request.max_tokens;
  }

  static int64_t steps_of(const ThinkOptions& think) {
    return think.steps > 0 ? think.steps : kDefaultSteps;
  }

  void think(const GenerationRequest& request, int32_t last, std::vector<double>& p,
             TokenReport& report) const {
    report.states.push_back({energy_of(p), 0, {}});
    for (int64_t step = 1; step <= steps_of(request.think); ++step) {
      p = prediction(last, 1 - std::pow(0.5, static_cast<double>(step)));
      const double before = report.states.back().energy;
      report.states.push_back({energy_of(p), 0, {}});
      report.thinking_steps += request.think.candidates;
      if (std::abs(before - report.states.back().energy) < request.think.stop_change) {
        break;
      }
    }
    for (int64_t c = 0; c < request.think.candidates; ++c) {
      report.candidate_energies.push_back(report.energy() + static_cast<double>(c) / 100);
    }
  }

  static int32_t choose(const Text& text, const std::vector<double>& p) {
    const SamplingOptions& sampling = text.request.sampling;
    if (sampling.temperature == 0) {
      return likeliest(p, 1)[0].token;
    }
    const RandomStream random{sampling.seed, RandomPurpose::kSampling, 0};
    double left = random.uniform(static_cast<uint64_t>(text.written));
    for (size_t v = 0; v + 1 < p.size(); ++v) {
      left -= p[v];
      if (left < 0) {
        return static_cast<int32_t>(v);
      }
    }
    return static_cast<int32_t>(p.size()) - 1;
  }

  void remove_finished() {
    for (size_t i = 0; i < texts_.size();) {
      if (!texts_[i]->finished && !texts_[i]->cancelled) {
        ++i;
        continue;
      }
      const std::unique_ptr<Text> text = std::move(texts_[i]);
      texts_.erase(texts_.begin() + static_cast<std::ptrdiff_t>(i));
      text->callbacks.on_finish(text->finished ? text->reason : FinishReason::kCancelled);
    }
  }

  BigramTable table_;
  int64_t capacity_;
  TextModelConfig config_;
  int64_t next_id_ = 1;
  int64_t most_submitted_ = 0;
  bool stepping_ = false;
  std::deque<std::unique_ptr<Text>> texts_;
};

}  // namespace ebt::testing
