// `ebt lab scale`: how fast do models get better with more of everything, and who ends up ahead?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/lab.h"

namespace ebt {

struct ScaleLabConfig {
  std::string data;
  std::string learners = "transformer_pp,s1";
  std::string step_grid = "50,100,200,400,800";
  std::string batch_grid = "4,8,16,32";
  std::string width_grid = "32,64,128,192";
  std::string layer_grid = "1,2,4,6";
  int64_t steps = 200;
  int64_t batch = 16;
  int64_t width = 64;
  int64_t layers = 2;
  int64_t context = 128;
  int64_t seeds = 1;
  int64_t validation_windows = 256;
  double learning_rate = 0;
  std::string precision = "auto";

  // The one that takes a minute or two.
  static ScaleLabConfig quick();
  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("data", data, "text to learn, as 'ebt train' takes it; default: the CMake manual");
    visit("learners", learners, "the two who are compared: transformer_pp, s1 or s2");
    visit("step-grid", step_grid,
          "how much data: numbers of optimizer steps, each a run of its own");
    visit("batch-grid", batch_grid, "rows per optimizer step");
    visit("width-grid", width_grid, "how many parameters: model widths, multiples of 32");
    visit("layer-grid", layer_grid, "how deep: transformer blocks");
    visit("steps", steps, "optimizer steps where they are not what is scaled");
    visit("batch", batch, "rows where they are not");
    visit("width", width, "width where it is not");
    visit("layers", layers, "blocks where they are not");
    visit("context", context, "tokens of context S");
    visit("seeds", seeds, "runs of each kind");
    visit("validation-windows", validation_windows,
          "windows that the loss is measured on; 0 is all");
    visit("learning-rate", learning_rate,
          "peak learning rate; 0 takes the published one of a size");
    visit("precision", precision, "fp32, bf16, or auto");
  }
};

// What is scaled, in one run.
struct ScaleRun {
  std::string learner;
  int64_t steps = 0;
  int64_t batch = 0;
  int64_t width = 0;
  int64_t layers = 0;
  int64_t seed = 0;

  std::string id() const;
  bool operator==(const ScaleRun&) const = default;
};

// A series of runs that differ in one thing.
struct ScaleAxis {
  std::string name;     // "data"
  std::string words;    // "training tokens"
  std::string measure;  // member of a run's result that is the x of plots
  std::vector<ScaleRun> runs;
};
// Those of all learners and seeds. Runs of several axes that are the same are one run.
std::vector<ScaleAxis> scale_axes(const ScaleLabConfig& config);

class ScaleLab : public Lab {
 public:
  // Throws Error for an impossible config.
  explicit ScaleLab(ScaleLabConfig config);

  std::string name() const override { return "scale"; }
  Json config() const override { return fields_to_json(config_); }
  std::vector<Job> jobs() const override;
  std::optional<Json> work(const Job& job, const std::filesystem::path& folder,
                           const std::filesystem::path& lab_folder,
                           const JobWatch& watch) const override;
  LabReport report(const std::vector<LabResult>& results) const override;

 private:
  ScaleLabConfig config_;
};

// What the page says of results of these settings (scale_report.cpp).
LabReport scale_report(const ScaleLabConfig& config, const std::vector<LabResult>& results);

}  // namespace ebt
