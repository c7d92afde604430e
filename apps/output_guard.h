// The check of all flags that name outputs: no command overwrites what it reads, or what it was not
// told to overwrite.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "field_kinds.h"

namespace ebt {

// What a command writes at its --out.
enum class OutputKind {
  kFile,
  kFileOrFolder,    // a file, or files in a folder
  kFolder,          // files beside whatever the folder holds
  kRunFolder,       // a folder of its own: a run,
  kPreparedFolder,  // prepared data,
  kLabFolder,       // or an experiment
};

struct NamedInput {
  std::string flag;  // "--data"
  std::filesystem::path path;
  bool is_data = false;  // nothing may be written into it
};

struct NamedOutput {
  std::string flag;
  std::filesystem::path path;
  OutputKind kind = OutputKind::kFile;
};

// Throws Error when an output is an input, lies within data, would replace a file of a model, of
// prepared data or of an experiment, would be mixed with one, is another output as well, or plainly
// cannot be written. Names are compared by what they lead to: links and relative paths are
// followed.
void check_outputs(const std::vector<NamedInput>& inputs, const std::vector<NamedOutput>& outputs);

}  // namespace ebt
