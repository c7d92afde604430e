// `ebt bench train`: what it says of a tiny step, and the files of a sweep; and that `ebt bench
// generate` measures models of every type.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

Arguments tiny_bench(const Arguments& more) {
  Arguments arguments = {"bench",        "train",   "--size",    "4xs",       "--vocab",
                         "32",           "--batch", "1",         "--context", "16",
                         "--iterations", "1",       "--threads", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

size_t column_of(const std::string& header, const std::string& name) {
  const auto fields = fields_of(header);
  const auto found = std::find(fields.begin(), fields.end(), name);
  EXPECT_NE(found, fields.end()) << name << " is not in " << header;
  return static_cast<size_t>(found - fields.begin());
}

class Bench : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(Bench, MeasuresAStepByItsPhases) {
  const json result = run_ebt_json(tiny_bench({}));
  for (const char* key : {"parameters", "seconds_per_step", "tokens_per_second", "peak_gib",
                          "planned_gib", "gemm_seconds", "gemm_gflop", "gemm_ratio",
                          "transformer_pp_seconds", "transformer_pp_ratio"}) {
    ASSERT_TRUE(result.contains(key)) << key;
    EXPECT_GT(result[key].get<double>(), 0) << key;
  }
  EXPECT_TRUE(result["isa"].is_string());
  EXPECT_EQ(result["vocab"], 32);
  const double step = result["seconds_per_step"];
  EXPECT_NEAR(result["transformer_pp_ratio"].get<double>(),
              step / result["transformer_pp_seconds"].get<double>(), 1e-9);

  std::set<std::string> names;
  double sum = 0;
  for (const auto& [name, seconds] : result["phases"].items()) {
    names.insert(name);
    EXPECT_GE(seconds.get<double>(), 0) << name;
    sum += seconds.get<double>();
  }
  EXPECT_EQ(names, (std::set<std::string>{"context", "thinking", "inner_gradient", "tangent",
                                          "second_order", "vocabulary", "optimizer", "other"}));
  EXPECT_NEAR(sum, step, 1e-9);
  EXPECT_GT(result["phases"]["optimizer"].get<double>(), 0);
}

TEST_F(Bench, ComparesTheBaselineWithNothing) {
  const json result = run_ebt_json(tiny_bench({"--arch", "transformer_pp"}));
  EXPECT_FALSE(result.contains("transformer_pp_seconds"));
  EXPECT_FALSE(result.contains("transformer_pp_ratio"));
}

TEST_F(Bench, MeasuresTextsOfEveryTypeBesideTheBaseline) {
  for (const char* type : {"default", "time_embed", "adaln"}) {
    const json result = run_ebt_json({"bench", "generate", "--size", "4xs", "--vocab", "32",
                                      "--context", "8", "--tokens", "4", "--texts", "2",
                                      "--iterations", "1", "--threads", "1", "--type", type});
    for (const char* key : {"seconds_per_token", "transformer_pp_seconds", "recomputed_seconds",
                            "texts_tokens_per_second", "prompt_tokens_per_second"}) {
      EXPECT_GT(result[key].get<double>(), 0) << type << ", " << key;
    }
  }
}

TEST_F(Bench, IsQuietWithJsonAndTellsPeopleOfItsProgress) {
  EXPECT_EQ(run_ebt(tiny_bench({"--json"})).err, "");
  const Outcome outcome = run_ebt(tiny_bench({}));
  EXPECT_NE(outcome.err.find("training steps: warming up"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("optimizer"), std::string::npos);
  EXPECT_NE(outcome.out.find("step / Transformer++"), std::string::npos);
}

TEST_F(Bench, SweepsIntoATableAndAFigure) {
  const std::string out = folder_.file("made/for/it");
  const json result =
      run_ebt_json(tiny_bench({"--sweep", "context", "--values", "16,8", "--out", out}));
  EXPECT_EQ(result["csv"], out + "/sweep-context.csv");
  EXPECT_EQ(result["svg"], out + "/sweep-context.svg");
  ASSERT_EQ(result["rows"].size(), 2U);
  EXPECT_EQ(result["rows"][1]["batch"], 2) << "as many tokens a step";

  const auto lines = lines_of(read_file(out + "/sweep-context.csv"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0],
            "arch,type,size,vocab,batch,micro-batch,context,think-steps,iterations,threads,"
            "precision,recompute,isa,bf16_engine,parameters,seconds_per_step,tokens_per_second,"
            "peak_gib,planned_gib,"
            "gemm_seconds,gemm_gflop,gemm_ratio,transformer_pp_seconds,transformer_pp_ratio,"
            "phases.context,phases.thinking,phases.inner_gradient,phases.tangent,"
            "phases.second_order,phases.vocabulary,phases.optimizer,phases.other,error");
  const size_t context = column_of(lines[0], "context");
  EXPECT_EQ(fields_of(lines[1])[context], "16");
  EXPECT_EQ(fields_of(lines[2])[context], "8");
  EXPECT_GT(std::stod(fields_of(lines[2])[column_of(lines[0], "seconds_per_step")]), 0);
  EXPECT_EQ(fields_of(lines[2]).back(), "") << "no error";

  const std::string figure = read_file(out + "/sweep-context.svg");
  EXPECT_EQ(figure.rfind("<svg", 0), 0U);
  for (const char* part : {"Transformer++", "peak", "optimizer", ">16<", ">8<", "</svg>"}) {
    EXPECT_NE(figure.find(part), std::string::npos) << part;
  }
}

TEST_F(Bench, GoesOnAfterAValueThatFails) {
  const json result = run_ebt_json(
      tiny_bench({"--sweep", "vocab", "--values", "1,16", "--out", folder_.file("out")}));
  EXPECT_EQ(result["rows"][0]["error"], "--vocab-size: 1 is not between 2 and 10 million");
  EXPECT_FALSE(result["rows"][1].contains("error"));
  const auto lines = lines_of(read_file(folder_.file("out/sweep-vocab.csv")));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(fields_of(lines[1]).size(), fields_of(lines[0]).size());
  EXPECT_EQ(fields_of(lines[1]).back(), "--vocab-size: 1 is not between 2 and 10 million");
}

TEST_F(Bench, RefusesSweepsThatCannotBegin) {
  const auto expect_refused = [&](const Arguments& flags, const std::string& sentence) {
    const Outcome outcome = run_ebt(tiny_bench(flags));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "ebt: " + sentence + "\nhint: 'ebt bench train --help' explains its flags\n");
  };
  const std::string out = folder_.file("out");
  expect_refused({"--sweep", "width", "--out", out},
                 "--sweep must be context, vocab, think-steps or size, not 'width'");
  for (const char* value : {"ten", "", "8x", "0", "-8", "1.5", "99999999999999999999"}) {
    expect_refused({"--sweep", "vocab", "--values", std::string("16,") + value, "--out", out},
                   std::string("--values must be whole numbers from 1 with commas between them, "
                               "not '") +
                       value + "'");
  }
  expect_refused({"--sweep", "size", "--values", "4xs,huge", "--out", out},
                 "--values must be sizes from 4xs to xl with commas between them, not 'huge'");
  expect_refused({"--sweep", "context", "--values", "7", "--out", out},
                 "--values: a context of 7 does not divide the 16 tokens of a step (--batch times "
                 "--context)");
  const std::string large = "9000000000000000000";
  EXPECT_EQ(run_ebt({"bench", "train", "--batch", large, "--sweep", "context", "--out", out}).err,
            "ebt: --batch, --context: " + large +
                " rows of 256 tokens are not possible\nhint: 'ebt bench train --help' explains its "
                "flags\n");
  expect_refused({"--values", "8"}, "--values is for --sweep");
  expect_refused({"--out", out}, "--out is for --sweep");
  EXPECT_FALSE(std::filesystem::exists(out)) << "a refused sweep left files";
  folder_.write("file", "");
  expect_refused({"--sweep", "vocab", "--out", folder_.file("file")},
                 "cannot make the folder '" + folder_.file("file") + "': Not a directory");
}

TEST_F(Bench, FailsWhereEveryValueFails) {
  const Outcome outcome = run_ebt(tiny_bench(
      {"--sweep", "vocab", "--values", "2000000000,2100000000", "--out", folder_.file("out")}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("no value of the sweep could be measured; the first failed so: "),
            std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace ebt::testing
