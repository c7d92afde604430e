#include "lab/questions.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

#include "lab/draws.h"
#include "lab/phrasings.h"

namespace ebt {
namespace {

const std::string& name_of(const KnowledgeGraph& graph, int32_t entity) {
  return graph.entities()[static_cast<size_t>(entity)].name;
}

const Relation& relation_of(const KnowledgeGraph& graph, int32_t relation) {
  return graph.relations()[static_cast<size_t>(relation)];
}

// Whether both answer the same question.
bool same_question(const TwoHopFact& a, const TwoHopFact& b) {
  return std::tie(a.head, a.relation, a.second) == std::tie(b.head, b.relation, b.second);
}

bool has_question(const std::vector<TwoHopFact>& facts, const TwoHopFact& wanted) {
  const auto found = std::lower_bound(
      facts.begin(), facts.end(), TwoHopFact{wanted.head, wanted.relation, wanted.second, -1, -1});
  return found != facts.end() && same_question(*found, wanted);
}

void finish(const KnowledgeGraph& graph, bool tells_bridge, Question& question) {
  std::sort(question.tails.begin(), question.tails.end());
  question.tails.erase(std::unique(question.tails.begin(), question.tails.end()),
                       question.tails.end());
  for (const int32_t tail : question.tails) {
    question.answers.push_back(name_of(graph, tail));
  }
  Wording wording;
  wording.head = name_of(graph, question.head);
  wording.relation = relation_of(graph, question.relation).name;
  if (question.second != Question::kNone) {
    wording.second = relation_of(graph, question.second).name;
    wording.bridge = tells_bridge ? "?" : "";  // which one is asked
  }
  question.prompt = prompt(0, wording);
}

// Which the answer is the tail of.
int32_t last_relation(const Question& question) {
  return question.second == Question::kNone ? question.relation : question.second;
}

bool is_right(const Question& question, int32_t tail) {
  return std::binary_search(question.tails.begin(), question.tails.end(), tail);
}

double share_of(double right, const std::vector<Question>& questions) {
  return questions.empty() ? 0 : right / static_cast<double>(questions.size());
}

}  // namespace

TwoHopFacts two_hop_facts(const KnowledgeGraph& graph, const std::vector<int32_t>& clusters) {
  const std::vector<Fact>& facts = graph.facts().facts();
  TwoHopFacts result;
  for (size_t i = 0; i < facts.size(); ++i) {
    for (const Fact& next : graph.facts().of(facts[i].tail)) {
      if (next.tail == facts[i].head) {
        continue;
      }
      const bool inside = clusters[i] == clusters[static_cast<size_t>(&next - facts.data())];
      (inside ? result.within : result.across)
          .push_back({facts[i].head, facts[i].relation, next.relation, facts[i].tail, next.tail});
    }
  }
  std::sort(result.within.begin(), result.within.end());
  std::sort(result.across.begin(), result.across.end());
  return result;
}

bool Question::accepts(std::string_view completion) const {
  return std::find(answers.begin(), answers.end(), answer_in(completion)) != answers.end();
}

std::vector<Question> one_hop_questions(const KnowledgeGraph& graph) {
  std::vector<Question> questions;
  for (const Fact& fact : graph.facts().facts()) {
    if (questions.empty() || questions.back().head != fact.head ||
        questions.back().relation != fact.relation) {
      Question& question = questions.emplace_back();
      question.head = fact.head;
      question.relation = fact.relation;
    }
    questions.back().tails.push_back(fact.tail);
  }
  for (Question& question : questions) {
    finish(graph, false, question);
  }
  return questions;
}

std::vector<Question> two_hop_questions(const KnowledgeGraph& graph,
                                        const std::vector<TwoHopFact>& asked,
                                        const std::vector<TwoHopFact>& known, bool tells_bridge) {
  std::vector<Question> questions;
  for (size_t i = 0; i < asked.size(); ++i) {
    const TwoHopFact& fact = asked[i];
    if ((i > 0 && same_question(asked[i - 1], fact)) || has_question(known, fact)) {
      continue;
    }
    Question& question = questions.emplace_back();
    question.head = fact.head;
    question.relation = fact.relation;
    question.second = fact.second;
    for (const Fact& first : graph.facts().of(fact.head, fact.relation)) {
      for (const Fact& next : graph.facts().of(first.tail, fact.second)) {
        if (next.tail != fact.head) {
          question.tails.push_back(next.tail);
        }
      }
    }
    finish(graph, tells_bridge, question);
  }
  return questions;
}

std::vector<Question> some_questions(const std::vector<Question>& questions, int64_t count,
                                     uint64_t seed) {
  if (static_cast<int64_t>(questions.size()) <= count) {
    return questions;
  }
  std::vector<size_t> order(questions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Draws(seed, LabPart::kQuestions, 0).shuffle(order);
  order.resize(static_cast<size_t>(count));
  std::sort(order.begin(), order.end());
  std::vector<Question> chosen;
  chosen.reserve(order.size());
  for (const size_t i : order) {
    chosen.push_back(questions[i]);
  }
  return chosen;
}

std::vector<int32_t> majority_tails(const KnowledgeGraph& graph,
                                    const std::vector<ExpertCopy>& copies) {
  const size_t entities = graph.entities().size();
  std::vector<double> counts(graph.relations().size() * entities);
  for (const ExpertCopy& copy : copies) {
    for (size_t i = 0; i < copy.chances.size(); ++i) {
      const Fact& fact = copy.facts.facts()[i];
      counts[static_cast<size_t>(fact.relation) * entities + static_cast<size_t>(fact.tail)] +=
          static_cast<double>(copy.chances[i]);
    }
  }
  std::vector<int32_t> tails;
  for (size_t relation = 0; relation < graph.relations().size(); ++relation) {
    const double* own = counts.data() + relation * entities;
    const double* most = std::max_element(own, own + entities);
    tails.push_back(*most > 0 ? static_cast<int32_t>(most - own) : Question::kNone);
  }
  return tails;
}

double majority_accuracy(const std::vector<Question>& questions,
                         const std::vector<int32_t>& majority_tails) {
  double right = 0;
  for (const Question& question : questions) {
    const auto relation = static_cast<size_t>(last_relation(question));
    right += is_right(question, majority_tails[relation]) ? 1 : 0;
  }
  return share_of(right, questions);
}

double direct_edge_accuracy(const KnowledgeGraph& graph, const std::vector<Question>& questions) {
  double right = 0;
  for (const Question& question : questions) {
    const int64_t type = relation_of(graph, last_relation(question)).tail_type;
    int64_t candidates = 0;
    int64_t correct = 0;
    for (const Fact& fact : graph.facts().of(question.head)) {
      if (relation_of(graph, fact.relation).tail_type == type) {
        ++candidates;
        correct += is_right(question, fact.tail) ? 1 : 0;
      }
    }
    right += candidates > 0 ? static_cast<double>(correct) / static_cast<double>(candidates) : 0;
  }
  return share_of(right, questions);
}

}  // namespace ebt
