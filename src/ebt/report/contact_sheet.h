// A contact sheet: stages of one image side by side.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebt/data/image/image.h"

namespace ebt {

struct SheetImage {
  std::string caption;  // "noisy"
  std::string note;     // under it: "20.17 dB"
  Image image;
};

struct ContactSheet {
  std::string subject;             // written under all of it
  std::vector<SheetImage> images;  // of one size
  // Before every thinking step, and after the last; empty where there is no energy.
  std::vector<double> energy;
  // Of the noisy image, and after every step; empty where the clean image is not known.
  std::vector<double> psnr;
  // What a baseline reached: its name, and its PSNR.
  std::optional<std::pair<std::string, double>> baseline;
};

// A standalone SVG: the images as PNGs within it, at most six in a row (four of large ones), and
// under them energy and PSNR over the steps. Of large images, the centre is shown, pixel by pixel.
// Throws Error when there are no images.
std::string contact_sheet(const ContactSheet& sheet);

}  // namespace ebt
