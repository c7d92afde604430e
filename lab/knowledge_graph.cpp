#include "lab/knowledge_graph.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "ebt/core/config_check.h"
#include "ebt/core/error.h"
#include "lab/draws.h"

namespace ebt {
namespace {

constexpr int64_t kFewestOfType = 3;  // a head, its tail, and another
// How frequent types are, in their order.
constexpr std::array<int64_t, kEntityTypes> kFrequencies = {30, 20, 15, 4, 8, 12, 5, 6};
// Of 115 edges, 100 are the first of their head and relation.
constexpr int64_t kEdges = 115;
constexpr int64_t kFirstEdges = 100;

// How many entities of each type there are.
std::vector<int64_t> type_counts(const GraphConfig& config) {
  int64_t all = 0;
  for (int64_t type = 0; type < config.types; ++type) {
    all += kFrequencies[static_cast<size_t>(type)];
  }
  const int64_t free = config.entities - kFewestOfType * config.types;
  std::vector<int64_t> counts;
  int64_t before = 0;  // frequencies of earlier types
  for (int64_t type = 0; type < config.types; ++type) {
    const int64_t after = before + kFrequencies[static_cast<size_t>(type)];
    counts.push_back(kFewestOfType + free * after / all - free * before / all);
    before = after;
  }
  return counts;
}

// A head that a relation may have.
struct Place {
  int32_t head = 0;
  int32_t relation = 0;
};

// Chooses tails.
class Tails {
 public:
  Tails(const KnowledgeGraph& graph, const GraphConfig& config, Draws& draws)
      : graph_(graph), config_(config), draws_(draws) {}

  // One of the type that is none of `others`, of which there are fewer than kFewestOfType.
  int32_t draw(int64_t community, int64_t type, const std::vector<int32_t>& others) {
    const std::vector<int32_t>& all = graph_.entities_of(type);
    const auto count = static_cast<int64_t>(all.size());
    // The entities of a type are of the communities in turn.
    const int64_t own = community < count ? (count - community - 1) / config_.communities + 1 : 0;
    const bool stays = draws_.uniform() >= config_.mixing;
    // A small community may hold nobody else: after some attempts the tail is of any.
    constexpr int kAttempts = 20;
    for (int attempt = 0;; ++attempt) {
      const bool inside = stays && own > 0 && attempt < kAttempts;
      const double share = draws_.uniform();
      const int64_t range = inside ? own : count;
      // The square of a uniform number has the density 1 / (2 sqrt(x)).
      auto at = static_cast<int64_t>(static_cast<double>(range) * share * share);
      at = inside ? community + at * config_.communities : at;
      const int32_t tail = all[static_cast<size_t>(at)];
      if (std::find(others.begin(), others.end(), tail) == others.end()) {
        return tail;
      }
    }
  }

 private:
  const KnowledgeGraph& graph_;
  const GraphConfig& config_;
  Draws& draws_;
};

}  // namespace

void GraphConfig::check() const {
  check_between("--types", types, 1, kEntityTypes);
  check_between("--entities", entities, kFewestOfType * types, 100'000);
  const std::vector<RelationNoun> nouns = relation_nouns(types);
  EBT_CHECK(relations >= 1 && relations <= static_cast<int64_t>(nouns.size()),
            "--relations: {} is not between 1 and {}, which is how many {} types have", relations,
            nouns.size(), types);
  const std::vector<int64_t> counts = type_counts(*this);
  int64_t most = 0;
  for (int64_t i = 0; i < relations; ++i) {
    most += 2 * counts[static_cast<size_t>(nouns[static_cast<size_t>(i)].head_type)];
  }
  EBT_CHECK(edges >= 1 && edges <= most,
            "--edges: {} is not between 1 and {}, which is two for every head and relation", edges,
            most);
  check_between("--communities", communities, 1, entities);
  check_closed_share("--mixing", mixing);
}

KnowledgeGraph::KnowledgeGraph(const GraphConfig& config) {
  config.check();
  NameMaker names(config.seed);
  const std::vector<int64_t> counts = type_counts(config);
  for (int64_t type = 0; type < config.types; ++type) {
    std::vector<int32_t>& own = of_type_.emplace_back();
    for (int64_t i = 0; i < counts[static_cast<size_t>(type)]; ++i) {
      own.push_back(static_cast<int32_t>(entities_.size()));
      entities_.push_back({names.next(type), type, i % config.communities});
    }
  }
  std::vector<Place> places;
  for (int64_t i = 0; i < config.relations; ++i) {
    const RelationNoun noun = relation_nouns(config.types)[static_cast<size_t>(i)];
    relations_.push_back({std::string(noun.noun), noun.head_type, noun.tail_type});
    for (const int32_t head : entities_of(noun.head_type)) {
      places.push_back({head, static_cast<int32_t>(i)});
    }
  }

  Draws draws(config.seed, LabPart::kGraph, 0);
  draws.shuffle(places);
  const int64_t firsts = std::min(static_cast<int64_t>(places.size()),
                                  (config.edges * kFirstEdges + kEdges - 1) / kEdges);
  const int64_t seconds = config.edges - firsts;
  Tails tails(*this, config, draws);
  std::vector<Fact> facts;
  for (int64_t i = 0; i < firsts; ++i) {
    const Place place = places[static_cast<size_t>(i)];
    const int64_t community = entities_[static_cast<size_t>(place.head)].community;
    const int64_t type = relations_[static_cast<size_t>(place.relation)].tail_type;
    std::vector<int32_t> taken = {place.head};
    for (int64_t k = 0; k < (i < seconds ? 2 : 1); ++k) {
      taken.push_back(tails.draw(community, type, taken));
      facts.push_back({place.head, place.relation, taken.back()});
    }
  }
  facts_ = FactTable(std::move(facts));
}

}  // namespace ebt
