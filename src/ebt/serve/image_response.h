// Answers with denoised images: whole, or as the events of a stream.
#pragma once

#include "ebt/core/config_fields.h"
#include "ebt/serve/image_work.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/served_model.h"

namespace ebt {

// "image.denoised": the answer, or the last event of a stream, whose states have the images.
Json denoised_json(const CleaningOptions& options, const ServedImageModel& model,
                   const DenoisedImage& result, int64_t created);
// "image.step": the image after a step.
Json state_json(const ImageState& state);
// "image.progress": the share of the work that is done.
Json progress_json(double done);

// An entry of GET /v1/models.
Json model_json(const ServedImageModel& model, const RequestLimits& limits);

}  // namespace ebt
