// What training asks of any model: its parameters.
#pragma once

#include "ebt/model/parameters.h"

namespace ebt {

template <class T, class ModelConfiguration>
class Model {
 public:
  using Config = ModelConfiguration;
  virtual ~Model() = default;

  virtual const Config& config() const = 0;
  virtual const ParameterLayout& layout() const = 0;
  virtual const ParameterBlock<T>& weights() const = 0;
  // To change them before the next call that computes: what products multiply follows from them
  // then.
  virtual ParameterBlock<T>& edit_weights() = 0;
  // Of a model that trains.
  virtual ParameterBlock<T>& gradients() = 0;
};

}  // namespace ebt
