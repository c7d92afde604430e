#include "ebt/think/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ebt/core/work_watch.h"

namespace ebt {

namespace {

std::vector<double> divided(std::vector<double> totals, int64_t count) {
  for (double& total : totals) {
    total /= static_cast<double>(count);
  }
  return totals;
}

}  // namespace

std::vector<double> Evaluation::losses() const { return divided(total_nats, tokens); }

std::vector<double> Evaluation::energies() const { return divided(total_energy, tokens); }

double Evaluation::loss() const { return total_nats.back() / static_cast<double>(tokens); }

double Evaluation::perplexity() const { return std::exp(loss()); }

double Evaluation::bits_per_byte() const {
  return total_nats.back() / std::numbers::ln2 / static_cast<double>(bytes);
}

template <class T>
Evaluation evaluate(TextModel<T>& model, const RowSet& rows, int64_t batch_rows,
                    const PassOptions& options, int64_t max_rows) {
  const int64_t available = rows.count();
  const int64_t total = max_rows > 0 ? std::min(max_rows, available) : available;
  Evaluation result;
  LossSums sums;
  Batch batch;
  Batch one;
  for (int64_t first = 0; first < total; first += batch_rows) {
    batch = {};
    batch.rows = std::min(batch_rows, total - first);
    for (int64_t row = first; row < first + batch.rows; ++row) {
      rows.fill(one, row * available / total, 1);
      result.bytes += one.target_bytes;
      batch.context = one.context;
      batch.inputs.insert(batch.inputs.end(), one.inputs.begin(), one.inputs.end());
      batch.targets.insert(batch.targets.end(), one.targets.begin(), one.targets.end());
    }
    PassOptions of_batch = options;
    of_batch.first_row = first;
    const PartOfWork work(static_cast<double>(first) / static_cast<double>(total),
                          static_cast<double>(batch.rows) / static_cast<double>(total));
    sums.add(model.evaluate(batch.input_view(), batch.target_view(), of_batch));
    tell_share(1);
  }
  EBT_CHECK(sums.count > 0, "evaluate: the text has no token to predict");
  result.tokens = sums.count;
  result.total_nats = sums.losses;
  result.total_energy = sums.energies;
  return result;
}

template Evaluation evaluate(TextModel<float>&, const RowSet&, int64_t, const PassOptions&,
                             int64_t);
template Evaluation evaluate(TextModel<double>&, const RowSet&, int64_t, const PassOptions&,
                             int64_t);

}  // namespace ebt
