// The largest eigenvalues of a large symmetric matrix, and their vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace ebt {

// y = A x for a symmetric matrix A (N, N); must not depend on the number of threads.
using SymmetricProduct = std::function<void(const double* x, double* y)>;

struct EigenOptions {
  double tolerance = 1e-6;  // of |A v - value v| / |value|
  int64_t restarts = 1000;  // of Lanczos, at most
  uint64_t seed = 0;        // of the vector that it starts from
};

struct Eigenpairs {
  std::vector<double> values;   // (K) from the largest on
  std::vector<double> vectors;  // (K, N) of length 1, orthogonal; their signs mean nothing
};

// The `count` largest, at least 1 and at most `size`, multiple ones as often as they are: by
// implicitly restarted Lanczos (Spectra), whose Krylov space has only one vector for an eigenvalue,
// however many there are. So what was found is moved out of the way, and looked for again, until
// nothing larger is left. Small matrices are solved whole. Throws Error where it does not converge.
Eigenpairs leading_eigenpairs(int64_t size, const SymmetricProduct& product, int64_t count,
                              const EigenOptions& options);

}  // namespace ebt
