#include "ebt/think/text_generator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/rng.h"
#include "ebt/think/distribution.h"

namespace ebt {
namespace {

// Context rows of a pass: enough to fill a prompt at the speed of products, few enough that texts
// which are already thinking hardly wait.
constexpr int64_t kContextRows = 256;

// Candidates of a pass: logits of a large vocabulary are large.
int64_t candidate_rows(const TextModelConfig& config, int64_t texts) {
  return std::max<int64_t>(2 * texts, config.vocab_size > 8192 ? 32 : 128);
}

const TextModelConfig& checked(const TextModelConfig& model, const TextThinkingConfig& trained,
                               int64_t texts) {
  model.check();
  if (model.arch == Architecture::kEbt) {
    trained.check();
  }
  EBT_CHECK(texts > 0, "generate: {} texts at a time", texts);
  return model;
}

template <class T, class S>
size_t workspace_bytes(const TextModelConfig& model, const TextThinkingConfig& trained,
                       const RowWeights<T, S>& weights, PassRows most, int64_t texts) {
  Arena measure;
  const KeyCache<S> cache(measure, model, texts, model.context + model.lead());
  const Thoughts<T, S> thoughts(measure, model, trained, weights, cache, most, {});
  return measure.peak_bytes();
}

}  // namespace

// About one token of a text: what is it? Candidates think, one is kept, a token follows.
template <class T, class S>
struct TextGenerator<T, S>::Question {
  int64_t position = 0;
  std::vector<int64_t> most_steps;  // of every candidate
  int64_t started = 0, done = 0;    // candidates
  int64_t best = -1;                // candidate
  double best_key = 0;
  std::vector<T> best_logits;
  bool chosen = false;  // the token
  bool last = false;    // nothing is written: the text ends here
  TokenReport report;

  int64_t candidates() const { return static_cast<int64_t>(most_steps.size()); }
  bool complete() const { return chosen && done == candidates(); }
};

template <class T, class S>
struct TextGenerator<T, S>::Text {
  int64_t id = 0;
  GenerationRequest request;
  GenerationCallbacks callbacks;
  std::vector<int32_t> tokens;  // the prompt, then what was written
  std::vector<PlannedStep> plan;
  int64_t slot = 0;
  int64_t window = 0;  // first token in the cache
  int64_t cached = 0;  // tokens there, those of the next pass included
  int64_t next = 0;    // position of the next question
  int64_t spent = 0;   // thinking steps
  std::deque<std::unique_ptr<Question>> questions;
  bool over = false;  // no more questions
  FinishReason reason = FinishReason::kLength;
  bool cancelled = false;

  int64_t prompt_size() const { return static_cast<int64_t>(request.prompt.size()); }
  int64_t size() const { return static_cast<int64_t>(tokens.size()); }
  int64_t written() const { return size() - prompt_size(); }
  bool scores(int64_t position) const {
    return request.score_from > 0 && position >= request.score_from && position < prompt_size();
  }
  bool writes(int64_t position) const {
    return position == size() && written() < request.max_tokens;
  }
  // Goes on to the question after the one at `position`.
  void go_on(int64_t position) {
    next = position + 1;
    over = over || (next == prompt_size() && request.max_tokens == 0);
  }
  // Tokens that some question needs in the context.
  int64_t needed() const { return over ? 0 : request.max_tokens > 0 ? size() : prompt_size() - 1; }
};

template <class T, class S>
TextGenerator<T, S>::TextGenerator(const TextModelConfig& model, const TextThinkingConfig& trained,
                                   std::unique_ptr<ParameterLayout> layout,
                                   ParameterBlock<T> weights, int64_t texts, ThinkingNoise<T> noise)
    : config_(checked(model, trained, texts)),
      trained_(trained),
      layout_(std::move(layout)),
      parameters_(std::move(weights)),
      weights_(model, text_weights<const T>(model, std::as_const(parameters_))),
      most_{candidate_rows(model, texts),
            std::max(kContextRows, KeyCache<S>::contexts_of(model) * (1 + model.lead()))},
      arena_(workspace_bytes(model, trained, weights_, most_, texts)),
      cache_(arena_, model, texts, model.context + model.lead()),
      thoughts_(arena_, model, trained, weights_, cache_, most_, std::move(noise)),
      slots_(static_cast<size_t>(texts)),
      owners_(static_cast<size_t>(most_.candidates)) {}

template <class T, class S>
TextGenerator<T, S>::~TextGenerator() = default;

template <class T, class S>
int64_t TextGenerator<T, S>::window_start(int64_t position) const {
  const int64_t beyond = position - config_.context;
  if (beyond <= 0) {
    return 0;
  }
  const int64_t hop = config_.context - config_.context / 2;
  return (beyond + hop - 1) / hop * hop;
}

template <class T, class S>
int64_t TextGenerator<T, S>::submit(GenerationRequest request, GenerationCallbacks callbacks) {
  request.check(config_);
  auto text = std::make_unique<Text>();
  text->id = next_id_++;
  text->tokens = request.prompt;
  const bool energy = config_.arch == Architecture::kEbt;
  const double alpha =
      energy ? std::max(static_cast<double>(weights_.values().step_size[0]), kSmallestStepSize)
             : 0.0;
  text->plan = plan_of(config_, trained_, request.think, alpha);
  const bool scored = request.score_from > 0 && request.score_from < text->size();
  text->next = scored ? request.score_from : text->size();
  text->window = window_start(text->next);
  text->over = !scored && request.max_tokens == 0;
  text->request = std::move(request);
  text->callbacks = std::move(callbacks);
  waiting_.push_back(std::move(text));
  return waiting_.back()->id;
}

template <class T, class S>
void TextGenerator<T, S>::admit() {
  for (size_t slot = 0; slot < slots_.size() && !waiting_.empty(); ++slot) {
    if (slots_[slot] == nullptr) {
      slots_[slot] = std::move(waiting_.front());
      slots_[slot]->slot = static_cast<int64_t>(slot);
      waiting_.pop_front();
    }
  }
}

template <class T, class S>
std::vector<typename TextGenerator<T, S>::Text*> TextGenerator<T, S>::in_turn() const {
  std::vector<Text*> texts;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const auto& text = slots_[(i + static_cast<size_t>(passes_)) % slots_.size()];
    if (text != nullptr) {
      texts.push_back(text.get());
    }
  }
  return texts;
}

