#include "ebt/core/error.h"
#include "ebt/io/compression.h"

namespace ebt {

std::unique_ptr<ByteStream> decode_zstd(std::unique_ptr<ByteStream> /*source*/, std::string name) {
  fail(
      "{} is a zstd file, and this program was built without libzstd: unpack it, as 'zstd -dc FILE "
      "| ebt ... --data -' does",
      name);
}

}  // namespace ebt
