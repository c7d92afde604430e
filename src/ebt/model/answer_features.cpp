#include "ebt/model/answer_features.h"

#include <algorithm>

#include "ebt/kernels/elementwise.h"
#include "ebt/layers/embedding.h"

namespace ebt {

template <class T>
AnswerFeatures<T>::AnswerFeatures(Arena& arena, const InfillModelConfig& config, int64_t n)
    : known_(arena.take<int32_t>({n * config.row_length})),
      axes_(config.axes()),
      vectors_(arena.take<T>({known_.count(), config.width})),
      work_(arena.take<T>(vectors_.shape)) {
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    coordinates_.push_back(arena.take<int32_t>(known_.shape));
  }
}

template <class T>
void AnswerFeatures<T>::forward(Tensor<const uint8_t> known,
                                const InfillWeights<const T>& weights) {
  EBT_CHECK(known_.count() % known.count() == 0, "infill: {} rows are not the same {} again",
            known_.count() / known.dim(1), known.dim(0));
  for (int64_t at = 0; at < known_.count(); at += known.count()) {
    std::copy(known.begin(), known.end(), known_.data + at);
  }
  Embedding<T>::forward(weights.known, known_, vectors_);
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    const std::vector<int32_t>& places = axes_[axis].coordinates;
    for (int64_t row = 0; row < known_.count() / known.dim(1); ++row) {
      std::copy(places.begin(), places.end(), coordinates_[axis].data + row * known.dim(1));
    }
    Embedding<T>::forward(weights.axes[axis], coordinates_[axis], work_);
    kernels::elementwise<T>().add(work_.count(), T(1), work_.data, vectors_.data);
  }
}

template <class T>
void AnswerFeatures<T>::vjp(Tensor<const T> e_bar, const InfillWeights<T>& grads) const {
  Embedding<T>::vjp(known_, e_bar, grads.known);
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    Embedding<T>::vjp(coordinates_[axis], e_bar, grads.axes[axis]);
  }
}

template class AnswerFeatures<float>;
template class AnswerFeatures<double>;

}  // namespace ebt