// Adds the rows of the text's next context token to `rows` of each landscape, or returns false.
template <class T, class S>
bool TextGenerator<T, S>::take_token(Text& text, std::vector<std::vector<ContextRow>>& rows) {
  const int64_t position = text.window + text.cached;
  if (position >= std::min(text.needed(), text.window + config_.context)) {
    return false;
  }
  const int64_t lead = config_.arch == Architecture::kEbt ? config_.lead() : 0;
  const int64_t rows_now = cache_.contexts() * (1 + (text.cached == 0 ? lead : 0));
  int64_t taken = 0;
  for (const auto& of_landscape : rows) {
    taken += static_cast<int64_t>(of_landscape.size());
  }
  if (taken + rows_now > most_.context) {
    return false;
  }
  // Tokens that are read again under a later window have had their questions.
  if (config_.arch != Architecture::kEbt && position + 1 >= text.next &&
      (text.scores(position + 1) || text.writes(position + 1))) {
    if (static_cast<int64_t>(wanted_.size()) == most_.candidates) {
      return false;
    }
    wanted_.push_back({&text, position + 1, taken});
  }
  for (int64_t landscape = 0; landscape < cache_.contexts(); ++landscape) {
    auto& own = rows[static_cast<size_t>(landscape)];
    if (text.cached == 0 && lead > 0) {
      own.push_back({{text.slot, landscape, 0}, -1});
    }
    own.push_back(
        {{text.slot, landscape, text.cached + lead}, text.tokens[static_cast<size_t>(position)]});
  }
  ++text.cached;
  return true;
}

template <class T, class S>
std::vector<ContextRow> TextGenerator<T, S>::take_context() {
  std::vector<std::vector<ContextRow>> rows(static_cast<size_t>(cache_.contexts()));
  wanted_.clear();
  const std::vector<Text*> texts = in_turn();
  // A token each, then prompts: writing goes on while others read.
  for (Text* text : texts) {
    take_token(*text, rows);
  }
  for (Text* text : texts) {
    while (take_token(*text, rows)) {
    }
  }
  std::vector<ContextRow> all;
  for (const auto& of_landscape : rows) {
    all.insert(all.end(), of_landscape.begin(), of_landscape.end());
  }
  return all;
}

