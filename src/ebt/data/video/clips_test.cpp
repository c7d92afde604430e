#include "ebt/data/video/clips.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "ebt/data/video/clip_windows.h"
#include "tests/support/error_text.h"
#include "tests/support/small_clips.h"

namespace ebt {
namespace {

using namespace testing;

std::vector<double> counted(int64_t count, double first = 0) {
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = first + static_cast<double>(i);
  }
  return values;
}

template <class T>
std::vector<T> as(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

std::vector<double> frames_of(const Clips& clips, int64_t clip, int64_t first, int64_t count) {
  std::vector<double> values(static_cast<size_t>(count * clips.width()));
  clips.read(clip, first, Tensor<double>{values.data(), {count, clips.width()}});
  return values;
}

TEST(Clips, ReadsWhatNumpyWritesInEveryPrecision) {
  const TemporaryFolder folder;
  folder.write("data/a.npy", npy_bytes("<f4", "(5, 2)", bytes_of_numbers(as<float>(counted(10)))));
  folder.write("data/b.npy", npy_bytes("<f8", "(2, 3, 2)", bytes_of_numbers(counted(12, 100))));
  // 1, 2, 0.5 and -4 as halves.
  folder.write("data/c.npy",
               npy_bytes("<f2", "(2, 2)",
                         bytes_of_numbers(std::vector<uint16_t>{0x3C00, 0x4000, 0x3800, 0xC400})));
  const Clips clips(folder.file("data"));
  EXPECT_EQ(clips.count(), 4);
  EXPECT_EQ(clips.files(), 3);
  EXPECT_EQ(clips.width(), 2);
  EXPECT_EQ(clips.frames(0), 5);
  EXPECT_EQ(clips.frames(1), 3);
  EXPECT_EQ(frames_of(clips, 0, 3, 2), counted(4, 6));
  EXPECT_EQ(frames_of(clips, 1, 0, 3), counted(6, 100));
  EXPECT_EQ(frames_of(clips, 2, 1, 2), counted(4, 108));
  EXPECT_EQ(frames_of(clips, 3, 0, 2), (std::vector<double>{1, 2, 0.5, -4}));
  EXPECT_EQ(clips.name(2), "clip 1 of '" + folder.file("data/b.npy") + "'");
}

TEST(Clips, ReadsTheTensorsOfSafetensorsFiles) {
  const TemporaryFolder folder;
  const std::vector<float> walk = as<float>(counted(6));
  const std::vector<float> runs = as<float>(counted(8, 50));
  SafetensorsWriter writer;
  writer.add("walk", Tensor<const float>{walk.data(), {3, 2}});
  writer.add("runs", Tensor<const float>{runs.data(), {2, 2, 2}});
  writer.write(folder.file("clips.safetensors"));
  const Clips clips(folder.file("clips.safetensors"));
  EXPECT_EQ(clips.count(), 3);
  std::set<std::vector<double>> found;
  for (int64_t clip = 0; clip < 3; ++clip) {
    found.insert(frames_of(clips, clip, 0, clips.frames(clip)));
  }
  EXPECT_EQ(found, (std::set<std::vector<double>>{counted(6), counted(4, 50), counted(4, 54)}));
}

// What is said of a file of these bytes.
std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("x.npy", bytes);
  std::string text = error_text([&] { const Clips clips(path); });
  const size_t at = text.find(path);
  return at == text.npos ? text : text.replace(at, path.size(), "x");
}

TEST(Clips, RefusesFilesThatAreDamagedOrHoldSomethingElse) {
  const std::string four = bytes_of_numbers(as<float>(counted(4)));
  EXPECT_EQ(refusal("no array"), "'x' is not a .npy file");
  EXPECT_EQ(
      refusal(npy_bytes("<i4", "(2, 2)", four)),
      "'x' holds elements of type \"'<i4'\", and not little-endian float16, float32 or float64");
  EXPECT_EQ(
      refusal(npy_bytes(">f4", "(2, 2)", four)),
      "'x' holds elements of type \"'>f4'\", and not little-endian float16, float32 or float64");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(2, 2)", four, "True")),
            "'x' holds an array in Fortran order: save it in C order");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(2, 3)", four)),
            "'x' is truncated: (2,3) F32 takes 24 bytes, and 16 follow");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(2, 1)", four)),
            "'x' is damaged: (2,1) F32 takes 8 bytes, and 16 follow");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(4611686018427387904, 8)", four)),
            "'x' is damaged: its shape has an extent that is no number, or too large");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(2, -2)", four)),
            "'x' is damaged: its shape has an extent that is no number, or too large");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(4,)", four)),
            "'x' has the shape (4): a clip is (frames, width), a stack (clips, frames, width)");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(0, 4)", "")),
            "'x' has the shape (0,4): there is no frame in it");
  EXPECT_EQ(refusal(npy_bytes("<f4", "(2, 2)", four).substr(0, 40)).find("'x' is truncated: "), 0U);
}

