#include "field_kinds.h"

#include <map>

#include "ebt/model/config.h"

namespace ebt {
namespace {

std::vector<std::string> size_names() {
  std::vector<std::string> names;
  for (const ModelSize& size : model_sizes()) {
    names.push_back(size.name);
  }
  return names;
}

}  // namespace

FieldKind kind_of_field(const std::string& name) {
  static const std::map<std::string, FieldKind> kKinds = {
      {"A", {PathRole::kInput, "FOLDER", {}}},
      {"B", {PathRole::kInput, "FOLDER", {}}},
      {"api-key-file", {PathRole::kInput, "FILE", {}}},
      {"baseline", {PathRole::kInput, "FOLDER", {}}},
      {"config", {PathRole::kInput, "FILE", {}}},
      {"contact-sheet", {PathRole::kOutput, "FILE", {}}},
      {"data", {PathRole::kData, "PATH", {}}},
      {"energy-map", {PathRole::kOutput, "FILE", {}}},
      {"exclude", {PathRole::kInput, "FILE", {}}},
      {"figure", {PathRole::kOutput, "FILE", {}}},
      {"file", {PathRole::kInput, "FILE", {}}},
      {"from", {PathRole::kInput, "FOLDER", {}}},
      {"image-model", {PathRole::kInput, "FOLDER", {}}},
      {"in", {PathRole::kData, "PATH", {}}},
      {"model", {PathRole::kInput, "FOLDER", {}}},
      {"out", {PathRole::kOutput, "PATH", {}}},
      {"precision", {PathRole::kNone, "", {"auto", "fp32", "bf16"}}},
      {"recipe", {PathRole::kNone, "", {"s1", "s2"}}},
      {"resume", {PathRole::kInput, "FOLDER", {}}},
      {"size", {PathRole::kNone, "", size_names()}},
      {"split", {PathRole::kNone, "", {"all", "validation"}}},
      {"task", {PathRole::kNone, "", {"text", "lambada", "gsm8k", "bigbench"}}},
      {"test-data", {PathRole::kData, "PATH", {}}},
      {"tokenizer", {PathRole::kInput, "PATH", {}}},
  };
  const auto found = kKinds.find(name);
  return found == kKinds.end() ? FieldKind{} : found->second;
}

}  // namespace ebt