// Puts the text's next question, if it can be put now.
template <class T, class S>
bool TextGenerator<T, S>::ask(Text& text) {
  if (text.over || !(text.scores(text.next) || text.writes(text.next))) {
    return false;
  }
  const ThinkOptions& think = text.request.think;
  const int64_t start = window_start(text.next);
  const bool in_order = think.budget > 0;
  if ((in_order || start != text.window) && !text.questions.empty()) {
    return false;
  }
  if (start != text.window) {
    text.window = start;
    text.cached = 0;
  }
  if (text.cached < text.next - start) {
    return false;
  }
  auto question = std::make_unique<Question>();
  question->position = text.next;
  int64_t candidates = think.candidates;
  if (think.budget > 0) {
    const int64_t left = think.budget - text.spent;
    candidates = std::min(candidates, left);
    for (int64_t c = 0; c < candidates; ++c) {
      question->most_steps.push_back(left / candidates + (c < left % candidates ? 1 : 0));
    }
    if (left <= 0) {
      text.over = true;
      text.reason = FinishReason::kBudget;
      return false;
    }
  } else {
    question->most_steps.assign(static_cast<size_t>(candidates),
                                static_cast<int64_t>(text.plan.size()));
  }
  question->report.from_prompt = text.next < text.prompt_size();
  question->report.candidate_energies.resize(static_cast<size_t>(candidates));
  question->report.forward_passes = cache_.contexts();
  text.questions.push_back(std::move(question));
  text.go_on(text.next);
  return true;
}

template <class T, class S>
bool TextGenerator<T, S>::start_candidates(Text& text, Question& question) {
  for (; question.started < question.candidates(); ++question.started) {
    ThoughtStart start;
    start.at = {text.slot, 0, question.position - text.window + config_.lead()};
    start.noise = {text.request.think.seed, question.position, question.started};
    start.options = &text.request.think;
    start.plan = &text.plan;
    start.most_steps = question.most_steps[static_cast<size_t>(question.started)];
    start.trace = text.request.trace;
    start.top_tokens = text.request.top_tokens;
    const std::optional<int64_t> lane = thoughts_.start(start);
    if (!lane.has_value()) {
      return false;
    }
    owners_[static_cast<size_t>(*lane)] = {&text, &question, question.started};
  }
  return true;
}

// Decides the token of a question from its final logits.
template <class T, class S>
void TextGenerator<T, S>::choose_token(Text& text, Question& question, Tensor<const T> logits) {
  const Distribution<T> prediction(logits);
  TokenReport& report = question.report;
  question.chosen = true;
  const auto end_here = [&](FinishReason reason) {
    question.last = true;
    text.over = true;
    text.reason = reason;
  };
  if (!prediction.finite()) {
    end_here(FinishReason::kNotFinite);
    return;
  }
  if (report.from_prompt) {
    report.token = text.tokens[static_cast<size_t>(question.position)];
  } else {
    const RandomStream stream{text.request.sampling.seed, RandomPurpose::kSampling, 0};
    const auto index = static_cast<uint64_t>(text.written());
    report.token = prediction.sample(text.request.sampling, stream.uniform(index));
    if (report.token == text.request.end_token) {
      end_here(FinishReason::kEnd);
    } else {
      text.tokens.push_back(report.token);
      text.over = text.written() == text.request.max_tokens;
    }
  }
  report.log_probability = prediction.log_probability(report.token);
  report.top = prediction.likeliest(text.request.top_tokens);
}

// Compares a finished candidate with the best so far.
template <class T, class S>
void TextGenerator<T, S>::keep_candidate(Question& question, const LaneOwner& owner, int64_t lane) {
  const std::vector<ThinkingState>& states = thoughts_.states(lane);
  const double first = states.front().energy;
  const double last = states.back().energy;
  TokenReport& report = question.report;
  report.candidate_energies[static_cast<size_t>(owner.candidate)] = last;
  const CandidateChoice choose = owner.text->request.think.choose;
  const double key = choose == CandidateChoice::kMin   ? -last
                     : choose == CandidateChoice::kMax ? last
                                                       : first - last;
  // Candidates finish in any order; of equals the first is kept.
  if (question.best < 0 || key > question.best_key ||
      (key == question.best_key && owner.candidate < question.best)) {
    question.best = owner.candidate;
    question.best_key = key;
    report.states = states;
    if (!question.chosen) {
      const Tensor<const T> logits = thoughts_.logits(lane);
      question.best_logits.assign(logits.begin(), logits.end());
    }
  }
}

template <class T, class S>
void TextGenerator<T, S>::take_event(const ThoughtEvent& event) {
  const LaneOwner owner = owners_[static_cast<size_t>(event.lane)];
  Text& text = *owner.text;
  Question& question = *owner.question;
  // A lone candidate's token is known before its final energy: the next one need not wait for it.
  if (question.candidates() == 1 && !question.chosen) {
    text.spent += thoughts_.steps(event.lane);
    choose_token(text, question, thoughts_.logits(event.lane));
  }
  if (!event.finished) {
    return;
  }
  keep_candidate(question, owner, event.lane);
  question.report.thinking_steps += thoughts_.steps(event.lane);
  question.report.forward_passes += thoughts_.forward_passes(event.lane);
  thoughts_.release(event.lane);
  owners_[static_cast<size_t>(event.lane)] = {};
  ++question.done;
  if (question.done == question.candidates() && !question.chosen) {
    text.spent += question.report.thinking_steps;
    choose_token(text, question, {question.best_logits.data(), {config_.vocab_size}});
  }
}

