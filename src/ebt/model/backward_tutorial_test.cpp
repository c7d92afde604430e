// The numbers and the lines of code of docs/backward_tutorial.md are those of the engine.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/block_layer.h"

namespace ebt::testing {
namespace {

using Layer = BlockLayer<double, PredictionAttention<double>, TextStyle>;

class BackwardTutorial : public ::testing::Test {
 protected:
  BackwardTutorial() {
    TextModelConfig config;
    config.type = EbtType::kDefault;
    config.width = 2;
    config.heads = 1;
    config.ffn_multiplier = 0.5;
    Arena count;
    take_block(count, config, 1, 1, saved_);
    arena_.emplace(count.peak_bytes());
    take_block(*arena_, config, 1, 1, saved_);
  }

  // Expects the page to hold them with four digits behind the point: "(0.5000, -1.2500)".
  void expect_told(Tensor<const double> values, const std::string& name) const {
    std::vector<std::string> words;
    for (int64_t i = 0; i < values.count(); ++i) {
      words.push_back(fmt::format("{:.4f}", values[i]));
    }
    const std::string text =
        words.size() == 1 ? words[0] : fmt::format("({})", fmt::join(words, ", "));
    EXPECT_NE(page_.find(text), std::string::npos) << name << " is " << text;
  }
  // Queries, keys and values apart.
  void expect_told_apart(Tensor<const double> qkv, const std::string& name) const {
    for (int64_t part = 0; part < 3; ++part) {
      expect_told({qkv.data + 2 * part, {2}}, name);
    }
  }
  void expect_told_all(const BlockValues<double>& values, const std::string& name) const {
    expect_told_apart(values.qkv, name + " qkv");
    expect_told(values.attended, name + " attended");
    expect_told(values.middle, name + " middle");
    expect_told(values.ffn_in, name + " ffn_in");
  }
  void expect_told_all(const BlockCotangents<double>& values, const std::string& name) const {
    expect_told(values.ffn_normed, name + " ffn_normed");
    expect_told(values.middle, name + " middle");
    expect_told(values.attended, name + " attended");
    expect_told_apart(values.qkv, name + " qkv");
    expect_told(values.normed, name + " normed");
  }

  static std::string text_of(const std::string& path) {
    std::ifstream file(std::string(EBT_SOURCE_DIR) + "/" + path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::optional<Arena> arena_;
  Layer::Saved saved_;
  std::string page_ = text_of("docs/backward_tutorial.md");
};

TEST_F(BackwardTutorial, QuotesTheLinesOfBlock) {
  const std::string code = text_of("src/ebt/model/block.cpp");
  std::istringstream lines(page_);
  bool quotes = false;
  int quoted = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      quotes = line == "```cpp";
    } else if (quotes) {
      ++quoted;
      EXPECT_NE(code.find(line.substr(line.find_first_not_of(' '))), std::string::npos) << line;
    }
  }
  EXPECT_GT(quoted, 10);
}

TEST_F(BackwardTutorial, TellsTheNumbersOfTheEngine) {
  const std::vector<double> qkv = {1, 0, 0, 1, 1, 1, 0, 1, 0.5, 0, 0, 0.5};
  const std::vector<double> attention_out = {1, 0, 0, 1};
  const std::vector<double> ffn_in = {1, -1, 1, 1};
  const std::vector<double> ffn_out = {1, 2};
  const std::vector<double> gain = {1, 1};
  const std::vector<double> context = {0, 0, 1, 0, 0, 1};
  Layer::Params params;
  params.matrices = {Tensor<const double>{qkv.data(), {6, 2}},
                     Tensor<const double>{attention_out.data(), {2, 2}},
                     Tensor<const double>{ffn_in.data(), {2, 2}},
                     Tensor<const double>{ffn_out.data(), {2, 1}},
                     {}};
  params.attention_half.gain = Tensor<const double>{gain.data(), {2}};
  params.ffn_half.gain = Tensor<const double>{gain.data(), {2}};
  params.attention = {1, {context.data(), {1, 1, 6}}, 0, 0, 0};
  params.norm_eps = 0.5;

  const Shape stream{1, 1, 2};
  std::vector<double> x = {1, -0.5};
  std::vector<double> y(2);
  Layer::forward(params, {x.data(), stream}, {y.data(), stream}, saved_);
  expect_told_all(saved_.trace.values, "forward");
  expect_told({y.data(), {2}}, "y");

  std::vector<double> direction = {0.5, 1};
  std::vector<double> y_dot(2);
  Layer::jvp(params, saved_, {direction.data(), stream}, {y_dot.data(), stream});
  expect_told_all(saved_.dot, "jvp");
  expect_told({y_dot.data(), {2}}, "y_dot");

  std::vector<double> energy = {1, 0.5};
  std::vector<double> u(2);
  Layer::vjp(params, saved_, {energy.data(), stream}, {u.data(), stream}, Write::kReplace, nullptr);
  expect_told_all(saved_.bar, "vjp");
  expect_told({u.data(), {2}}, "u");

  std::vector<double> gradients(12 + 4 + 4 + 2 + 2 + 2 + 4);
  double* next = gradients.data();
  const auto take = [&](const Shape& shape) {
    const Tensor<double> part{next, shape};
    next += shape.count();
    return part;
  };
  Layer::Grads grads;
  grads.weights.qkv = take({6, 2});
  grads.weights.attention_out = take({2, 2});
  grads.weights.ffn_in = take({2, 2});
  grads.weights.ffn_out = take({2, 1});
  grads.attention_half.gain = take({2});
  grads.ffn_half.gain = take({2});
  grads.attention.context = take({1, 1, 4});
  std::vector<double> zero(2);
  std::vector<double> x_bar(2);
  Layer::second_order(params, saved_, {direction.data(), stream}, {energy.data(), stream},
                      {zero.data(), stream}, {x_bar.data(), stream}, Write::kReplace, &grads);
  expect_told_all(saved_.bar, "second order");
  expect_told(saved_.work.ffn_in_bar, "second order ffn_in");
  expect_told({x_bar.data(), {2}}, "x_bar");
  expect_told({grads.attention.context.data, {2}}, "context key");
  expect_told({grads.attention.context.data + 2, {2}}, "context value");
  expect_told({grads.weights.ffn_out.data, {2}}, "ffn_out");
}

}  // namespace
}  // namespace ebt::testing
