#include "ebt/think/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace ebt {

template <class T>
Distribution<T>::Distribution(Tensor<const T> logits) : logits_(logits) {
  T largest = logits[0];
  bool finite = true;
  for (const T logit : logits) {
    finite = finite && std::isfinite(logit);
    largest = std::max(largest, logit);
  }
  double total = 0;
  for (const T logit : logits) {
    total += std::exp(static_cast<double>(logit - largest));
  }
  log_total_ = finite ? static_cast<double>(largest) + std::log(total)
                      : std::numeric_limits<double>::quiet_NaN();
}

template <class T>
double Distribution<T>::entropy() const {
  double entropy = 0;
  for (int64_t token = 0; token < logits_.count(); ++token) {
    const double log_p = log_probability(token);
    entropy -= std::exp(log_p) * log_p;
  }
  return entropy;
}

template <class T>
std::vector<int32_t> Distribution<T>::order(int64_t count) const {
  std::vector<int32_t> tokens(static_cast<size_t>(logits_.count()));
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto likelier = [&](int32_t a, int32_t b) {
    return logits_[a] > logits_[b] || (logits_[a] == logits_[b] && a < b);
  };
  count = std::min(count, logits_.count());
  std::partial_sort(tokens.begin(), tokens.begin() + count, tokens.end(), likelier);
  tokens.resize(static_cast<size_t>(count));
  return tokens;
}

template <class T>
std::vector<TokenProbability> Distribution<T>::likeliest(int64_t count) const {
  std::vector<TokenProbability> result;
  if (count == 0) {
    return result;
  }
  for (const int32_t token : order(count)) {
    result.push_back({token, log_probability(token)});
  }
  return result;
}

template <class T>
int32_t Distribution<T>::sample(const SamplingOptions& sampling, double uniform) const {
  if (sampling.temperature == 0) {
    return static_cast<int32_t>(std::max_element(logits_.begin(), logits_.end()) - logits_.begin());
  }
  const std::vector<int32_t> tokens = order(sampling.top_k > 0 ? sampling.top_k : logits_.count());
  std::vector<double> weights;
  weights.reserve(tokens.size());
  for (const int32_t token : tokens) {
    weights.push_back(std::exp(static_cast<double>(logits_[token] - logits_[tokens.front()]) /
                               sampling.temperature));
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  size_t nucleus = 0;
  double mass = 0;
  while (nucleus < weights.size() && (nucleus == 0 || mass < sampling.top_p * total)) {
    mass += weights[nucleus++];
  }
  double threshold = uniform * mass;
  for (size_t i = 0; i + 1 < nucleus; ++i) {
    threshold -= weights[i];
    if (threshold < 0) {
      return tokens[i];
    }
  }
  return tokens[nucleus - 1];
}

template class Distribution<float>;
template class Distribution<double>;

}  // namespace ebt
