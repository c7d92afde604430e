// The page of `ebt report`: what it shows, and that what it says repeats it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "ebt/data/tokenizer/sentence_piece.h"
#include "tests/end_to_end/program.h"
#include "tests/support/small_tokenizer.h"

namespace ebt::testing {
namespace {

class Report : public TextRuns {};

std::string unescaped(std::string html) {
  for (const auto& [name, text] :
       {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}}) {
    for (size_t at = 0; (at = html.find(name, at)) != std::string::npos; ++at) {
      html.replace(at, std::string(name).size(), text);
    }
  }
  return html;
}

// The commands under "Repeat it", as a reader copies them.
std::vector<std::string> commands_of(const std::string& page) {
  const size_t begin = page.find("<pre>", page.find("Repeat it")) + 5;
  std::istringstream lines(unescaped(page.substr(begin, page.find("</pre>", begin) - begin)));
  std::vector<std::string> commands;
  for (std::string line; std::getline(lines, line);) {
    commands.push_back(line);
  }
  return commands;
}

TEST_F(Report, SaysHowToRepeatItAndThatRepeatsIt) {
  const std::string model = train("a model", {"--batch", "3", "--langevin-noise", "0.1"});
  const std::string page = folder_.file("it's a \"page\".html");
  const std::string figure = folder_.file("figure.svg");
  run_ebt_json({"report",
                "--model",
                model,
                "--data",
                text_,
                "--windows",
                "5",
                "--prompt",
                "-- it's <b> \"$HOME\" `ls` \\\n\ttwo\xFF",
                "--tokens",
                "7",
                "--think-steps",
                "3",
                "--temperature",
                "0.5",
                "--seed",
                "11",
                "--out",
                page,
                "--figure",
                figure});
  const std::string first_page = read_file(page);
  const std::string first_figure = read_file(figure);
  const std::vector<std::string> commands = commands_of(first_page);
  ASSERT_EQ(commands.size(), 2U);

  std::filesystem::remove(page);
  std::filesystem::remove(figure);
  std::filesystem::create_symlink(EBT_BINARY, folder_.path() / "ebt");
  for (const std::string& command : commands) {
    const std::string script =
        folder_.write("script", "PATH='" + folder_.path().string() + "':$PATH\n" + command + "\n");
    ASSERT_EQ(std::system(("bash " + script + " >/dev/null 2>&1").c_str()), 0) << command;
  }
  expect_same_run(model, model + "-again");
  EXPECT_EQ(read_file(page), first_page);
  EXPECT_EQ(read_file(figure), first_figure);
}

TEST_F(Report, ShowsTheTextOfTokensOfSeveralCharacters) {
  std::string tokenizer = folder_.file("book.model");
  if (has_sentence_piece()) {
    run_ebt_json(
        {"tokenizer", "train", "--data", text_, "--vocab-size", "400", "--out", tokenizer});
  } else {
    tokenizer = folder_.write("small.json", small_tokenizer().dump());
  }
  const std::string model = train("pieces", {"--tokenizer", tokenizer});
  const std::string page = folder_.file("page.html");
  run_ebt_json({"report", "--model", model, "--tokens", "60", "--windows", "2", "--out", page});
  const std::string html = read_file(page);
  const std::regex several("class=\"e[0-7]\" title=\"\u201C[^\"]*[a-z]{2}[^\"]*\u201D: energy ");
  EXPECT_TRUE(std::regex_search(html, several));
  EXPECT_FALSE(std::regex_search(html, std::regex("\\b(un)?sure\\b"))) << "it was not calibrated";
}

}  // namespace
}  // namespace ebt::testing
