// In place of leading_eigenpairs.cpp where Spectra is not installed.
#include "ebt/core/error.h"
#include "lab/leading_eigenpairs.h"

namespace ebt {

Eigenpairs leading_eigenpairs(int64_t /*size*/, const SymmetricProduct& /*product*/,
                              int64_t /*count*/, const EigenOptions& /*options*/) {
  fail(
      "experts of clusters take Spectra, which this program was built without: install "
      "libspectra-dev and build it again");
}

}  // namespace ebt
