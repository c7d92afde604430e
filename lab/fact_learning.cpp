// Trains a model on what experts write about a world, and evaluates it on questions.
#include <algorithm>
#include <string>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/eval/value_list.h"
#include "ebt/io/file.h"
#include "lab/fact_measures.h"
#include "lab/transcend_lab.h"
#include "lab/word_tokenizer.h"

namespace ebt {
namespace {

constexpr double kValidation = 0.02;
// Share of a run's progress that is training.
constexpr double kTraining = 0.85;
// A bridge, a comma, a verb, the answer, a full stop, and as many words again.
constexpr int64_t kWrittenWords = 10;

ExpertSetting setting_of(const std::string& name) {
  for (const auto& [word, setting] : enum_names(ExpertSetting{})) {
    if (word == name) {
      return setting;
    }
  }
  fail("'{}' is no setting of experts", name);
}

// What a run learns from.
struct World {
  KnowledgeGraph graph;
  Experts experts;
  FactCorpus corpus;

  World(const TranscendLabConfig& config, const FactRun& run)
      : graph(config.graph),
        experts(graph, expert_config(config, run)),
        corpus(graph, experts, corpus_config(run)) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

 private:
  static ExpertConfig expert_config(const TranscendLabConfig& config, const FactRun& run) {
    ExpertConfig result;
    result.setting = setting_of(run.setting);
    result.experts = run.experts;
    result.coverage = run.coverage;
    result.clusters = config.clusters;
    result.alpha = run.alpha;
    result.seed = static_cast<uint64_t>(run.seed);
    return result;
  }
  static FactCorpusConfig corpus_config(const FactRun& run) {
    FactCorpusConfig result;
    result.phrasings = run.phrasings;
    result.two_hop_examples = run.two_hop;
    result.bridge = run.bridge;
    result.seed = static_cast<uint64_t>(run.seed);
    return result;
  }
};

// Writes samples until they are enough that training sees hardly any twice.
void write_corpus(const FactCorpus& corpus, int64_t words, const std::filesystem::path& path) {
  AtomicFile file(path);
  std::string block;
  constexpr size_t kBlock_bytes = 1 << 20;
  int64_t written = 0;
  for (int64_t number = 0; written < words; ++number) {
    const std::string sample = corpus.sample(number);
    // Every word has a space before it; full stops and the end of the line are tokens too.
    written += std::count(sample.begin(), sample.end(), ' ') +
               std::count(sample.begin(), sample.end(), '.') + 1;
    block += sample + '\n';
    if (block.size() > kBlock_bytes) {
      file.write(block);
      block.clear();
    }
  }
  file.write(block);
  file.commit();
}

TextTrainConfig training_config(const TranscendLabConfig& config, const FactRun& run,
                                const std::filesystem::path& folder) {
  TextTrainConfig result = learner_config(run.learner);
  result.model.layers = config.layers;
  result.model.width = run.width;
  result.model.heads = run.width / kLearnerHeadWidth;
  result.model.context = config.context;
  result.optimizer.learning_rate = config.learning_rate;
  result.data.data = (folder / "corpus.txt").string();
  result.data.tokenizer = (folder / "tokenizer.json").string();
  result.data.validation = kValidation;
  result.run.steps = config.steps;
  result.run.batch = config.batch;
  result.run.precision = config.precision;
  result.run.seed = static_cast<uint64_t>(run.seed);
  return result;
}

std::vector<std::string> entity_names(const KnowledgeGraph& graph) {
  std::vector<std::string> names;
  for (const Entity& entity : graph.entities()) {
    names.push_back(entity.name);
  }
  return names;
}

Json to_json(const WordAccuracies& accuracies) {
  return {{"temperatures", accuracies.temperatures}, {"accuracies", accuracies.accuracies}};
}

Json to_json(const Judgement& judgement) {
  return {{"questions", judgement.questions},
          {"by_energy", judgement.by_energy},
          {"by_probability", judgement.by_probability},
          {"auroc_by_energy", judgement.auroc_by_energy},
          {"auroc_by_probability", judgement.auroc_by_probability},
          {"pooled_auroc_by_energy", judgement.pooled_auroc_by_energy},
          {"pooled_auroc_by_probability", judgement.pooled_auroc_by_probability},
          {"right_energies", judgement.right_energies},
          {"wrong_energies", judgement.wrong_energies}};
}

// Facts across clusters that no expert could have combined. Nothing where it was asked to stop.
std::optional<Json> ask_two_hops(const TranscendLabConfig& config, const FactRun& run,
                                 const World& world, const std::vector<int32_t>& guesses,
                                 const FactMeasures& measures,
                                 const std::vector<double>& temperatures, const JobWatch& watch) {
  const TwoHopFacts facts = two_hop_facts(world.graph, world.experts.clusters());
  const std::vector<Question> questions = some_questions(
      two_hop_questions(world.graph, facts.across, facts.within, run.bridge), config.questions, 0);
  Json result = {{"asked", questions.size()},
                 {"majority", majority_accuracy(questions, guesses)},
                 {"direct", direct_edge_accuracy(world.graph, questions)}};
  if (run.bridge) {
    const std::optional<double> accuracy =
        measures.written_accuracy(questions, kWrittenWords, watch);
    if (!accuracy.has_value()) {
      return std::nullopt;
    }
    result["greedy"] = *accuracy;
    return result;
  }
  const std::optional<WordAccuracies> accuracies =
      measures.word_accuracies(questions, temperatures, watch);
  if (!accuracies.has_value()) {
    return std::nullopt;
  }
  result.update(to_json(*accuracies));
  result["greedy"] = accuracies->accuracies.back();
  return result;
}

}  // namespace

std::optional<Json> learn_facts(const TranscendLabConfig& config, const FactRun& run,
                                const std::filesystem::path& folder, const JobWatch& watch) {
  const World world(config, run);
  const std::filesystem::path corpus = folder / "corpus.txt";
  if (!std::filesystem::exists(corpus)) {
    write_word_tokenizer(folder / "tokenizer.json", words_of(world.graph));
    write_corpus(world.corpus, config.steps * config.batch * config.context, corpus);
  }
  const std::filesystem::path model = folder / "model";
  const std::optional<TrainedLearner> trained =
      train_learner(training_config(config, run, folder), model, part_of(watch, 0, kTraining));
  if (!trained.has_value()) {
    return std::nullopt;
  }
  watch.on_progress("asking", kTraining);
  // Accuracies at temperature 0 come last: the likeliest word.
  std::vector<double> temperatures = read_numbers(config.temperatures, "temperatures", 0);
  std::sort(temperatures.rbegin(), temperatures.rend());
  if (temperatures.back() != 0) {
    temperatures.push_back(0);
  }
  const FactMeasures measures(model);
  const std::vector<Question> questions =
      some_questions(one_hop_questions(world.graph), config.questions, 0);
  const std::optional<WordAccuracies> facts =
      measures.word_accuracies(questions, temperatures, watch);
  if (!facts.has_value()) {
    return std::nullopt;
  }
  const std::vector<ExpertCopy>& copies = world.corpus.copies();
  const std::vector<int32_t> guesses = majority_tails(world.graph, copies);
  Json result = {{"seconds", trained->seconds},
                 {"parameters", trained->parameters},
                 {"validation_loss", trained->validation_loss},
                 {"asked", questions.size()},
                 {"best_expert", best_expected_accuracy(world.graph, copies)},
                 {"majority", majority_accuracy(questions, guesses)}};
  result.update(to_json(*facts));
  result["greedy"] = facts->accuracies.back();
  if (run.setting == "generalization") {
    const std::optional<Json> two_hop =
        ask_two_hops(config, run, world, guesses, measures, temperatures, watch);
    if (!two_hop.has_value()) {
      return std::nullopt;
    }
    result["two_hop"] = *two_hop;
  } else if (run.learner != kTransformerPpLearner) {
    const std::optional<Judgement> judgement =
        measures.judgement(questions, copies, entity_names(world.graph), watch);
    if (!judgement.has_value()) {
      return std::nullopt;
    }
    result["judgement"] = to_json(*judgement);
  }
  // As large as all that was learned, and made again where it is wanted.
  std::filesystem::remove(corpus);
  return result;
}

}  // namespace ebt
