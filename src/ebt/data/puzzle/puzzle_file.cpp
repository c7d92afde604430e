#include "ebt/data/puzzle/puzzle_file.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <unordered_set>

#include "ebt/core/config_check.h"
#include "ebt/core/log.h"
#include "ebt/core/share_progress.h"
#include "ebt/core/threads.h"
#include "ebt/data/text/text_input.h"
#include "ebt/io/csv.h"
#include "ebt/io/file.h"

namespace ebt {
namespace {

using Clock = std::chrono::steady_clock;
using Subjects = std::unordered_set<std::string>;

constexpr const char* kPuzzleColumn = "puzzle";
constexpr const char* kSolutionColumn = "solution";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Calls take(what, record) for the records of all files of a source, which must have some.
void for_each_puzzle_record(
    const TextSource& source, BadLines& bad,
    const std::function<void(const std::string& what, const nlohmann::json& record)>& take) {
  for_each_text_input(source.data, source.as, [&](TextInput& input, const std::string& /*path*/) {
    EBT_CHECK(input.has_records(),
              "{} has no records: puzzles are read from .csv, .tsv and .jsonl, or as --as says",
              input.name);
    for_each_record(input, bad, take);
  });
}

Subjects subjects_of(const PuzzleGenerator& generator, const std::string& file) {
  Subjects subjects;
  if (file.empty()) {
    return subjects;
  }
  BadLines bad;
  for_each_puzzle_record({file}, bad, [&](const std::string& what, const nlohmann::json& record) {
    subjects.insert(generator.subject(
        {text_member(record, what, kPuzzleColumn), text_member(record, what, kSolutionColumn)}));
  });
  return subjects;
}

// The puzzles of numbers first .. first + count of an endless series.
std::vector<PuzzleRow> draw_block(const PuzzleGenerator& generator, uint64_t seed, int64_t first,
                                  int64_t count) {
  std::vector<PuzzleRow> rows(static_cast<size_t>(count));
  std::exception_ptr failure;
  // Some take many times as long as others.
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) {
    try {
      RandomDraws draws({seed, RandomPurpose::kPuzzles, static_cast<uint64_t>(first + i)});
      rows[static_cast<size_t>(i)] = generator.draw(draws);
    } catch (...) {
#pragma omp critical(ebt_draw_block)
      failure = std::current_exception();
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  return rows;
}

}  // namespace

PuzzleFileSummary write_puzzles(const PuzzleGenerator& generator, const PuzzleFileConfig& config) {
  constexpr int64_t kMostPuzzles = 1'000'000'000;
  constexpr int64_t kMostInBlock = 4096;
  constexpr double kBlock_seconds = 0.2;
  // So many in a row that are not new: what is left to be found is next to nothing. With the seed
  // of what is excluded, the first ones are just that.
  constexpr int64_t kFewestMisses = 1000;
  constexpr int64_t kMissesForEach = 20;
  check_between("--count", config.count, 1, kMostPuzzles);
  const Subjects excluded = subjects_of(generator, config.exclude);
  AtomicFile file(config.out);
  file.write(fmt::format("{},{}\n", kPuzzleColumn, kSolutionColumn));
  Subjects seen;
  PuzzleFileSummary summary;
  int64_t misses = 0;  // since the last new one
  int64_t drawn = 0;
  int64_t block = omp_get_max_threads();
  ShareProgress progress;
  const Clock::time_point start = Clock::now();
  while (summary.count < config.count) {
    const Clock::time_point block_start = Clock::now();
    std::string lines;
    for (const PuzzleRow& row : draw_block(generator, config.seed, drawn, block)) {
      if (summary.count == config.count) {
        break;
      }
      if (excluded.count(generator.subject(row)) != 0 || !seen.insert(row.puzzle).second) {
        ++summary.rejected;
        const auto found = summary.count + static_cast<int64_t>(excluded.size());
        EBT_CHECK(++misses < std::max(kFewestMisses, kMissesForEach * found),
                  "--count: {} different puzzles were found, and {} are wanted: ask for fewer, or "
                  "for more kinds of them",
                  summary.count, config.count);
        continue;
      }
      misses = 0;
      ++summary.count;
      lines += csv_field(row.puzzle) + ',' + csv_field(row.solution) + '\n';
    }
    file.write(lines);
    drawn += block;
    // Long blocks for threads, short ones for who watches.
    const double seconds = seconds_since(block_start);
    block = seconds < kBlock_seconds / 2 ? std::min(2 * block, kMostInBlock) : block;
    const auto count = static_cast<double>(summary.count);
    if (summary.count > 0 && summary.count < config.count) {
      progress.update(
          fmt::format("drawing puzzles, {} a second", format_count(count / seconds_since(start))),
          count / static_cast<double>(config.count));
    }
  }
  file.commit();
  return summary;
}

AnswerCheck check_answers(const PuzzleGenerator& generator, const TextSource& source,
                          const std::string& puzzle_field, const std::string& answer_field) {
  constexpr size_t kMostFaults = 5;
  AnswerCheck check;
  BadLines bad = bad_lines_of(source);
  for_each_puzzle_record(source, bad, [&](const std::string& what, const nlohmann::json& record) {
    const std::string fault = generator.fault(text_member(record, what, puzzle_field),
                                              text_member(record, what, answer_field));
    ++check.rows;
    check.right += fault.empty() ? 1 : 0;
    if (!fault.empty() && check.faults.size() < kMostFaults) {
      check.faults.push_back(fmt::format("{}: {}", what, fault));
    }
  });
  bad.report();
  EBT_CHECK(check.rows > 0, "{} is empty: there is no answer to check", source_name(source.data));
  return check;
}

}  // namespace ebt
