#include "ebt/think/image_ebt.h"

#include <algorithm>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/layers/smooth_l1.h"
#include "ebt/layers/target_sums.h"

namespace ebt {

// The buffers of chunks of n images.
template <class T, class S>
struct ImageEbt<T, S>::Workspace {
  Workspace(Arena& arena, const ImageModelConfig& model, const ImageThinkingConfig& thinking,
            int64_t n, bool train)
      : images(n),
        training(train),
        buffers(arena, image_stack_shape(model, n), Pooling::kMean, Patches<T, S>{model, {}}, n,
                thinking, thinking.steps_max, train),
        row_error(arena.take<T>({n})) {}

  int64_t images;
  bool training;
  Buffers buffers;
  Tensor<T> row_error;  // (n)
};

namespace {

// One chunk (thinking_pass.h).
template <class T, class S>
struct ImageProblem {
  using Space = Patches<T, S>;
  using Stream = ImageEnergyStream<T, S>;

  const ImageLandscape<T, S>& landscape;
  const ImageWeights<T>& gradients;
  Space space;
  Tensor<const T> clean;  // (n, C H W)
  Tensor<T> row_error;    // (n)

  typename Stream::Params at(size_t /*i*/) const { return landscape.energy(); }
  typename Stream::Grads grads(size_t /*i*/) const { return landscape.energy_grads(gradients); }
  T learned_alpha() const { return landscape.weights.values().step_size[0]; }
  T& alpha_bar() const { return gradients.step_size[0]; }
  void set_step_sizes(double /*alpha*/, Tensor<const T> /*sizes*/) {}

  StepLoss measure(size_t /*i*/, size_t /*last*/, Tensor<const T> images, T scale,
                   Tensor<T> row_loss, Tensor<T> slope) const {
    smooth_l1<T>(images, clean, scale, row_loss, row_error, slope);
    return {sum_of<T>(row_error), sum_of<T>(row_loss)};
  }
  double energy_sum(Tensor<const T> energy) const { return sum_of(energy); }
  template <class Buffers>
  Tensor<const T> energy_bar(size_t /*i*/, Buffers& /*buffers*/) const {
    return {};
  }
};

}  // namespace

template <class T, class S>
ImageEbt<T, S>::ImageEbt(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
                         const ImageTrainingNoise& noise, int64_t rows,
                         const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, thinking, rows, options)),
      thinking_(thinking),
      noise_(noise),
      condition_(model) {}

template <class T, class S>
ImageEbt<T, S>::~ImageEbt() = default;

template <class T, class S>
size_t ImageEbt<T, S>::workspace_bytes(const ImageModelConfig& model,
                                       const ImageThinkingConfig& thinking, int64_t rows,
                                       const EngineOptions& options) {
  Arena measure;
  const Workspace workspace(measure, model, thinking, images_per_chunk(model, rows, options),
                            options.training);
  return measure.peak_bytes();
}

template <class T, class S>
typename ImageEbt<T, S>::Workspace& ImageEbt<T, S>::prepare(int64_t n, bool training) {
  if (workspace_ == nullptr || workspace_->images != n || workspace_->training != training) {
    this->arena_.rewind();
    workspace_ = std::make_unique<Workspace>(this->arena_, this->config(), thinking_, n, training);
  }
  return *workspace_;
}

template <class T, class S>
LossSums ImageEbt<T, S>::run(const ImageRows<T>& rows, const ThinkingDraws<T>& draws,
                             const StepObserver<T>& observe, bool learns) {
  const ImageOperands<T, S>& weights = this->operands();
  const ImageWeights<T>& gradients = this->gradients_by_role();
  condition_.forward(weights);
  const ImageLandscape<T, S> landscape = condition_.landscape(weights);
  const int64_t count = rows.images.dim(0);
  const Tensor<const T> clean = rows.images.reshape({count, this->config().image_size()});
  LossSums sums;
  const int64_t most = images_per_chunk(this->config(), count, this->options());
  for (const Chunk& chunk : cut_rows_into_chunks(count, most)) {
    Workspace& workspace = prepare(chunk.rows, learns);
    LossSums of_chunk(draws.landscapes.size(), chunk.rows);
    ImageProblem<T, S> problem{
        landscape,
        gradients,
        {this->config(), landscape.embedding(), {gradients.patch, gradients.patch_bias}},
        clean.slice(chunk.first_row, chunk.rows),
        workspace.row_error};
    ThinkingPass<ImageProblem<T, S>>(problem, thinking_, draws, chunk, workspace.buffers, of_chunk)
        .run(learns, rows.inverse_image_count, observe);
    sums.add(of_chunk);
    tell_share(static_cast<double>(chunk.first_row + chunk.rows) / static_cast<double>(count));
  }
  if (learns) {
    condition_.vjp(weights, gradients);
  }
  return sums;
}

template <class T, class S>
std::function<void(int64_t first, Tensor<T>)> ImageEbt<T, S>::noisy_images(
    const ImageRows<T>& rows, const DrawAddress& address) const {
  const int64_t t = schedule_.step_of_level(noise_.level);
  const auto signal = static_cast<T>(schedule_.signal(t));
  const auto noise = static_cast<T>(schedule_.noise(t));
  return [=, images = rows.images](int64_t first, Tensor<T> out) {
    address.initial(first, out, noise);
    kernels::elementwise<T>().add(out.count(), signal, images.data + first * address.size,
                                  out.data);
  };
}

template <class T, class S>
LossSums ImageEbt<T, S>::train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) {
  const DrawAddress address = address_of(rows, seed, training_step);
  ThinkingDraws<T> draws = training_draws<T>(thinking_, 1, address);
  draws.initial = noisy_images(rows, address);
  return run(rows, draws, {}, true);
}

template <class T, class S>
LossSums ImageEbt<T, S>::evaluate(const ImageRows<T>& rows, uint64_t seed) {
  ThinkingDraws<T> draws;
  draws.initial = noisy_images(rows, address_of(rows, seed, 0));
  draws.landscapes = inference_landscapes(1, thinking_, 0);
  return run(rows, draws, {}, false);
}

template class ImageEbt<float>;
template class ImageEbt<double>;
template class ImageEbt<float, Bfloat16>;

}  // namespace ebt
