// Questions about facts, and the scores that guessing would reach.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/experts.h"
#include "lab/knowledge_graph.h"

namespace ebt {

// The first relation of `head` is `bridge`, of which the second is `tail`. No entity comes back to
// itself.
struct TwoHopFact {
  int32_t head = 0;
  int32_t relation = 0;
  int32_t second = 0;
  int32_t bridge = 0;
  int32_t tail = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means what this stands for
  auto operator<=>(const TwoHopFact&) const = default;
};

// All two-hop facts of a graph, in order: those whose halves are facts of one cluster, and those
// whose halves are not. `clusters` are those of Experts.
struct TwoHopFacts {
  std::vector<TwoHopFact> within;
  std::vector<TwoHopFact> across;
};
TwoHopFacts two_hop_facts(const KnowledgeGraph& graph, const std::vector<int32_t>& clusters);

struct Question {
  static constexpr int32_t kNone = -1;

  int32_t head = 0;
  int32_t relation = 0;
  int32_t second = kNone;            // the relation of the second hop
  std::vector<int32_t> tails;        // all that are right, in order
  std::string prompt;                // phrasing 0, up to what is asked
  std::vector<std::string> answers;  // the names of the tails

  // Whether a completion of the prompt says one of the answers, as answer_in reads it.
  bool accepts(std::string_view completion) const;
};

// "The mayor of Talburg is": for every head and relation of the graph.
std::vector<Question> one_hop_questions(const KnowledgeGraph& graph);

// "The birthplace of the mayor of Talburg is": for every head and two relations that some of the
// `asked` two-hop facts have and none of the `known`. Where bridges are told, the prompt ends
// before it: "The birthplace of the mayor of Talburg,". Both lists in order.
std::vector<Question> two_hop_questions(const KnowledgeGraph& graph,
                                        const std::vector<TwoHopFact>& asked,
                                        const std::vector<TwoHopFact>& known, bool tells_bridge);

// So many of the questions, drawn by the seed, in their order; all where there are no more.
std::vector<Question> some_questions(const std::vector<Question>& questions, int64_t count,
                                     uint64_t seed);

// The tail that experts write most often with each relation, the lowest of equals: what is guessed
// knowing nothing but the relation. kNone for a relation that nobody writes.
std::vector<int32_t> majority_tails(const KnowledgeGraph& graph,
                                    const std::vector<ExpertCopy>& copies);

// The share of the questions that majority_tails answers: by the relation asked for last.
double majority_accuracy(const std::vector<Question>& questions,
                         const std::vector<int32_t>& majority_tails);

// The expected share of two-hop questions that is answered by the tail of a fact about the head
// itself, each of the type that is asked for as likely; none where the head has no such.
double direct_edge_accuracy(const KnowledgeGraph& graph, const std::vector<Question>& questions);

}  // namespace ebt
