#include "image_model.h"

#include <fmt/format.h>

#include "ebt/core/message.h"
#include "ebt/think/open_model.h"
#include "evaluation.h"

namespace ebt {

OpenedImageModel open_image_model(const std::string& folder, int64_t batch,
                                  const std::string& precision) {
  check_names_model(folder);
  OpenedImageModel model;
  model.denoiser = load_image_denoiser(folder, batch, precision);
  model.name = model.thinks() ? "EBT" : "DiT";
  return model;
}

void note_bad_images(int64_t count, const std::vector<std::string>& sentences,
                     ShareProgress& progress) {
  for (const std::string& sentence : sentences) {
    progress.note(message("left out: " + sentence));
  }
  if (count > static_cast<int64_t>(sentences.size())) {
    progress.note(message(fmt::format("left out: {} images in all", count)));
  }
}

}  // namespace ebt
