#include "ebt/dist/tree_sum.h"

#include <algorithm>
#include <bit>

#include "ebt/core/bfloat16.h"
#include "ebt/core/error.h"
#include "ebt/kernels/convert.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {
namespace {

// Vectors are exchanged in pieces: what is received needs a place until it is added or widened.
constexpr int64_t kPieceElements = int64_t{1} << 20U;

template <class T>
std::span<T> piece_of(T* values, ElementRange range) {
  if (range.count() == 0) {
    return {};
  }
  return {values + range.begin, static_cast<size_t>(range.count())};
}

// Calls visit(sent, received) for pieces of both ranges, one of which may end before the other.
template <class Visitor>
void visit_pieces(ElementRange sent, ElementRange received, const Visitor& visit) {
  const auto piece = [](ElementRange range, int64_t at) {
    return ElementRange{std::min(range.begin + at, range.end),
                        std::min(range.begin + at + kPieceElements, range.end)};
  };
  const int64_t longest = std::max(sent.count(), received.count());
  for (int64_t at = 0; at < longest; at += kPieceElements) {
    visit(piece(sent, at), piece(received, at));
  }
}

// Calls visit(partner, sent, received) for every level of the tree, from the ranks up to the root:
// what of the vector the partner keeps, and what this rank does.
template <class Visitor>
void visit_halvings(const Group& group, const Shards& shards, const Visitor& visit) {
  EBT_CHECK(shards.ranks() == group.size(), "{} shards are not for {} ranks", shards.ranks(),
            group.size());
  for (int level = 0; level < shards.levels(); ++level) {
    const int partner = group.rank() ^ (1 << level);
    visit(partner, shards.after_halvings(partner, level + 1),
          shards.after_halvings(group.rank(), level + 1));
  }
}

// The same from the root down to the ranks, with what each has then.
template <class Visitor>
void visit_doublings(const Group& group, const Shards& shards, const Visitor& visit) {
  EBT_CHECK(shards.ranks() == group.size(), "{} shards are not for {} ranks", shards.ranks(),
            group.size());
  for (int level = shards.levels() - 1; level >= 0; --level) {
    const int partner = group.rank() ^ (1 << level);
    visit(partner, shards.after_halvings(group.rank(), level + 1),
          shards.after_halvings(partner, level + 1));
  }
}

}  // namespace

template <class T>
TreeSum<T>::TreeSum(int64_t elements, int64_t vectors) : elements_(elements), vectors_(vectors) {
  const auto count = static_cast<uint64_t>(vectors);
  EBT_CHECK(vectors > 0 && std::has_single_bit(count), "{} summands are not a power of two",
            vectors);
  subtrees_.resize(static_cast<size_t>(std::countr_zero(count)));
  for (std::vector<T>& subtree : subtrees_) {
    subtree.resize(static_cast<size_t>(elements));
  }
}

template <class T>
void TreeSum<T>::add(T* values) {
  const auto& run = kernels::elementwise<T>();
  ++added_;
  const auto completed = static_cast<size_t>(std::countr_zero(static_cast<uint64_t>(added_)));
  for (size_t level = 0; level < completed; ++level) {
    run.add(elements_, T(1), subtrees_[level].data(), values);
  }
  if (added_ == vectors_) {
    added_ = 0;
  } else {
    run.copy(elements_, values, subtrees_[completed].data());
  }
}

template <class T>
void sum_into_shards(Group& group, const Shards& shards, T* values) {
  std::vector<T> received;
  visit_halvings(group, shards, [&](int partner, ElementRange given, ElementRange kept) {
    received.resize(
        std::max(received.size(), static_cast<size_t>(std::min(kept.count(), kPieceElements))));
    visit_pieces(given, kept, [&](ElementRange sent, ElementRange summand) {
      group.exchange(partner, std::as_bytes(piece_of(values, sent)),
                     std::as_writable_bytes(piece_of(received.data(), {0, summand.count()})));
      kernels::elementwise<T>().add(summand.count(), T(1), received.data(), values + summand.begin);
    });
  });
}

template <class T>
void gather_shards(Group& group, const Shards& shards, T* values) {
  visit_doublings(group, shards, [&](int partner, ElementRange sent, ElementRange received) {
    group.exchange(partner, std::as_bytes(piece_of(values, sent)),
                   std::as_writable_bytes(piece_of(values, received)));
  });
}

void gather_shards_in_bf16(Group& group, const Shards& shards, float* values) {
  const auto& narrow = kernels::convert<float, Bfloat16>();
  const auto& widen = kernels::convert<Bfloat16, float>();
  const auto size = static_cast<size_t>(std::min(shards.all().count(), kPieceElements));
  std::vector<Bfloat16> outgoing(size);
  std::vector<Bfloat16> incoming(size);
  const ElementRange own = shards.of(group.rank());
  visit_pieces(own, {}, [&](ElementRange piece, ElementRange /*none*/) {
    narrow.round(piece.count(), values + piece.begin, outgoing.data());
    widen.round(piece.count(), outgoing.data(), values + piece.begin);
  });
  visit_doublings(group, shards, [&](int partner, ElementRange given, ElementRange taken) {
    visit_pieces(given, taken, [&](ElementRange sent, ElementRange received) {
      narrow.round(sent.count(), values + sent.begin, outgoing.data());
      group.exchange(partner, std::as_bytes(piece_of(outgoing.data(), {0, sent.count()})),
                     std::as_writable_bytes(piece_of(incoming.data(), {0, received.count()})));
      widen.round(received.count(), incoming.data(), values + received.begin);
    });
  });
}

template <class T>
void gather_range_at_rank_0(Group& group, const Shards& shards, const T* shard, ElementRange range,
                            T* out) {
  const auto part_of = [&](int rank) {
    const ElementRange own = shards.of(rank);
    const int64_t begin = std::clamp(range.begin, own.begin, own.end);
    return ElementRange{begin, std::clamp(range.end, begin, own.end)};
  };
  const auto from = [](ElementRange part, int64_t origin) {
    return ElementRange{part.begin - origin, part.end - origin};
  };
  const ElementRange own = part_of(group.rank());
  const std::span<const T> kept = piece_of(shard, from(own, shards.of(group.rank()).begin));
  if (group.rank() != 0) {
    group.exchange(0, std::as_bytes(kept), {});
    return;
  }
  std::copy(kept.begin(), kept.end(), piece_of(out, from(own, range.begin)).begin());
  for (int rank = 1; rank < group.size(); ++rank) {
    const ElementRange part = from(part_of(rank), range.begin);
    group.exchange(rank, {}, std::as_writable_bytes(piece_of(out, part)));
  }
}

template class TreeSum<float>;
template class TreeSum<double>;
template void sum_into_shards<float>(Group&, const Shards&, float*);
template void sum_into_shards<double>(Group&, const Shards&, double*);
template void gather_shards<float>(Group&, const Shards&, float*);
template void gather_shards<double>(Group&, const Shards&, double*);
template void gather_range_at_rank_0<float>(Group&, const Shards&, const float*, ElementRange,
                                            float*);
template void gather_range_at_rank_0<double>(Group&, const Shards&, const double*, ElementRange,
                                             double*);

}  // namespace ebt
