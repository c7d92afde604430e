// Zstandard (RFC 8878), by libzstd.
#include <zstd.h>
#include <zstd_errors.h>

#include <array>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/compression.h"

namespace ebt {
namespace {

class ZstdStream : public ByteStream {
 public:
  ZstdStream(std::unique_ptr<ByteStream> source, std::string name)
      : source_(std::move(source)), name_(std::move(name)) {
    EBT_CHECK(context_ != nullptr, "{}: zstd {} cannot be used", name_, ZSTD_versionString());
    // The library's own default, which also is the most that 'zstd' takes unasked.
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMostWindowLog);
  }

  size_t read(std::span<char> out) override {
    ZSTD_outBuffer output = {out.data(), out.size(), 0};
    while (output.pos == 0) {
      if (input_.pos == input_.size && !flushing_) {
        input_ = {block_.data(), source_->read(block_), 0};
        if (input_.size == 0) {
          EBT_CHECK(between_frames_, "{} is truncated: the end of its compressed bytes is missing",
                    name_);
          return 0;
        }
      }
      const size_t left = ZSTD_decompressStream(context_.get(), &output, &input_);
      EBT_CHECK(ZSTD_getErrorCode(left) != ZSTD_error_frameParameter_windowTooLarge,
                "{} takes a window of more than 128 MiB: unpack it, as 'zstd --long=31 -dc FILE | "
                "ebt ... --data -' does",
                name_);
      EBT_CHECK(ZSTD_isError(left) == 0, "{} is damaged: {}", name_, ZSTD_getErrorName(left));
      between_frames_ = left == 0;
      // A full output can leave decoded bytes behind, whatever the input.
      flushing_ = output.pos == output.size && !between_frames_;
    }
    return output.pos;
  }

 private:
  static constexpr int kMostWindowLog = 27;
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  std::unique_ptr<ByteStream> source_;
  std::string name_;
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  std::array<char, 1 << 16> block_;
  ZSTD_inBuffer input_ = {nullptr, 0, 0};
  bool between_frames_ = false;
  bool flushing_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> decode_zstd(std::unique_ptr<ByteStream> source, std::string name) {
  return std::make_unique<ZstdStream>(std::move(source), std::move(name));
}

}  // namespace ebt
