#include "ebt/serve/image_request.h"

#include <gtest/gtest.h>

#include "ebt/io/base64.h"
#include "ebt/serve/api_error.h"
#include "tests/support/small_images.h"

namespace ebt {
namespace {

using testing::gradient;

const Image& small() {
  static const Image image = gradient(6, 9, 3);
  return image;
}

ServedImageModel cleaner(ImageArchitecture arch = ImageArchitecture::kEbt, int64_t channels = 3) {
  ServedImageModel model;
  model.name = "cleaner";
  model.config.arch = arch;
  model.config.channels = channels;
  model.trained_timestep = 99;
  return model;
}

// The field "image" of a small image, and others.
std::string body_of(const std::string& fields, const std::string& before = "") {
  return R"({"image": ")" + before + base64(encode_png(small())) + "\"" +
         (fields.empty() ? "" : ", ") + fields + "}";
}

// "400 field: sentence"
template <class Parse>
std::string refusal_of(Parse&& parse) {
  try {
    parse();
  } catch (const ApiError& error) {
    return fmt::format("{} {}: {}", error.status(), error.param(), error.what());
  }
  return "accepted";
}

std::string refusal(const std::string& body, const ServedImageModel& model = cleaner(),
                    const RequestLimits& limits = {}) {
  return refusal_of([&] { parse_image_request(body, model, limits); });
}

std::string upload_refusal(std::string_view file, const QueryParameters& query = {},
                           const ServedImageModel& model = cleaner(),
                           const RequestLimits& limits = {}) {
  return refusal_of([&] { parse_image_upload(file, query, model, limits); });
}

TEST(ImageRequest, HasTheDefaultsOfTheCommand) {
  const ImageRequest request = parse_image_request(body_of(""), cleaner(), {});
  EXPECT_EQ(request.image.pixels, small().pixels);
  EXPECT_EQ(request.options.denoise.steps, 3);
  EXPECT_EQ(request.options.denoise.energy_tolerance, 0);
  EXPECT_EQ(request.options.denoise.timestep, 99) << "the noise of the training";
  EXPECT_EQ(request.options.noise.timestep, 99);
  EXPECT_EQ(request.options.seed, 0U);
  EXPECT_FALSE(request.options.adds_noise || request.options.stream);
  EXPECT_FALSE(request.options.wants_states());
  const ImageRequest dit = parse_image_request(body_of(""), cleaner(ImageArchitecture::kDit), {});
  EXPECT_EQ(dit.options.denoise.steps, 100);
  RequestLimits limits;
  limits.max_thinking_steps = 2;
  EXPECT_EQ(parse_image_request(body_of(""), cleaner(), limits).options.denoise.steps, 2);
}

TEST(ImageRequest, ReadsEveryField) {
  const ImageRequest request = parse_image_request(
      body_of(R"("model": "cleaner", "steps": 7, "energy_tolerance": 0.01, "sigma": 25, "seed": 5,
                 "stream": true, "input_sigma": null)"),
      cleaner(), {});
  const CleaningOptions& options = request.options;
  EXPECT_EQ(options.denoise.steps, 7);
  EXPECT_EQ(options.denoise.energy_tolerance, 0.01);
  EXPECT_EQ(options.seed, 5U);
  EXPECT_TRUE(options.stream && options.adds_noise);
  EXPECT_NEAR(options.noise.sigma(), 25, 1e-9);
  EXPECT_EQ(options.denoise.timestep, ImageNoise::of_sigma(25).timestep);
  const ImageRequest noisy = parse_image_request(body_of(R"("input_sigma": 50)"), cleaner(), {});
  EXPECT_FALSE(noisy.options.adds_noise);
  EXPECT_EQ(noisy.options.denoise.timestep, ImageNoise::of_sigma(50).timestep);
  EXPECT_EQ(noisy.options.noise.signal, ImageNoise::of_sigma(50).signal);
}

TEST(ImageRequest, TakesADataUrl) {
  const ImageRequest request =
      parse_image_request(body_of("", "data:image/png;base64,"), cleaner(), {});
  EXPECT_EQ(request.image.pixels, small().pixels);
  EXPECT_EQ(parse_image_request(body_of("", "data:;base64,"), cleaner(), {}).image.width, 9);
}

TEST(ImageRequest, TakesAFileWithTheFieldsInTheQuery) {
  const ImageRequest request = parse_image_upload(
      testing::jpeg_of(small()),
      {{"steps", "4"}, {"sigma", "2.5e1"}, {"stream", "true"}, {"model", "cleaner"}}, cleaner(),
      {});
  EXPECT_EQ(request.image.width, 9);
  EXPECT_EQ(request.options.denoise.steps, 4);
  EXPECT_NEAR(request.options.noise.sigma(), 25, 1e-9);
  EXPECT_TRUE(request.options.stream);
  ServedImageModel seven = cleaner();
  seven.name = "7";
  EXPECT_EQ(upload_refusal(encode_png(small()), {{"model", "7"}}, seven), "accepted");
}

TEST(ImageRequest, RefusesWhatIsNotAField) {
  EXPECT_EQ(refusal("{}"), "400 image: 'image' is missing: a PNG or JPEG in base64.");
  EXPECT_EQ(refusal("[]"), "400 : The body must be a JSON object, not an array");
  EXPECT_EQ(refusal(R"({"image": 3})"), "400 image: 'image' must be a string, not 3.");
  EXPECT_EQ(refusal(body_of(R"("step": 3)")), "400 step: Unknown field \"step\".");
  EXPECT_EQ(refusal(body_of(R"("model": "other")")),
            "404 model: There is no model of images \"other\": this server has 'cleaner'.");
  EXPECT_EQ(refusal(body_of(R"("steps": 0)")),
            "400 steps: 'steps' must be a whole number from 1 to 256, not 0.");
  EXPECT_EQ(refusal(body_of(R"("energy_tolerance": -1)")),
            "400 energy_tolerance: 'energy_tolerance' must be a number from 0, not -1.");
  EXPECT_EQ(refusal(body_of(R"("energy_tolerance": 1)"), cleaner(ImageArchitecture::kDit)),
            "400 energy_tolerance: 'energy_tolerance' needs energies, and 'cleaner' is a DiT.");
  EXPECT_EQ(refusal(body_of(R"("sigma": 10001)")),
            "400 sigma: 'sigma' is 10001, above the limit of 10000.");
  EXPECT_EQ(refusal(body_of(R"("sigma": 1, "input_sigma": 1)")).substr(0, 61),
            "400 input_sigma: 'sigma' adds noise to a clean image: leave o");
  EXPECT_EQ(refusal(body_of(R"("seed": -1)")).substr(0, 46),
            "400 seed: 'seed' must be a whole number from 0");
  EXPECT_EQ(refusal(body_of(R"("stream": 1)")),
            "400 stream: 'stream' must be true or false, not 1.");
  EXPECT_EQ(refusal("{").substr(0, 32), "400 : The body is not valid JSON");
}

TEST(ImageRequest, RefusesParametersThatAreNone) {
  const std::string png = encode_png(small());
  EXPECT_EQ(upload_refusal(png, {{"steps", "x"}}),
            "400 steps: 'steps' must be a whole number from 1 to 256, not \"x\".");
  EXPECT_EQ(upload_refusal(png, {{"sigma", "1e999"}}),
            "400 sigma: 'sigma' must be a number from 0, not \"1e999\".");
  EXPECT_EQ(upload_refusal(png, {{"steps", "3"}, {"steps", "4"}}),
            "400 steps: The parameter \"steps\" is there twice.");
  EXPECT_EQ(upload_refusal(png, {{"image", "AAAA"}}), "400 image: Unknown field \"image\".");
  EXPECT_EQ(upload_refusal(png, {{"stream", "[true]"}}),
            "400 stream: 'stream' must be true or false, not \"[true]\".");
}

TEST(ImageRequest, RefusesWhatIsNoImage) {
  EXPECT_EQ(refusal(R"({"image": ""})"), "400 image: The image is empty.");
  EXPECT_EQ(refusal(R"({"image": "AAA"})"),
            "400 image: 'image' is not in base64, padded and on one line.");
  EXPECT_EQ(refusal(R"({"image": "data:image/png,AAAA"})"),
            "400 image: 'image' is a data: URL that is not in base64.");
  EXPECT_EQ(refusal(R"({"image": "data:image/png;base64"})"),
            "400 image: 'image' is a data: URL that is not in base64.");
  EXPECT_EQ(upload_refusal("GIF89a and more"),
            "400 image: The image is a GIF image: only PNG and JPEG are read.");
  const std::string png = encode_png(small());
  EXPECT_EQ(upload_refusal(png.substr(0, png.size() / 2)), "400 image: The image is truncated.");
}

TEST(ImageRequest, RefusesLargeImagesBeforeTheyAreDecoded) {
  RequestLimits limits;
  limits.max_image_pixels = 53;
  EXPECT_EQ(upload_refusal(encode_png(small()), {}, cleaner(), limits),
            "413 image: The image has 9 x 6 pixels, more than the 53 that this server takes.");
  limits.max_image_pixels = 54;
  EXPECT_EQ(upload_refusal(encode_png(small()), {}, cleaner(), limits), "accepted");
}

// Decoders skip what they do not know before the header, so that is where a bomb would hide it.
TEST(ImageRequest, RefusesBombsWhereverTheirHeaderIs) {
  std::string png = encode_png(small());
  testing::set_png_size(png, 16383, 16383);
  std::string late_png = png;
  late_png.insert(8, testing::big_endian(4) + "gAMA" + testing::big_endian(45455) + "crc?");
  testing::repair_png(late_png);
  std::string jpeg = testing::jpeg_of(small());
  testing::set_jpeg_size(jpeg, 16383, 16383);
  std::string late_jpeg = jpeg;
  late_jpeg.insert(2, std::string("\xff\xe2\0\0", 4));  // a segment shorter than its own length
  for (const std::string& bomb : {png, late_png, jpeg, late_jpeg}) {
    EXPECT_EQ(upload_refusal(bomb),
              "413 image: The image has 16383 x 16383 pixels, more than the 4194304 that this "
              "server takes.");
  }
}

TEST(ImageRequest, KeepsNoMoreStatesThanTheLimit) {
  RequestLimits limits;
  limits.max_image_history = 6 * 9 * 4;
  const std::string png = encode_png(small());
  const auto refuse = [&](const QueryParameters& query) {
    return upload_refusal(png, query, cleaner(), limits);
  };
  EXPECT_EQ(refuse({{"steps", "4"}, {"stream", "true"}}), "accepted");
  EXPECT_EQ(refuse({{"steps", "5"}}), "accepted");
  const std::string expected =
      "400 steps: 5 steps of 9 x 6 pixels are more than this server keeps, which is 216 pixels "
      "times steps: ask for fewer, or for neither 'stream' nor 'sigma'.";
  EXPECT_EQ(refuse({{"steps", "5"}, {"stream", "true"}}), expected);
  EXPECT_EQ(refuse({{"steps", "5"}, {"sigma", "1"}}), expected);
}

TEST(ImageRequest, OfAGreyModelTakesGreyImagesHoweverTheyAreStored) {
  const ServedImageModel grey = cleaner(ImageArchitecture::kEbt, 1);
  const Image shades = gradient(6, 9, 1);
  for (const int64_t channels : {1, 3}) {
    const ImageRequest request =
        parse_image_upload(encode_png(with_channels(shades, channels)), {}, grey, {});
    EXPECT_EQ(request.image.channels, 1);
    EXPECT_EQ(request.image.pixels, shades.pixels);
  }
  EXPECT_EQ(upload_refusal(encode_png(small()), {}, grey),
            "400 image: The image has colours, and 'cleaner' is a model of grey images.");
}

}  // namespace
}  // namespace ebt
