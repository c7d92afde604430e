// What a run starts from that does not start from random weights: --from.
#pragma once

#include <string>

#include "ebt/model/parameters.h"
#include "ebt/train/run_config.h"

namespace ebt {

// Reads the weights of the model in a folder. `theirs` and `ours` are the fields of its config and
// of the model that the weights are for. Throws Error when they do not fit: the first difference is
// then named.
template <class T>
void load_weights_of(const std::string& folder, const Json& theirs, const Json& ours,
                     ParameterBlock<T>& weights);

// Replaces initial weights by those of the model that config.run.from names, where it names one.
// Throws Error when the folder holds no such model, or one of another shape.
template <class Config, class T>
void load_base_weights(const Config& config, ParameterBlock<T>& weights) {
  if (!config.run.from.empty()) {
    const auto base = load_config<Config>(config.run.from);
    load_weights_of(config.run.from, fields_to_json(base.model), fields_to_json(config.model),
                    weights);
  }
}

}  // namespace ebt
