// The shell that every trainable model shares: it owns the weights and their gradients, both also
// seen by role, the copies of the weights that products multiply, and the memory of its workspace.
#pragma once

#include <cstddef>
#include <utility>

#include "ebt/core/arena.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/parameters.h"

namespace ebt {

// The layout of a config's model, its tensors by role (P = const T for weights, T for gradients)
// and its operands of products: specialised beside them (weights.h, image_weights.h).
template <class Config>
struct ModelRoles;

// Implements what TextModel<T> and ImageModel<T> (Interface) ask of the weights. S is what
// activations are stored as.
template <class T, class S, class Interface>
class ModelShell : public Interface {
 public:
  using Config = typename Interface::Config;
  using Roles = ModelRoles<Config>;
  using Operands = typename Roles::template Operands<T, S>;

  const Config& config() const final { return config_; }
  const ParameterLayout& layout() const final { return layout_; }
  const ParameterBlock<T>& weights() const final { return weights_; }
  ParameterBlock<T>& edit_weights() final {
    operands_are_stale_ = true;
    return weights_;
  }
  ParameterBlock<T>& gradients() final { return gradients_; }

  // Bytes of all but the workspace; with training those of the optimizer's two moments as well.
  static size_t bytes(const Config& config, const EngineOptions& options) {
    const auto count = static_cast<size_t>(Roles::layout(config).count());
    return Operands::bytes(config) + sizeof(T) * (options.training ? 4 : 1) * count;
  }

 protected:
  // Throws Error for an impossible configuration.
  ModelShell(const Config& config, const EngineOptions& options, size_t workspace_bytes)
      : arena_(workspace_bytes),
        config_(config),
        options_(options),
        layout_(Roles::layout(config)),
        weights_(layout_),
        gradients_(options.training ? ParameterBlock<T>(layout_) : ParameterBlock<T>()),
        gradients_by_role_(options.training ? Roles::template by_role<T>(config, gradients_)
                                            : typename Roles::template Weights<T>{}),
        operands_(config, Roles::template by_role<const T>(config, std::as_const(weights_))) {}

  const EngineOptions& options() const { return options_; }
  // The weights as products take them, as they are now. The same object at every call.
  const Operands& operands() {
    if (operands_are_stale_) {
      operands_.refresh();
      operands_are_stale_ = false;
    }
    return operands_;
  }
  const typename Roles::template Weights<T>& gradients_by_role() const {
    return gradients_by_role_;
  }

  Arena arena_;  // of the workspace

 private:
  Config config_;
  EngineOptions options_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
  typename Roles::template Weights<T> gradients_by_role_;
  Operands operands_;
  bool operands_are_stale_ = true;
};

}  // namespace ebt
