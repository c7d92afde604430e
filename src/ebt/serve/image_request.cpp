#include "ebt/serve/image_request.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/base64.h"
#include "ebt/io/json.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/json_fields.h"
#include "ebt/serve/request_fields.h"

namespace ebt {
namespace {

// As `ebt denoise` does.
constexpr int64_t kThinkingSteps = 3;
constexpr int64_t kPasses = 100;
constexpr double kLargestSigma = 10'000;

class Parser {
 public:
  Parser(const nlohmann::json& object, const ServedImageModel& model, const RequestLimits& limits)
      : fields_(object, "", "The body"), model_(model), limits_(limits) {}

  // The file of an upload, or nothing: the field "image" has it.
  ImageRequest parse(std::optional<std::string_view> file) {
    check_model_name(fields_, "model of images", model_.name);
    read_steps();
    read_noise();
    request_.options.stream = fields_.boolean("stream").value_or(false);
    const std::string bytes = file ? std::string() : read_image_field();
    fields_.expect_no_others();
    read_image(file.value_or(bytes));
    return std::move(request_);
  }

 private:
  void read_steps() {
    const int64_t usual = model_.thinks() ? kThinkingSteps : kPasses;
    request_.options.denoise.steps = fields_.integer("steps", 1, limits_.max_thinking_steps)
                                         .value_or(std::min(usual, limits_.max_thinking_steps));
    request_.options.denoise.energy_tolerance = fields_.number("energy_tolerance", 0).value_or(0);
    if (request_.options.denoise.energy_tolerance > 0 && !model_.thinks()) {
      refuse_field("energy_tolerance", "'energy_tolerance' needs energies, and '{}' is a DiT.",
                   model_.name);
    }
  }

  double sigma(const char* name) {
    const double sigma = fields_.number(name, 0).value_or(0);
    if (sigma > kLargestSigma) {
      refuse_field(name, "'{}' is {}, above the limit of {}.", name, sigma, kLargestSigma);
    }
    return sigma;
  }

  void read_noise() {
    const double added = sigma("sigma");
    const double given = sigma("input_sigma");
    if (added > 0 && given > 0) {
      refuse_field(
          "input_sigma",
          "'sigma' adds noise to a clean image: leave out 'input_sigma', the noise that an "
          "image has already.");
    }
    request_.options.adds_noise = added > 0;
    request_.options.noise = added + given > 0 ? ImageNoise::of_sigma(added + given)
                                               : ImageNoise::of_timestep(model_.trained_timestep);
    request_.options.denoise.timestep = request_.options.noise.timestep;
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    request_.options.seed = static_cast<uint64_t>(fields_.integer("seed", 0, kMost).value_or(0));
  }

  // The bytes of the field, which is base64 or a data: URL of it.
  std::string read_image_field() {
    const nlohmann::json* const value = fields_.find("image");
    if (value == nullptr) {
      refuse_field("image", "'image' is missing: a PNG or JPEG in base64.");
    }
    if (!value->is_string()) {
      fields_.fail_wrong("image", "a string");
    }
    std::string_view text = value->get_ref<const std::string&>();
    if (text.starts_with("data:")) {
      constexpr std::string_view kEncoding = ";base64";
      const size_t comma = text.find(',');
      if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(kEncoding)) {
        refuse_field("image", "'image' is a data: URL that is not in base64.");
      }
      text.remove_prefix(comma + 1);
    }
    std::optional<std::string> bytes = from_base64(text);
    if (!bytes) {
      refuse_field("image", "'image' is not in base64, padded and on one line.");
    }
    return std::move(*bytes);
  }

  void read_image(std::string_view bytes) {
    try {
      request_.image = decode_image(bytes, "The image", [this](int64_t width, int64_t height) {
        check_pixels(width, height);
      });
    } catch (const Error& error) {
      refuse_field("image", "{}.", error.what());
    }
    if (model_.config.channels == 1) {
      make_grey();
    }
  }

  void check_pixels(int64_t width, int64_t height) const {
    if (height > limits_.max_image_pixels / width) {
      throw ApiError(413,
                     fmt::format("The image has {} x {} pixels, more than the {} that this server "
                                 "takes.",
                                 width, height, limits_.max_image_pixels),
                     "image", "image_too_large");
    }
    const int64_t steps = request_.options.denoise.steps;
    if (request_.options.wants_states() && steps > limits_.max_image_history / (width * height)) {
      refuse_field("steps",
                   "{} steps of {} x {} pixels are more than this server keeps, which is {} pixels "
                   "times steps: ask for fewer, or for neither 'stream' nor 'sigma'.",
                   steps, width, height, limits_.max_image_history);
    }
  }

  // Programs store grey images as colours too.
  void make_grey() {
    Image& image = request_.image;
    for (size_t i = 0; image.channels == 3 && i < image.pixels.size(); i += 3) {
      if (image.pixels[i] != image.pixels[i + 1] || image.pixels[i] != image.pixels[i + 2]) {
        refuse_field("image", "The image has colours, and '{}' is a model of grey images.",
                     model_.name);
      }
    }
    image = with_channels(image, 1);
  }

  JsonFields fields_;
  const ServedImageModel& model_;
  const RequestLimits& limits_;
  ImageRequest request_;
};

// A parameter as the JSON value that it spells; names are never numbers.
nlohmann::json parameter_value(const std::string& name, const std::string& text) {
  nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  const bool is_scalar = value.is_number() || value.is_boolean() || value.is_null();
  return name != "model" && is_scalar ? value : nlohmann::json(text);
}

}  // namespace

ImageRequest parse_image_request(std::string_view body, const ServedImageModel& model,
                                 const RequestLimits& limits) {
  const nlohmann::json object = parse_request_body(body);
  return Parser(object, model, limits).parse(std::nullopt);
}

ImageRequest parse_image_upload(std::string_view file, const QueryParameters& query,
                                const ServedImageModel& model, const RequestLimits& limits) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, text] : query) {
    if (object.contains(name)) {
      refuse_field(name, "The parameter {} is there twice.", json_excerpt(name));
    }
    object[name] = parameter_value(name, text);
  }
  return Parser(object, model, limits).parse(file);
}

}  // namespace ebt
