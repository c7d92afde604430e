#include "ebt/think/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ebt/core/work_watch.h"
#include "ebt/data/even_choice.h"

namespace ebt {

double TextLosses::loss() const { return losses.back() / static_cast<double>(count); }

double TextLosses::perplexity() const { return std::exp(loss()); }

double TextLosses::nats_per_byte() const { return losses.back() / static_cast<double>(bytes); }

double TextLosses::bits_per_byte() const {
  return losses.back() / std::numbers::ln2 / static_cast<double>(bytes);
}

template <class T>
TextLosses evaluate(TextModel<T>& model, const RowSet& rows, int64_t batch_rows,
                    const PassOptions& options, int64_t max_rows) {
  const int64_t available = rows.count();
  const int64_t total = limited(max_rows, available);
  TextLosses result;
  Batch batch;
  Batch one;
  work_in_parts(total, batch_rows, [&](int64_t first, int64_t count) {
    batch = {};
    batch.rows = count;
    for (int64_t row = first; row < first + count; ++row) {
      rows.fill(one, spread_place(row, total, available), 1);
      result.bytes += one.target_bytes;
      batch.context = one.context;
      batch.inputs.insert(batch.inputs.end(), one.inputs.begin(), one.inputs.end());
      batch.targets.insert(batch.targets.end(), one.targets.begin(), one.targets.end());
    }
    PassOptions of_batch = options;
    of_batch.first_row = first;
    result.add(model.evaluate(batch.input_view(), batch.target_view(), of_batch));
  });
  EBT_CHECK(result.count > 0, "evaluate: the text has no token to predict");
  return result;
}

template TextLosses evaluate(TextModel<float>&, const RowSet&, int64_t, const PassOptions&,
                             int64_t);
template TextLosses evaluate(TextModel<double>&, const RowSet&, int64_t, const PassOptions&,
                             int64_t);

}  // namespace ebt