TEST(Clips, RefusesFramesOfDifferentSizesAndNumbersThatAreNone) {
  const TemporaryFolder folder;
  const std::string a =
      folder.write("data/a.npy", npy_bytes("<f8", "(2, 2)", bytes_of_numbers(counted(4))));
  const std::string b =
      folder.write("data/b.npy", npy_bytes("<f8", "(2, 3)", bytes_of_numbers(counted(6))));
  EXPECT_EQ(error_text([&] { const Clips clips(folder.file("data")); }),
            "'" + b + "' has frames of 3 numbers, and '" + a + "' has frames of 2");
  std::vector<double> values = counted(6);
  values[4] = std::numeric_limits<double>::quiet_NaN();
  folder.write("data/b.npy", npy_bytes("<f8", "(3, 2)", bytes_of_numbers(values)));
  const Clips clips(folder.file("data"));
  EXPECT_EQ(frames_of(clips, 1, 0, 2), counted(4));
  EXPECT_EQ(error_text([&] { frames_of(clips, 1, 1, 2); }),
            "'" + b + "': frame 2 holds nan, which is no number that can be learned");
  folder.write("data/b.npy", npy_bytes("<f8", "(2, 2)", bytes_of_numbers(counted(4))));
  EXPECT_EQ(error_text([&] { frames_of(clips, 1, 0, 2); }),
            "'" + b + "' is no longer what it was when it was opened");
  EXPECT_NE(Clips(folder.file("data")).fingerprint(), clips.fingerprint());
  EXPECT_NE(error_text([&] { const Clips none(folder.file("nothing")); }).find("is no folder"),
            std::string::npos);
}

TEST(ClipWindows, ForetellEveryFrameButTheFirst) {
  const TemporaryFolder folder;
  folder.write("data/a.npy", npy_bytes("<f8", "(8, 1)", bytes_of_numbers(counted(8))));
  folder.write("data/b.npy", npy_bytes("<f8", "(4, 1)", bytes_of_numbers(counted(4, 20))));
  folder.write("data/c.npy", npy_bytes("<f8", "(5, 1)", bytes_of_numbers(counted(5, 40))));
  VideoData data;
  data.clips = std::make_shared<Clips>(folder.file("data"));
  cut_clips({folder.file("data"), 0.0}, 1, 3, data);
  EXPECT_EQ(data.validation->count(), 0);
  std::vector<double> firsts;
  for (int64_t window = 0; window < data.training->count(); ++window) {
    std::vector<double> frames(4);
    data.training->read(window, Tensor<double>{frames.data(), {4, 1}});
    EXPECT_EQ(frames, counted(4, frames[0]));
    firsts.push_back(frames[0]);
  }
  EXPECT_EQ(firsts, (std::vector<double>{0, 3, 4, 20, 40, 41}));
  cut_clips({folder.file("data"), 0.1}, 1, 3, data);
  EXPECT_EQ(data.training->count() + data.validation->count(), 6);
  EXPECT_GT(data.validation->count(), 0) << "at least one clip of two";
  EXPECT_EQ(error_text([&] {
              cut_clips({"x", 0.0}, 1, 4, data);
            }),
            "'" + folder.file("data/b.npy") +
                "' has 4 frames, and a context of 4 and the frame after it are 5: lower --context, "
                "or take the clip out");
  EXPECT_EQ(error_text([&] {
              cut_clips({"x", 0.9}, 1, 3, data);
            }),
            "'x' has 3 clips, and all are kept for validation");
}

}  // namespace
}  // namespace ebt
