// Labelled images and their features, for a linear probe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ebt/data/image/image_data.h"
#include "ebt/eval/linear_probe.h"
#include "ebt/model/image_config.h"

namespace ebt {

// The parts of a data set whose folders lie side by side, as train/ and test/: what the paths of
// each begin with.
struct SplitFolders {
  std::string training, test;
};
// None where another folder lies beside them, or a file: these folders are classes, then. A
// validation part is tested with where there is no test/.
std::optional<SplitFolders> split_folders(const ImageFiles& files);

// Files by their classes.
struct LabelledFiles {
  std::vector<int64_t> files;      // numbers within the source
  std::vector<int32_t> classes;    // of each, as numbers of `names`
  std::vector<std::string> names;  // of the classes, in order
};

// Every file with its class. `names` are those that are known: a class that is not among them
// throws Error; empty: all that occur.
LabelledFiles label_files(const ImageFiles& files, const std::vector<std::string>& names);

// Takes a share of the files away, spread evenly over their order, and returns it. Throws Error
// when nothing is left on one side.
LabelledFiles hold_out(LabelledFiles& files, double share);
// At most `wanted` of them, spread evenly; 0: all.
LabelledFiles take_evenly(const LabelledFiles& files, int64_t wanted);

// What makes features of images.
struct FeatureSource {
  std::string name;
  int64_t width = 0;  // D
  // features (B, D) of images (B, C, H, W), pixels in [-1, 1]
  std::function<void(Tensor<const float> images, Tensor<float> features)> run;
};

// The pixels themselves, the floor of every probe: averaged down until no side is above 32.
FeatureSource pixel_source(const ImageModelConfig& config);

// The features of all files, from each source, of the centre of every image in the size of
// `config`. A file that cannot be read is left out and counted in `bad`. `on_progress` (may be
// empty) is told how many files are done. Throws Error when none can be read.
std::vector<ProbeData> gather_features(const ImageFiles& source, const LabelledFiles& files,
                                       const ImageModelConfig& config, int64_t batch,
                                       const std::vector<FeatureSource>& sources, BadImages& bad,
                                       const std::function<void(int64_t done)>& on_progress);

}  // namespace ebt
