// POST /v1/images/denoise, read as strictly as requests for texts: an image, and how to denoise it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ebt/data/image/image.h"
#include "ebt/eval/image_noise.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/served_model.h"
#include "ebt/think/image_denoiser.h"

namespace ebt {

// How to clean an image.
struct CleaningOptions {
  DenoiseOptions denoise;
  ImageNoise noise;         // of what the model is given
  bool adds_noise = false;  // the image is clean and gets that noise first
  uint64_t seed = 0;        // of the noise
  bool stream = false;

  // Whether the image after every step is asked for, not only the last.
  bool wants_states() const { return stream || adds_noise; }
};

// What a client asked for, checked against the model and the limits.
struct ImageRequest {
  Image image;  // grey for a model of grey images, else as it came
  CleaningOptions options;
};

using QueryParameters = std::multimap<std::string, std::string>;

// The body is a JSON object that holds the image, in base64 or as a data: URL. Throws ApiError
// (400, 404 for another model's name, or 413 for an image of too many pixels), naming the field.
ImageRequest parse_image_request(std::string_view body, const ServedImageModel& model,
                                 const RequestLimits& limits);

// The body is the file; the other fields are the parameters of the query.
ImageRequest parse_image_upload(std::string_view file, const QueryParameters& query,
                                const ServedImageModel& model, const RequestLimits& limits);

}  // namespace ebt
