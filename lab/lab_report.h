// The report of an experiment: one self-contained HTML page, and files for machines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"

namespace ebt {

// Of a claim: what the results say about it.
enum class Verdict { kYes, kNo, kUnclear, kNotMeasured };
// "yes", "no", "unclear", "not measured".
std::string verdict_in_words(Verdict verdict);

struct LabAnswer {
  std::string claim;  // "Thinking longer than in training raises accuracy beyond its range"
  Verdict verdict = Verdict::kNotMeasured;
  std::string evidence;  // the numbers, in a sentence
};

// A table for people, and a file for machines.
struct LabTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  // As the file has it: quoted where needed, a header first.
  std::string to_csv() const;
};

struct LabSection {
  std::string name;     // of its files, NAME.svg and NAME.csv
  std::string head;     // "Accuracy against thinking steps"
  std::string note;     // how to read it
  std::string chart;    // an <svg> of report/chart.h; empty: none
  LabTable table;       // without columns: none
  bool folded = false;  // the table is shown on request
};

struct LabReport {
  std::string title;
  std::string question;
  std::vector<LabAnswer> answers;
  std::vector<LabSection> sections;
  std::vector<std::string> commands;  // that repeat it
  Json config;                        // flat
};

// How far an experiment has come, for its page.
struct LabState {
  int64_t jobs = 0;
  int64_t done = 0;
  std::vector<std::string> failures;  // "ID: what went wrong"
};

// The page: inline styles and SVG, the tables' data embedded as JSON; asks nothing of the network.
std::string lab_page(const LabReport& report, const LabState& state);

// The answers and the tables as one object.
Json lab_summary(const LabReport& report, const LabState& state);

// Writes report.html, summary.json, and of every section NAME.csv and NAME.svg to the folder, each
// replaced whole. Throws Error when it cannot.
void write_lab_files(const std::filesystem::path& folder, const LabReport& report,
                     const LabState& state);

}  // namespace ebt
