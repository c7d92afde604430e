// `ebt solve`, with a model of random weights: its answers are wrong, but they are answers.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "tests/end_to_end/program.h"
#include "tests/support/infill_folder.h"

namespace ebt::testing {
namespace {

const std::string kBoard = "1000000000000004";
const std::string kFuller = "1234341221430001";

class Solve : public ::testing::Test {
 protected:
  void SetUp() override {
    write_infill_model(model_, small_boards());
    write_infill_model(folder_.path() / "looped", small_boards(), InfillArchitecture::kLooped);
  }

  Arguments command(const Arguments& more) const {
    Arguments arguments = {"solve", "--model", model_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  // The objects that it prints, one a line.
  static std::vector<nlohmann::json> objects(const Outcome& outcome) {
    std::vector<nlohmann::json> all;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
      all.push_back(nlohmann::json::parse(line, nullptr, false));
      EXPECT_TRUE(all.back().is_object()) << line;
    }
    return all;
  }
  Outcome solve_lines(const std::string& lines, const Arguments& more) const {
    Limits limits;
    limits.in = folder_.write("puzzles.txt", lines);
    return run_ebt(command(more), limits);
  }

  TemporaryFolder folder_;
  std::string model_ = folder_.file("model");
};

void expect_solution(const nlohmann::json& object, const std::string& puzzle) {
  EXPECT_EQ(object["puzzle"], puzzle);
  const std::string solution = object["solution"];
  ASSERT_EQ(solution.size(), puzzle.size());
  for (size_t i = 0; i < puzzle.size(); ++i) {
    EXPECT_NE(std::string("1234").find(solution[i]), std::string::npos);
    EXPECT_TRUE(puzzle[i] == '0' || solution[i] == puzzle[i]) << solution;
  }
}

TEST_F(Solve, AnswersEveryLineOfStandardInputInItsOrder) {
  const Outcome outcome = solve_lines(kBoard + "\n\n" + kFuller + "\r\n" + kBoard,
                                      {"--think-steps", "8", "--search", "3", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const std::vector<nlohmann::json> solved = objects(outcome);
  ASSERT_EQ(solved.size(), 3U);
  expect_solution(solved[0], kBoard);
  expect_solution(solved[1], kFuller);
  for (const nlohmann::json& object : solved) {
    EXPECT_TRUE(object["energy"].is_number());
    EXPECT_EQ(object["passes"], 8 + 3 * 16);
    EXPECT_EQ(object["restarts"], 1);
  }
  EXPECT_EQ(solved[0], solved[2]);
  // The same alone, on the command line.
  EXPECT_EQ(
      objects(run_ebt(command({kBoard, kFuller, "--think-steps", "8", "--search", "3", "--json"}))),
      (std::vector<nlohmann::json>{solved[0], solved[1]}));
}

TEST_F(Solve, MoreThoughtsFindLowerEnergies) {
  const auto energy = [&](const Arguments& more) -> double {
    Arguments arguments = command({kBoard, "--think-steps", "1", "--json"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return objects(run_ebt(arguments)).at(0)["energy"];
  };
  EXPECT_LT(energy({"--restarts", "40"}), energy({}));
  EXPECT_LT(energy({"--search", "40"}), energy({}));
}

TEST_F(Solve, SaysWhichLinesItCannotReadAndSolvesTheOthers) {
  const std::string lines = kBoard + "\n123\n" + kFuller + "\n1x00000000000004\n";
  const std::string too_short = "line 2 has 3 characters where rows have 16";
  const std::string unheard_of = "line 4 has 'x', which is not a character of the vocabulary, 1234";
  Outcome outcome = solve_lines(lines, {"--json"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("2 of 4 puzzles could not be read"), std::string::npos) << outcome.err;
  const std::vector<nlohmann::json> solved = objects(outcome);
  ASSERT_EQ(solved.size(), 4U);
  expect_solution(solved[0], kBoard);
  EXPECT_EQ(solved[1], (nlohmann::json{{"puzzle", "123"}, {"error", too_short}}));
  expect_solution(solved[2], kFuller);
  EXPECT_EQ(solved[3], (nlohmann::json{{"puzzle", "1x00000000000004"}, {"error", unheard_of}}));

  outcome = solve_lines(lines, {});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find(too_short), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2) << outcome.out;
}

TEST_F(Solve, WritesPlainLinesWhereNobodyWatches) {
  const Outcome outcome = run_ebt(command({kFuller, "--restarts", "2", "--think-steps", "4"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
  EXPECT_TRUE(outcome.out.starts_with("123434122143")) << outcome.out;
  EXPECT_NE(outcome.out.find("1  energy "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("  8 steps  "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(" of 2 restarts agree\n"), std::string::npos) << outcome.out;
}

// All that comes out of a terminal until the program ends.
std::string seen_on_terminal(const Arguments& arguments, const Arguments& environment) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_GE(terminal, 0);
  EXPECT_EQ(grantpt(terminal), 0);
  EXPECT_EQ(unlockpt(terminal), 0);
  Limits limits;
  limits.out = ptsname(terminal);
  limits.own_session = true;
  limits.environment = environment;
  const int kept_open = open(limits.out.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  Program program(arguments, limits);
  std::string seen;
  std::string block(4096, '\0');
  // What ends it is its last line: the terminal itself stays open.
  while (seen.find(" steps\r\n") == std::string::npos) {
    const ssize_t count = read(terminal, block.data(), block.size());
    if (count <= 0) {
      break;
    }
    seen.append(block, 0, static_cast<size_t>(count));
  }
  EXPECT_EQ(program.wait().exit_code, 0);
  close(kept_open);
  close(terminal);
  return seen;
}

TEST_F(Solve, DrawsTheBoardStepByStepOnATerminal) {
  const Arguments arguments = command({kFuller, "--think-steps", "3"});
  const std::string seen = seen_on_terminal(arguments, {"NO_COLOR="});
  for (const char* part : {"step 1", "step 2", "step 3", "energy ", " │", "─┼─", "\x1b[5A",
                           "\x1b[1m1\x1b[0m", "\x1b[38;5;"}) {
    EXPECT_NE(seen.find(part), std::string::npos) << part << " in\n" << seen;
  }
  const std::string plain = seen_on_terminal(arguments, {"NO_COLOR=1"});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos) << plain;
  EXPECT_TRUE(plain.starts_with("123434122143")) << plain;
  EXPECT_TRUE(seen.ends_with(plain)) << seen;
}

TEST_F(Solve, AsksALoopedTransformerForItsConfidence) {
  const std::string looped = folder_.file("looped");
  const Outcome outcome =
      run_ebt({"solve", "--model", looped, kBoard, "--restarts", "4", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json object = objects(outcome).at(0);
  expect_solution(object, kBoard);
  EXPECT_TRUE(object["energy"].is_null());
  const Outcome refused =
      run_ebt({"solve", "--model", looped, kBoard, "--restarts", "4", "--select", "energy"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("select: energy is for models that have an energy"), std::string::npos)
      << refused.err;
}

TEST_F(Solve, RefusesWhatMeansNothing) {
  const auto error = [&](const Arguments& arguments) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  const auto expect_says = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect_says(error({"solve", kBoard}), "--model");
  expect_says(error({"solve", "--model", folder_.file("none"), kBoard}), "none");
  expect_says(error(command({kBoard, "--kick-noise", "1"})), "--kick-noise is for --search");
  expect_says(error(command({kBoard, "--think-steps", "0"})), "think-steps: 0 is not between");
  expect_says(solve_lines("\n\n", {}).err, "no puzzle");

  AnswerFormat other = small_boards();
  other.characters = "123456";
  save_answer_format(model_, other);
  expect_says(error(command({kBoard})),
              "rows of 16 tokens out of 4, but its format has 16 out of 6");
  const Outcome text = run_ebt({"generate", "--model", model_});
  EXPECT_EQ(text.exit_code, 1);
  expect_says(text.err, "holds a model of whole answers, not of text");
}

}  // namespace
}  // namespace ebt::testing
