// gzip (RFC 1952), by zlib.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/compression.h"

namespace ebt {
namespace {

class GzipStream : public ByteStream {
 public:
  GzipStream(std::unique_ptr<ByteStream> source, std::string name)
      : source_(std::move(source)), name_(std::move(name)) {
    constexpr int kGzipOnly = 16;
    EBT_CHECK(inflateInit2(&zlib_, MAX_WBITS + kGzipOnly) == Z_OK, "{}: zlib {} cannot be used",
              name_, zlibVersion());
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  ~GzipStream() override { inflateEnd(&zlib_); }

  size_t read(std::span<char> out) override {
    const auto wanted = static_cast<uInt>(std::min(out.size(), input_.size()));
    zlib_.next_out = reinterpret_cast<Bytef*>(out.data());
    zlib_.avail_out = wanted;
    while (zlib_.avail_out == wanted && (!between_members_ || begin_member())) {
      if (zlib_.avail_in == 0) {
        EBT_CHECK(fill(), "{} is truncated: the end of its compressed bytes is missing", name_);
      }
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      EBT_CHECK(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR,
                "{} is damaged: its compressed bytes have an {}", name_,
                zlib_.msg == nullptr ? "unknown fault" : zlib_.msg);
      between_members_ = result == Z_STREAM_END;
    }
    return wanted - zlib_.avail_out;
  }

 private:
  bool fill() {
    zlib_.next_in = reinterpret_cast<Bytef*>(input_.data());
    zlib_.avail_in = static_cast<uInt>(source_->read(input_));
    return zlib_.avail_in > 0;
  }

  // False: the file ends here. Zeros may fill it up, as on a tape.
  bool begin_member() {
    while (zlib_.avail_in > 0 || fill()) {
      if (*zlib_.next_in != 0) {
        EBT_CHECK(*zlib_.next_in == kFirstMagic, "{} has bytes behind its end that are no gzip",
                  name_);
        between_members_ = false;
        return inflateReset(&zlib_) == Z_OK;
      }
      ++zlib_.next_in;
      --zlib_.avail_in;
    }
    return false;
  }

  static constexpr Bytef kFirstMagic = 0x1F;

  std::unique_ptr<ByteStream> source_;
  std::string name_;
  z_stream zlib_{};
  std::array<char, 1 << 16> input_;
  bool between_members_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> decode_gzip(std::unique_ptr<ByteStream> source, std::string name) {
  return std::make_unique<GzipStream>(std::move(source), std::move(name));
}

}  // namespace ebt
