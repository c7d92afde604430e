// A synthetic knowledge graph: entities of several types, and relations between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/fact_table.h"
#include "lab/names.h"

namespace ebt {

// The published testbed (arXiv 2508.17669) has about 25,000 entities of several types, 39 relations
// and 54,500 edges; these defaults are for a model that learns within minutes.
struct GraphConfig {
  int64_t types = 4;
  int64_t entities = 150;
  int64_t relations = 6;
  int64_t edges = 300;
  int64_t communities = 6;
  double mixing = 0.1;
  uint64_t seed = 0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("types", types, "types of entities, from persons and towns to rivers and dishes");
    visit("entities", entities, "named entities, of all types together");
    visit("relations", relations, "relations, each from one type to another");
    visit("edges", edges, "facts: the {relation} of {head} is {tail}");
    visit("communities", communities, "groups of entities that are mostly related to each other");
    visit("mixing", mixing, "share of the facts whose tail is of any community");
    visit("graph-seed", seed, "of the world");
  }
};

struct Entity {
  std::string name;
  int64_t type = 0;
  int64_t community = 0;
};

struct Relation {
  std::string name;
  int64_t head_type = 0;
  int64_t tail_type = 0;
};

// How it is made. Persons are the most frequent type, countries the least, and every type has at
// least three entities. The entities of a type belong to the communities in turn. Of all pairs of a
// relation and a head of its type, as many as there are edges for are drawn; most get one tail, and
// about one in seven (more, where edges are more than pairs) gets two. A tail is of the head's own
// community, or, with probability `mixing` or where that has none, of any. Within those the k-th of
// n is chosen with a density as 1 / sqrt(k): some entities are well known. So facts of a community
// hang together, and clustering them finds communities. Immutable and thread-safe.
class KnowledgeGraph {
 public:
  // Throws Error as the config's check() does.
  explicit KnowledgeGraph(const GraphConfig& config);

  const std::vector<Entity>& entities() const { return entities_; }
  const std::vector<Relation>& relations() const { return relations_; }
  // In order, none twice; no entity is related to itself.
  const FactTable& facts() const { return facts_; }
  int64_t fact_count() const { return static_cast<int64_t>(facts_.facts().size()); }
  // Numbers of the entities of a type, in order.
  const std::vector<int32_t>& entities_of(int64_t type) const {
    return of_type_[static_cast<size_t>(type)];
  }

 private:
  std::vector<Entity> entities_;
  std::vector<Relation> relations_;
  std::vector<std::vector<int32_t>> of_type_;
  FactTable facts_;
};

}  // namespace ebt
