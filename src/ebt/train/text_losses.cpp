#include "ebt/train/text_losses.h"

namespace ebt {

Json step_fields(const TextLosses& measured) {
  return {{"nats_per_byte", measured.nats_per_byte()}, {"step_losses", measured.mean_losses()}};
}

Json validation_fields(const TextLosses& measured) {
  Json line;
  line["val_step_losses"] = measured.mean_losses();
  if (!measured.energies.empty()) {
    line["val_energies"] = measured.mean_energies();
  }
  line["val_perplexity"] = measured.perplexity();
  line["val_bits_per_byte"] = measured.bits_per_byte();
  return line;
}

}  // namespace ebt
