// The tasks that `ebt eval` knows. docs/evaluation.md defines what each asks and measures,
// docs/formats.md the files that they read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/text/rows.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/eval/task.h"

namespace ebt {

struct TaskOptions {
  int64_t examples = 0;         // measured, spread evenly over the file; 0: all
  int64_t shots = 0;            // first examples of the file that precede every question
  int64_t answer_tokens = 256;  // written at most; 0: no answer is asked for
};

// How well a text is predicted: an example is a window of it, of which every token is scored.
// `text_name` names the text in words. `examples` are spread evenly; 0: all.
std::unique_ptr<Task> text_task(std::shared_ptr<const Tokenizer> tokenizer,
                                std::shared_ptr<const RowSet> windows, const std::string& text_name,
                                int64_t examples);

// How well the rows of an ExampleSet are answered: right is an answer of which every token is held
// to be the likeliest, as writing it greedily would be.
std::unique_ptr<Task> answer_task(std::shared_ptr<const Tokenizer> tokenizer,
                                  std::shared_ptr<const RowSet> questions,
                                  const std::string& text_name, int64_t examples);

// The last word of a passage. All that read a file throw Error naming the line, or the example,
// that is not what it should be.
std::unique_ptr<Task> lambada_task(std::shared_ptr<const Tokenizer> tokenizer,
                                   const std::string& path, const TaskOptions& options);

// School mathematics: an explanation that ends in "#### NUMBER".
std::unique_ptr<Task> gsm8k_task(std::shared_ptr<const Tokenizer> tokenizer,
                                 const std::string& path, const TaskOptions& options);

// A JSON file as those of BIG-bench: questions with targets, or with scored choices.
std::unique_ptr<Task> bigbench_task(std::shared_ptr<const Tokenizer> tokenizer,
                                    const std::string& path, const TaskOptions& options);

}  // namespace ebt
