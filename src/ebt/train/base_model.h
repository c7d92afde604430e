// What a run starts from that does not start from random weights: --from.
#pragma once

#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/model/parameters.h"
#include "ebt/train/config.h"
#include "ebt/train/image_train_config.h"

namespace ebt {

// Replaces initial weights by those of the model that config.run.from names, where it names one.
// Throws Error when the folder holds no such model, or one of another shape: the first difference
// is then named.
template <class T>
void load_base_weights(const TrainConfig& config, ParameterBlock<T>& weights);
template <class T>
void load_base_weights(const ImageTrainConfig& config, ParameterBlock<T>& weights);

// The tokens of the model of config.run.from, which a run from it keeps. Throws Error when its
// tokenizer has other tokens than `tokenizer`.
int64_t base_vocabulary_size(const TrainConfig& config, const Tokenizer& tokenizer);

}  // namespace ebt
