#include "rules.h"

#include <fmt/format.h>

#include <optional>

#include "ebt/train/image_train_config.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_train_config.h"

namespace ebt {
namespace {

// Absent where the folder is not named, or holds no such model.
std::optional<ImageArchitecture> image_architecture(const Flags& flags, const std::string& flag) {
  const std::string folder = flags.given(flag);
  try {
    return folder.empty() ? std::nullopt
                          : std::optional(load_config<ImageTrainConfig>(folder).model.arch);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// "" where one of the models is of this kind, or none can be opened; else the reason.
WhyNot where_one_is(ImageArchitecture wanted, const std::vector<std::string>& names,
                    const std::string& reason) {
  return [=](const Flags& flags) -> std::string {
    bool others = false;
    for (const std::string& name : names) {
      if (const auto arch = image_architecture(flags, name)) {
        if (*arch == wanted) {
          return "";
        }
        others = true;
      }
    }
    return others ? reason : "";
  };
}

}  // namespace

WhyNot with(const std::string& flag) {
  return [flag](const Flags& flags) { return flags.given(flag).empty() ? "is for --" + flag : ""; };
}

WhyNot without(const std::string& flag, const std::string& reason) {
  return [=](const Flags& flags) {
    return flags.given(flag).empty() ? ""
                                     : fmt::format("means nothing beside --{}: {}", flag, reason);
  };
}

WhyNot where_arch_is_ebt() {
  return [](const Flags& flags) {
    const std::string arch = flags.given("arch");
    const std::string ebt = enum_name(Architecture::kEbt);
    return arch.empty() || arch == ebt
               ? ""
               : fmt::format("is for Energy-Based Transformers, not for --arch {}", arch);
  };
}

WhyNot where_it_thinks(const std::string& flag) {
  return [flag](const Flags& flags) -> std::string {
    const std::string folder = flags.given(flag);
    try {
      if (folder.empty() || load_config<TextTrainConfig>(folder).model.arch == Architecture::kEbt) {
        return "";
      }
    } catch (const Error&) {
      return "";
    }
    return fmt::format(
        "is for Energy-Based Transformers: '{}' holds a Transformer++, which does not "
        "think",
        folder);
  };
}

WhyNot where_an_image_model_thinks(const std::vector<std::string>& flags) {
  return where_one_is(ImageArchitecture::kEbt, flags,
                      "is for Energy-Based Transformers: a DiT has no energy and does not think");
}

WhyNot where_an_image_model_is_dit(const std::vector<std::string>& flags) {
  return where_one_is(ImageArchitecture::kDit, flags, "is for DiT, and no model here is one");
}

}  // namespace ebt
