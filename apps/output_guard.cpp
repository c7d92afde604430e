#include "output_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "ebt/core/error.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/io/folder.h"
#include "ebt/model/model_folder.h"
#include "lab/lab.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return a == b || fs::equivalent(a, b, ignored);
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

struct HeldThing {
  OutputKind kind;
  const char* words;
  std::array<const char*, 2> marks;  // files, of which any tells
};

constexpr std::array<HeldThing, 3> kHeldThings = {{
    {OutputKind::kRunFolder, "a model", {kConfigFile, kModelFile}},
    {OutputKind::kPreparedFolder, "prepared data", {kPreparedFile, kPreparedFile}},
    {OutputKind::kLabFolder, "an experiment", {kLabFile, kLabFile}},
}};

// What the folder holds that is to stay whole; null where nothing is.
const HeldThing* held_by(const fs::path& folder) {
  const auto* const found =
      std::find_if(kHeldThings.begin(), kHeldThings.end(), [&](const HeldThing& thing) {
        return is_there(folder / thing.marks[0]) || is_there(folder / thing.marks[1]);
      });
  return found == kHeldThings.end() ? nullptr : found;
}

// Whether a file of this name is one to look at, as commands put beside a model.
bool is_for_looking_at(const fs::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".html" || ending == ".svg" || ending == ".png" || ending == ".jpg" ||
         ending == ".jpeg" || ending == ".csv";
}

void check_file(const NamedOutput& output) {
  const std::string path = output.path.string();
  EBT_CHECK(!is_folder(output.path), "{}: '{}' is a folder, not a file", output.flag, path);
  std::error_code ignored;
  EBT_CHECK(!is_there(output.path) || fs::is_regular_file(output.path, ignored),
            "{}: '{}' is not a regular file", output.flag, path);
  const fs::path folder = folder_of(output.path);
  EBT_CHECK(is_folder(folder), "{}: cannot write '{}': there is no folder '{}'", output.flag, path,
            folder.string());
  const HeldThing* const held = held_by(folder);
  const bool may_stand_there =
      held == nullptr || (is_for_looking_at(output.path) &&
                          (held->kind != OutputKind::kLabFolder || !is_there(output.path)));
  EBT_CHECK(may_stand_there, "{}: '{}' belongs to {}: choose another name", output.flag, path,
            held == nullptr ? "" : held->words);
}

void check_folder(const NamedOutput& output) {
  const HeldThing* const held = held_by(output.path);
  EBT_CHECK(held == nullptr || held->kind == output.kind || output.kind == OutputKind::kFolder ||
                output.kind == OutputKind::kFileOrFolder,
            "{}: '{}' holds {}: choose another folder", output.flag, output.path.string(),
            held == nullptr ? "" : held->words);
}

void check_against(const NamedOutput& output, const NamedInput& input) {
  EBT_CHECK(is_folder(output.path) || !is_same(output.path, input.path),
            "{}: '{}' is what {} reads: choose another name", output.flag, output.path.string(),
            input.flag);
  // What commands write into folders, they check themselves.
  if (input.is_data && output.kind == OutputKind::kFile) {
    check_outside(output.path, input.path, "text");
  }
}

}  // namespace

void check_outputs(const std::vector<NamedInput>& inputs, const std::vector<NamedOutput>& outputs) {
  for (const NamedOutput& output : outputs) {
    for (const NamedInput& input : inputs) {
      check_against(output, input);
    }
    const bool is_file = output.kind == OutputKind::kFileOrFolder
                             ? !is_folder(output.path)
                             : output.kind == OutputKind::kFile;
    if (is_file) {
      check_file(output);
    } else {
      check_folder(output);
    }
    for (const NamedOutput& other : outputs) {
      EBT_CHECK(&other == &output || !is_same(other.path, output.path),
                "{} and {} are both '{}': choose another name", output.flag, other.flag,
                output.path.string());
    }
  }
}

}  // namespace ebt
