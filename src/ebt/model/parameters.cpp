#include "ebt/model/parameters.h"

namespace ebt {

void ParameterLayout::add(const std::string& name, Shape shape, bool weight_decay) {
  EBT_CHECK(!contains(name), "parameters: \"{}\" is named twice", name);
  index_.emplace(name, entries_.size());
  entries_.push_back({name, shape, count_, weight_decay});
  count_ += shape.count();
}

bool ParameterLayout::contains(const std::string& name) const { return index_.count(name) > 0; }

const ParameterEntry& ParameterLayout::entry(const std::string& name) const {
  const auto found = index_.find(name);
  EBT_CHECK(found != index_.end(), "parameters: the model has no \"{}\"", name);
  return entries_[found->second];
}

}  // namespace ebt
