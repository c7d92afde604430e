// Kinds of values that fields hold (files, folders, choices), told by the field's name, which means
// the same in all commands. Help, shell completion, and the checks of paths follow from it.
#pragma once

#include <string>
#include <vector>

namespace ebt {

enum class PathRole {
  kNone,    // not a path
  kInput,   // read
  kData,    // read, and nothing may be written into it
  kOutput,  // written
};

struct FieldKind {
  PathRole role = PathRole::kNone;
  std::string type;                // "FILE", "FOLDER" or "PATH", which may be either; or empty
  std::vector<std::string> words;  // the only values that it takes; empty: any
};

FieldKind kind_of_field(const std::string& name);

}  // namespace ebt
