#include "ebt/eval/image_probe.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/image/image_crop.h"
#include "ebt/eval/image_set.h"

namespace ebt {
namespace {

// The mean over each of `side` x `side` pixels, of images (B, C, H, W).
void average_down(Tensor<const float> images, int64_t side, Tensor<float> means) {
  const int64_t rows = images.dim(2) / side;
  const int64_t columns = images.dim(3) / side;
  std::fill(means.begin(), means.end(), 0.0F);
  const float share = 1.0F / static_cast<float>(side * side);
  for (int64_t plane = 0; plane < images.dim(0) * images.dim(1); ++plane) {
    for (int64_t y = 0; y < rows * side; ++y) {
      const float* from = images.data + (plane * images.dim(2) + y) * images.dim(3);
      float* to = means.data + (plane * rows + y / side) * columns;
      for (int64_t x = 0; x < columns * side; ++x) {
        to[x / side] += share * from[x];
      }
    }
  }
}

LabelledFiles chosen(const LabelledFiles& files, const std::vector<bool>& choice, bool wanted) {
  LabelledFiles part;
  part.names = files.names;
  for (size_t i = 0; i < files.files.size(); ++i) {
    if (choice[i] == wanted) {
      part.files.push_back(files.files[i]);
      part.classes.push_back(files.classes[i]);
    }
  }
  return part;
}

// The folders that all paths lead through: "a/b/", or "".
std::string common_folders(const ImageFiles& files) {
  std::string common = files.path(0).substr(0, files.path(0).rfind('/') + 1);  // npos + 1 is 0
  for (int64_t i = 1; i < files.count(); ++i) {
    while (!files.path(i).starts_with(common)) {
      common.pop_back();
      common.resize(common.rfind('/') + 1);
    }
  }
  return common;
}

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::optional<SplitFolders> split_folders(const ImageFiles& files) {
  static const std::array<std::string_view, 2> kTraining = {"train", "training"};
  static const std::array<std::string_view, 6> kTest = {"test",  "testing",    "val",
                                                        "valid", "validation", "dev"};
  const std::string common = common_folders(files);
  std::map<std::string, std::string> folders;  // by their names in small letters
  for (int64_t i = 0; i < files.count(); ++i) {
    const size_t slash = files.path(i).find('/', common.size());
    if (slash == std::string::npos) {
      return std::nullopt;
    }
    const std::string path = files.path(i).substr(0, slash + 1);
    folders[in_small_letters(path.substr(common.size(), slash - common.size()))] = path;
  }
  size_t known = 0;
  const auto first_of = [&](const auto& names) {
    std::string first;
    for (const std::string_view name : names) {
      if (const auto found = folders.find(std::string(name)); found != folders.end()) {
        ++known;
        first = first.empty() ? found->second : first;
      }
    }
    return first;
  };
  SplitFolders split;
  split.training = first_of(kTraining);
  split.test = first_of(kTest);
  if (split.training.empty() || split.test.empty() || known != folders.size()) {
    return std::nullopt;
  }
  return split;
}

LabelledFiles label_files(const ImageFiles& files, const std::vector<std::string>& names) {
  const std::vector<std::string> labels = image_labels(files);
  LabelledFiles result;
  result.names = names;
  if (names.empty()) {
    const std::set<std::string> all(labels.begin(), labels.end());
    result.names.assign(all.begin(), all.end());
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto name = std::find(result.names.begin(), result.names.end(), labels[i]);
    EBT_CHECK(name != result.names.end(),
              "'{}' is of class '{}', of which there are no images to learn from",
              files.path(static_cast<int64_t>(i)), labels[i]);
    result.files.push_back(static_cast<int64_t>(i));
    result.classes.push_back(static_cast<int32_t>(name - result.names.begin()));
  }
  return result;
}

LabelledFiles hold_out(LabelledFiles& files, double share) {
  std::vector<bool> held(files.files.size());
  const auto boundary = [&](size_t i) { return std::floor(static_cast<double>(i) * share + 1e-9); };
  for (size_t i = 0; i < held.size(); ++i) {
    held[i] = boundary(i + 1) > boundary(i);
  }
  LabelledFiles part = chosen(files, held, true);
  files = chosen(files, held, false);
  EBT_CHECK(!part.files.empty() && !files.files.empty(),
            "holding out a share of {} leaves {} images to learn from and {} to test with", share,
            files.files.size(), part.files.size());
  return part;
}

LabelledFiles take_evenly(const LabelledFiles& files, int64_t wanted) {
  std::vector<bool> taken(files.files.size());
  for (const int64_t i : spread_evenly(static_cast<int64_t>(taken.size()), wanted)) {
    taken[static_cast<size_t>(i)] = true;
  }
  return chosen(files, taken, true);
}

FeatureSource pixel_source(const ImageModelConfig& config) {
  constexpr int64_t kLargest = 32;
  const int64_t longest = std::max(config.image_height, config.image_width);
  // Narrow images keep at least a row.
  const int64_t side =
      std::min({(longest + kLargest - 1) / kLargest, config.image_height, config.image_width});
  FeatureSource source;
  source.name = "pixels";
  source.width = config.channels * (config.image_height / side) * (config.image_width / side);
  source.run = [side](Tensor<const float> images, Tensor<float> features) {
    average_down(images, side, features);
  };
  return source;
}

std::vector<ProbeData> gather_features(const ImageFiles& source, const LabelledFiles& files,
                                       const ImageModelConfig& config, int64_t batch,
                                       const std::vector<FeatureSource>& sources, BadImages& bad,
                                       const std::function<void(int64_t done)>& on_progress) {
  constexpr size_t kSentences = 5;
  std::vector<ProbeData> gathered(sources.size());
  std::vector<float> pixels;
  std::vector<int32_t> classes;
  for (size_t i = 0; i < files.files.size(); ++i) {
    try {
      const Image image = with_channels(source.read(files.files[i]), config.channels);
      const auto first = pixels.size();
      pixels.resize(first + static_cast<size_t>(config.image_size()));
      to_planes(
          cut_centre(image, config.image_height, config.image_width), 0, 0,
          {pixels.data() + first, {config.channels, config.image_height, config.image_width}});
      classes.push_back(files.classes[i]);
    } catch (const Error& error) {
      ++bad.count;
      if (bad.sentences.size() < kSentences) {
        bad.sentences.emplace_back(error.what());
      }
    }
    const auto count = static_cast<int64_t>(classes.size());
    if (count > 0 && (count == batch || i + 1 == files.files.size())) {
      const Tensor<const float> images{
          pixels.data(), {count, config.channels, config.image_height, config.image_width}};
      for (size_t k = 0; k < sources.size(); ++k) {
        ProbeData& data = gathered[k];
        data.width = sources[k].width;
        data.features.resize(data.features.size() + static_cast<size_t>(count * data.width));
        sources[k].run(images,
                       {data.features.data() + data.count() * data.width, {count, data.width}});
        data.classes.insert(data.classes.end(), classes.begin(), classes.end());
      }
      pixels.clear();
      classes.clear();
    }
    if (on_progress) {
      on_progress(static_cast<int64_t>(i) + 1);
    }
  }
  EBT_CHECK(!gathered.empty() && gathered[0].count() > 0, "none of {} images could be read: {}",
            files.files.size(), bad.sentences.empty() ? "there are none" : bad.sentences[0]);
  return gathered;
}

}  // namespace ebt
