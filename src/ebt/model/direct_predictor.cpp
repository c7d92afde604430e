#include "ebt/model/direct_predictor.h"

#include "ebt/core/work_watch.h"

namespace ebt {
namespace {

// Of a training pass, roughly; predictions lie between them.
constexpr double kShareOfReading = 0.3;
constexpr double kShareOfWayBack = 0.6;

Keep keep_of(bool training, const EngineOptions& options) {
  return !training ? Keep::kKeys : options.recompute ? Keep::kStream : Keep::kAll;
}

}  // namespace

template <class T, class S>
DirectPredictor<T, S>::DirectPredictor(Arena& arena, const SequenceConfig& config, int64_t outputs,
                                       const Work& work, const EngineOptions& options)
    : work_(work),
      norm_eps_(config.norm_eps),
      no_vectors_(arena, config),
      stream_work_(ContextWork<T, S>::take(arena, config, work.batch, work.context,
                                           keep_of(work.training, options))),
      stream_(arena, config, work.batch, work.context, keep_of(work.training, options),
              stream_work_),
      kept_(arena.take<S>({work.batch, work.context, config.width})),
      normed_(arena.take<S>(kept_.shape)) {
  norm_.inverse_deviation = arena.take<T>({work.batch, work.context});
  predictions_ = arena.take<T>({work.chunk(), outputs});
  if (work.training) {
    normed_bar_ = arena.take<S>(kept_.shape);
    if constexpr (std::is_same_v<T, S>) {
      predictions_bar_ = predictions_;
    } else {
      predictions_bar_ = arena.take<S>(predictions_.shape);
    }
  }
}

template <class T, class S>
void DirectPredictor<T, S>::read(const SequenceOperandViews<T, S>& weights,
                                 const RotaryTable<T>& rotary, const ContextInput<T>& input) {
  const PartOfWork reading(0, work_.training ? kShareOfReading : 1);
  stream_.forward(weights, no_vectors_, rotary, input, 0);
  RmsNorm<T, S>::read_stream(norm_params(weights), stream_.output(), kept_, normed_, norm_);
}

template <class T, class S>
void DirectPredictor<T, S>::vjp(const SequenceOperandViews<T, S>& weights,
                                const RotaryTable<T>& rotary, const SequenceWeights<T>& grads) {
  typename RmsNorm<T, S>::Grads norm{grads.final_norm, {}};
  RmsNorm<T, S>::vjp_to_stream(norm_params(weights), norm_, normed_bar_,
                               {stream_.output().data, false, stream_.output_bar_stored().data},
                               &norm, {});
  const PartOfWork way_back(1 - kShareOfWayBack, kShareOfWayBack);
  stream_.vjp(weights, no_vectors_, rotary, grads);
}

template class DirectPredictor<float, float>;
template class DirectPredictor<double, double>;
template class DirectPredictor<float, Bfloat16>;

}  // namespace ebt
