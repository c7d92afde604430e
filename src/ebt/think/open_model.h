// The models of folders, opened for inference.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "ebt/data/answers/answer_format.h"
#include "ebt/model/infill_model.h"
#include "ebt/model/model_folder.h"
#include "ebt/model/text_model.h"
#include "ebt/model/video_model.h"
#include "ebt/think/generator.h"
#include "ebt/think/image_denoiser.h"
#include "ebt/think/text_generator.h"

namespace ebt {

// Open the model of a folder. Throw Error when the folder holds no model of that kind, or a damaged
// one.

// For evaluation, of up to `rows` rows of the context it was trained on.
template <class T>
std::unique_ptr<TextModel<T>> load_model(const std::filesystem::path& folder, int64_t rows);

// A model of whole answers, and how its rows are written.
struct LoadedInfillModel {
  std::unique_ptr<InfillModel<float>> model;
  AnswerFormat format;
};
// For solve(), of up to `rows` rows at a time, in "fp32", "bf16" or "auto".
LoadedInfillModel load_infill_model(const std::filesystem::path& folder, int64_t rows,
                                    const std::string& precision);

// For generation of so many texts at a time in single precision, its thoughts starting from
// `noise`.
std::unique_ptr<TextGenerator<float>> load_text_generator(
    const std::filesystem::path& folder, int64_t texts,
    ThinkingNoise<float> noise = counter_based_noise<float>());

// For generation, in single precision or with bf16 weights and keys.
std::unique_ptr<Generator> load_generator(const std::filesystem::path& folder,
                                          const GeneratorOptions& options);

// For denoising of up to `batch` images at a time, in "fp32", "bf16" or "auto".
std::unique_ptr<ImageDenoiser> load_image_denoiser(const std::filesystem::path& folder,
                                                   int64_t batch, const std::string& precision);

// For evaluation of up to `rows` clips at a time, in "fp32", "bf16" or "auto".
std::unique_ptr<VideoModel<float>> load_video_model(const std::filesystem::path& folder,
                                                    int64_t rows, const std::string& precision);

}  // namespace ebt
