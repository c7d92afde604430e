// What a model is a model of.
#pragma once

namespace ebt {

// The kinds of models of this program; model_folder.cpp has how they are named.
enum class ModelKind { kText, kImage, kInfill, kVideo };

}  // namespace ebt
