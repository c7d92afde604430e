// Measures of the facts that a model knows: accuracy of its answers, and how well energies tell
// right words from wrong ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/experts.h"
#include "lab/learner.h"
#include "lab/questions.h"

namespace ebt {

// Answers of a word, at a number of temperatures.
struct WordAccuracies {
  std::vector<double> temperatures;
  // Expected share of the questions that are answered rightly when the next word is drawn at each
  // temperature; 0: the likeliest word.
  std::vector<double> accuracies;
};

// What is compared of the words that could answer a question: those that experts wrote.
struct Judgement {
  int64_t questions = 0;  // with both right and wrong ones among them
  // Share of these questions whose best word is right.
  double by_energy = 0;
  double by_probability = 0;
  // Probability that a right word is held to be better than a wrong one: of the same question, and
  // of any two questions. Energies are those of the word alone as the prediction (one-hot).
  double auroc_by_energy = 0;
  double auroc_by_probability = 0;
  double pooled_auroc_by_energy = 0;
  double pooled_auroc_by_probability = 0;
  // Energies of right and of wrong words less the mean of their question's words, in the model's
  // units: 21 equally spaced quantiles, the least and the largest energy among them.
  std::vector<double> right_energies;
  std::vector<double> wrong_energies;
};

// Asks the model of a folder. Questions whose answers are whole sentences (bridges) are written
// greedily; those that end in the word asked for give a distribution.
class FactMeasures {
 public:
  // Throws Error as load_generator does.
  explicit FactMeasures(std::filesystem::path model);

  // Nothing where it was asked to stop.
  std::optional<WordAccuracies> word_accuracies(const std::vector<Question>& questions,
                                                const std::vector<double>& temperatures,
                                                const JobWatch& watch) const;
  // Share that a greedy text of at most `words` answers.
  std::optional<double> written_accuracy(const std::vector<Question>& questions, int64_t words,
                                         const JobWatch& watch) const;
  // Of one-hop questions; `entity_names` by number. Throws Error for a model without energies.
  std::optional<Judgement> judgement(const std::vector<Question>& questions,
                                     const std::vector<ExpertCopy>& copies,
                                     const std::vector<std::string>& entity_names,
                                     const JobWatch& watch) const;

 private:
  std::filesystem::path model_;
};

}  // namespace ebt
