// Conditions under which flags apply, for Flags::Group::only_where().
#pragma once

#include <string>

#include "flags.h"

namespace ebt {

// Beside another flag, or not beside it, for the reason.
WhyNot with(const std::string& flag);
WhyNot without(const std::string& flag, const std::string& reason);

// Where --arch (or the config file) says "ebt", as it does where nothing says otherwise.
WhyNot where_arch_is_ebt();

// Where the model of text in the folder that a flag names is an Energy-Based Transformer. What is
// wrong with the folder, opening it says.
WhyNot where_it_thinks(const std::string& flag = "model");
// Likewise where one of these models of images thinks, or where one is a DiT.
WhyNot where_an_image_model_thinks(const std::vector<std::string>& flags);
WhyNot where_an_image_model_is_dit(const std::vector<std::string>& flags);

}  // namespace ebt
