#include "lab/leading_eigenpairs.h"

// Its products would be cut by the number of threads.
#define EIGEN_DONT_PARALLELIZE
#include <Spectra/SymEigsSolver.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebt/core/error.h"
#include "lab/draws.h"

namespace ebt {
namespace {

struct Found {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;  // (N, K)
};

// A, with vectors that were found moved to an eigenvalue below all that is looked for.
class Deflated {
 public:
  using Scalar = double;  // what Spectra asks an operator for

  Deflated(int64_t size, const SymmetricProduct& product) : size_(size), product_(product) {}

  void move(const Found& found) {
    vectors_ = found.vectors;
    shifts_ = found.values.array() - (found.values.minCoeff() - 1);
  }

  Eigen::Index rows() const { return size_; }
  Eigen::Index cols() const { return size_; }
  void perform_op(const double* x, double* y) const {
    product_(x, y);
    if (vectors_.size() > 0) {
      const Eigen::Map<const Eigen::VectorXd> from(x, size_);
      const Eigen::VectorXd shares = vectors_.transpose() * from;
      Eigen::Map<Eigen::VectorXd>(y, size_) -= vectors_ * shifts_.cwiseProduct(shares);
    }
  }

 private:
  Eigen::Index size_;
  const SymmetricProduct& product_;
  Eigen::MatrixXd vectors_;
  Eigen::VectorXd shifts_;
};

Found solve_whole(int64_t size, const SymmetricProduct& product, int64_t count) {
  Eigen::MatrixXd matrix(size, size);
  Eigen::VectorXd unit = Eigen::VectorXd::Zero(size);
  for (int64_t i = 0; i < size; ++i) {
    unit[i] = 1;
    product(unit.data(), matrix.col(i).data());
    unit[i] = 0;
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
  return {solver.eigenvalues().reverse().head(count),
          solver.eigenvectors().rowwise().reverse().leftCols(count)};
}

Found solve_by_lanczos(Deflated& matrix, int64_t count, const EigenOptions& options,
                       uint64_t attempt) {
  const int64_t krylov = std::min<int64_t>(matrix.rows(), std::max(2 * count, count + 30));
  Draws draws(options.seed, LabPart::kClusters, uint64_t{1} << 31U | attempt);
  Eigen::VectorXd start(matrix.rows());
  for (double& value : start) {
    value = draws.uniform() - 0.5;
  }
  Spectra::SymEigsSolver<Deflated> solver(matrix, count, krylov);
  solver.init(start.data());
  const int64_t found = solver.compute(Spectra::SortRule::LargestAlge, options.restarts,
                                       options.tolerance, Spectra::SortRule::LargestAlge);
  EBT_CHECK(found == count, "eigenvectors: Lanczos found {} of {} within {} restarts", found, count,
            options.restarts);
  return {solver.eigenvalues(), solver.eigenvectors()};
}

// The `count` largest of both, in order.
Found merged(const Found& a, const Found& b, int64_t count) {
  Eigen::VectorXd values(a.values.size() + b.values.size());
  values << a.values, b.values;
  Eigen::MatrixXd vectors(a.vectors.rows(), values.size());
  vectors << a.vectors, b.vectors;
  std::vector<Eigen::Index> order(static_cast<size_t>(values.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index i, Eigen::Index j) { return values[i] > values[j]; });
  order.resize(static_cast<size_t>(count));
  return {values(order), vectors(Eigen::all, order)};
}

}  // namespace

Eigenpairs leading_eigenpairs(int64_t size, const SymmetricProduct& product, int64_t count,
                              const EigenOptions& options) {
  constexpr int64_t kSmall = 100;
  Found found;
  if (size <= std::max(kSmall, 3 * count)) {
    found = solve_whole(size, product, count);
  } else {
    Deflated matrix(size, product);
    found = solve_by_lanczos(matrix, count, options, 0);
    // What is not the least of the values found differs from it by more than both may be off.
    const double margin = 10 * options.tolerance;
    for (uint64_t attempt = 1;; ++attempt) {
      matrix.move(found);
      const Found next = solve_by_lanczos(matrix, 1, options, attempt);
      const double least = found.values.minCoeff();
      if (next.values[0] <= least + margin * std::abs(least)) {
        break;
      }
      found = merged(found, next, count);
    }
  }
  Eigenpairs pairs;
  pairs.values.assign(found.values.begin(), found.values.end());
  pairs.vectors.assign(found.vectors.data(), found.vectors.data() + found.vectors.size());
  return pairs;
}

}  // namespace ebt
