// A folder with a model of whole answers, as training leaves it; its weights are random.
#pragma once

#include <filesystem>

#include "ebt/data/answers/answer_format_file.h"
#include "ebt/model/infill_model.h"
#include "ebt/model/model_folder.h"

namespace ebt::testing {

// Of boards of 4 x 4 cells with boxes of 2 x 2, as "1234", 0 where a cell is asked for.
inline AnswerFormat small_boards() {
  AnswerFormat format;
  format.characters = "1234";
  format.unknown = "0";
  format.length = 16;
  format.grid = "4x4";
  format.boxes = "2x2";
  return format;
}

inline void write_infill_model(const std::filesystem::path& folder, const AnswerFormat& format,
                               InfillArchitecture arch = InfillArchitecture::kEbt) {
  InfillModelConfig config;
  config.arch = arch;
  config.layers = 1;
  config.width = 16;
  config.heads = 2;
  config.vocab_size = format.vocabulary_size();
  config.row_length = format.length;
  config.grid = format.grid;
  config.boxes = format.boxes;
  const InfillThinkingConfig thinking;
  EngineOptions options;
  options.training = false;
  const auto model = make_infill_model<float>(config, thinking, 1, options);
  initialize_weights(*model, thinking, 3);
  std::filesystem::create_directories(folder);
  write_model_config(folder, ModelKind::kInfill,
                     {{"model", fields_to_json(config)}, {"thinking", fields_to_json(thinking)}});
  save_answer_format(folder, format);
  SafetensorsWriter weights;
  add_weights(model->weights(), weights);
  weights.write(folder / kModelFile);
}

}  // namespace ebt::testing