template <class T, class S>
void TextGenerator<T, S>::take_baseline_logits() {
  std::vector<int64_t> rows;
  rows.reserve(wanted_.size());
  for (const WantedLogits& wanted : wanted_) {
    rows.push_back(wanted.row);
  }
  if (rows.empty()) {
    return;
  }
  const Tensor<const T> logits = thoughts_.baseline_logits(rows);
  for (size_t i = 0; i < wanted_.size(); ++i) {
    Text& text = *wanted_[i].text;
    auto question = std::make_unique<Question>();
    question->position = wanted_[i].position;
    question->report.from_prompt = question->position < text.prompt_size();
    question->report.forward_passes = 1;
    choose_token(text, *question,
                 logits.slice(static_cast<int64_t>(i), 1).reshape({config_.vocab_size}));
    text.questions.push_back(std::move(question));
    text.go_on(wanted_[i].position);
    // A context that is full is read again from a later token on.
    if (const int64_t start = window_start(text.next); start != text.window) {
      text.window = start;
      text.cached = 0;
    }
  }
}

template <class T, class S>
void TextGenerator<T, S>::report(Text& text) {
  while (!text.questions.empty() && text.questions.front()->complete() && !text.cancelled) {
    const std::unique_ptr<Question> question = std::move(text.questions.front());
    text.questions.pop_front();
    if (question->last) {
      if (text.reason == FinishReason::kEnd && text.callbacks.on_end) {
        text.callbacks.on_end(question->report);
      }
      finish(text, text.reason);
      return;
    }
    if (text.callbacks.on_token) {
      text.callbacks.on_token(question->report);
    }
  }
  if (text.cancelled) {
    finish(text, FinishReason::kCancelled);
  } else if (text.over && text.questions.empty()) {
    finish(text, text.reason);
  }
}

template <class T, class S>
void TextGenerator<T, S>::finish(Text& text, FinishReason reason) {
  for (size_t lane = 0; lane < owners_.size(); ++lane) {
    if (owners_[lane].text == &text) {
      thoughts_.release(static_cast<int64_t>(lane));
      owners_[lane] = {};
    }
  }
  const std::unique_ptr<Text> ended = std::move(slots_[static_cast<size_t>(text.slot)]);
  if (ended->callbacks.on_finish) {
    ended->callbacks.on_finish(reason);
  }
}

template <class T, class S>
void TextGenerator<T, S>::cancel(int64_t id) {
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if ((*it)->id == id) {
      const std::unique_ptr<Text> text = std::move(*it);
      waiting_.erase(it);
      if (text->callbacks.on_finish) {
        text->callbacks.on_finish(FinishReason::kCancelled);
      }
      return;
    }
  }
  for (const auto& text : slots_) {
    if (text != nullptr && text->id == id) {
      text->cancelled = true;
      if (!stepping_) {
        finish(*text, FinishReason::kCancelled);
      }
      return;
    }
  }
}

template <class T, class S>
bool TextGenerator<T, S>::step() {
  admit();
  if (running() == 0) {
    return false;
  }
  stepping_ = true;
  const std::vector<ContextRow> context = take_context();
  if (config_.arch == Architecture::kEbt) {
    bool free_lanes = true;
    for (Text* text : in_turn()) {
      for (const auto& question : text->questions) {
        free_lanes = free_lanes && start_candidates(*text, *question);
      }
      while (free_lanes && ask(*text)) {
        free_lanes = start_candidates(*text, *text->questions.back());
      }
    }
  }
  for (const ThoughtEvent& event : thoughts_.pass(context)) {
    take_event(event);
  }
  take_baseline_logits();
  ++passes_;
  for (Text* text : in_turn()) {
    report(*text);
  }
  stepping_ = false;
  return true;
}

template <class T, class S>
int64_t TextGenerator<T, S>::running() const {
  return std::count_if(slots_.begin(), slots_.end(),
                       [](const auto& text) { return text != nullptr; });
}

template class TextGenerator<float, float>;
template class TextGenerator<float, Bfloat16>;
template class TextGenerator<double, double>;

}  // namespace ebt
