#include "ebt/train/base_model.h"

#include <filesystem>

#include "ebt/io/json.h"

namespace ebt {

template <class T>
void load_weights_of(const std::string& folder, const Json& theirs, const Json& ours,
                     ParameterBlock<T>& weights) {
  const SafetensorsFile file(std::filesystem::path(folder) / kModelFile);
  try {
    load_weights(file, weights);
  } catch (const Error& misfit) {
    const std::string key = first_difference(theirs, ours);
    if (key.empty()) {
      throw;
    }
    fail(
        "--from: the model of '{}' has \"{}\" {}, and this run's has {}: a run starts from the "
        "weights of a model of its own shape",
        folder, key, theirs[key].dump(), ours[key].dump());
  }
}

template void load_weights_of(const std::string&, const Json&, const Json&, ParameterBlock<float>&);
template void load_weights_of(const std::string&, const Json&, const Json&,
                              ParameterBlock<double>&);

}  // namespace ebt
