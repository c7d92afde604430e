#include "ebt/eval/image_grid.h"

#include <fmt/format.h>

#include <algorithm>

#include "ebt/io/csv.h"

namespace ebt {
namespace {

template <class Value>
double mean_of(const std::vector<ImageScore>& scores, Value&& value) {
  double sum = 0;
  for (const ImageScore& score : scores) {
    sum += value(score);
  }
  return sum / static_cast<double>(scores.size());
}

double milliseconds(const ImageRow& row) {
  return 1000 * row.seconds / static_cast<double>(row.scores.size());
}

}  // namespace

double ImageRow::psnr() const {
  return mean_of(scores, [](const ImageScore& score) { return score.quality.psnr; });
}

double ImageRow::ssim() const {
  return mean_of(scores, [](const ImageScore& score) { return score.quality.ssim; });
}

double ImageRow::mse() const {
  return mean_of(scores, [](const ImageScore& score) { return score.quality.mse; });
}

double ImageRow::unit_mse() const {
  return mean_of(scores, [](const ImageScore& score) { return score.quality.unit_mse; });
}

std::optional<double> ImageRow::energy() const {
  if (!scores.at(0).energy.has_value()) {
    return std::nullopt;
  }
  return mean_of(scores, [](const ImageScore& score) { return score.energy.value_or(0); });
}

std::string ImageGrid::to_table() const {
  size_t noise_width = 5;
  size_t method_width = 6;
  for (const ImageRow& row : rows) {
    noise_width = std::max(noise_width, row.noise.name.size());
    method_width = std::max(method_width, row.method.size());
  }
  std::string table =
      fmt::format("image: {}\n\n{:<{}}  {:<{}}  {:>6}  {:>7}  {:>7}  {:>9}  {:>9}  {:>10}  {:>9}\n",
                  description, "noise", noise_width, "method", method_width, "passes", "PSNR",
                  "SSIM", "MSE", "unit MSE", "energy", "ms/image");
  const std::string* noise = nullptr;
  for (const ImageRow& row : rows) {
    const bool same_noise = noise != nullptr && *noise == row.noise.name;
    noise = &row.noise.name;
    const auto or_dash = [](bool there, const std::string& text) { return there ? text : "-"; };
    table += fmt::format(
        "{:<{}}  {:<{}}  {:>6}  {:>7.3f}  {:>7.4f}  {:>9.4g}  {:>9.3g}  {:>10}  {:>9}\n",
        same_noise ? "" : *noise, noise_width, row.method, method_width,
        or_dash(row.passes > 0, fmt::format("{}", row.passes)), row.psnr(), row.ssim(), row.mse(),
        row.unit_mse(),
        or_dash(row.energy().has_value(), fmt::format("{:.5g}", row.energy().value_or(0))),
        or_dash(row.seconds > 0, fmt::format("{:.3g}", milliseconds(row))));
  }
  table +=
      "\npasses: thinking steps of an EBT, each a forward pass and its input gradient; forward "
      "passes\nof DiT. PSNR, SSIM and MSE are of 8-bit values, unit MSE of values in [0, 1]; means "
      "over images.\n";
  if (bad_images > 0) {
    table += fmt::format("{} {} not be read, and {} left out\n", bad_images,
                         bad_images == 1 ? "image could" : "images could",
                         bad_images == 1 ? "is" : "are");
  }
  return table;
}

Json ImageGrid::to_json() const {
  Json object = {{"task", "image"}, {"description", description}};
  object["points"] = Json::array();
  for (const ImageRow& row : rows) {
    Json point = {{"noise", row.noise.name},
                  {"sigma", row.noise.sigma()},
                  {"timestep", row.noise.timestep},
                  {"method", row.method}};
    if (row.passes > 0) {
      point["passes"] = row.passes;
    }
    point["images"] = row.scores.size();
    point["psnr"] = row.psnr();
    point["ssim"] = row.ssim();
    point["mse"] = row.mse();
    point["unit_mse"] = row.unit_mse();
    if (const std::optional<double> energy = row.energy()) {
      point["energy"] = *energy;
    }
    if (row.seconds > 0) {
      point["ms_per_image"] = milliseconds(row);
    }
    object["points"].push_back(std::move(point));
  }
  object["bad_images"] = {{"count", bad_images}, {"first", bad_sentences}};
  return object;
}

std::string ImageGrid::to_csv() const {
  std::string csv = "noise,method,passes,image,psnr,ssim,mse,unit_mse,energy\n";
  for (const ImageRow& row : rows) {
    for (const ImageScore& score : row.scores) {
      csv += fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_field(row.noise.name),
                         csv_field(row.method), row.passes > 0 ? fmt::format("{}", row.passes) : "",
                         csv_field(score.image), score.quality.psnr, score.quality.ssim,
                         score.quality.mse, score.quality.unit_mse,
                         score.energy ? fmt::format("{}", *score.energy) : "");
    }
  }
  return csv;
}

}  // namespace ebt
