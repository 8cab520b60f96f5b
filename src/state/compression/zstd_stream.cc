#include <zstd.h>

#include "state/compression/formats.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr int kLevel = 1;  // Spark's spark.io.compression.zstd.level
constexpr size_t kBlockBytes = 32 * 1024;

struct Free {
  void operator()(ZSTD_CStream* stream) const { ZSTD_freeCStream(stream); }
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class ZstdWriter final : public BlockWriter {
 public:
  explicit ZstdWriter(OutputFile* file) : BlockWriter(file, kBlockBytes), stream_(ZSTD_createCStream()) {
    ZSTD_initCStream(stream_.get(), kLevel);
    buffer_.resize(ZSTD_CStreamOutSize());
  }

 protected:
  Status WriteBlock(std::string_view block) override { return Compress(block, ZSTD_e_continue); }
  Status WriteEnd() override { return Compress({}, ZSTD_e_end); }

 private:
  Status Compress(std::string_view block, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{block.data(), block.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      size_t left = ZSTD_compressStream2(stream_.get(), &out, &in, end);
      if (ZSTD_isError(left) != 0) return Status::IOError("zstd: ", ZSTD_getErrorName(left));
      if (out.pos > 0) ARROW_RETURN_NOT_OK(file()->Append({buffer_.data(), out.pos}));
      if (end == ZSTD_e_end ? left == 0 : in.pos == in.size) return Status::OK();
    }
  }

  std::unique_ptr<ZSTD_CStream, Free> stream_;
  std::string buffer_;
};

class ZstdReader final : public CompressedReader {
 public:
  explicit ZstdReader(std::string_view bytes) : in_{bytes.data(), bytes.size(), 0}, stream_(ZSTD_createDStream()) {
    buffer_.resize(ZSTD_DStreamOutSize());
  }

  Result<std::string_view> Next() override {
    while (in_.pos < in_.size || pending_) {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      size_t left = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(left) != 0) return Status::Invalid("its zstd stream is damaged: ", ZSTD_getErrorName(left));
      pending_ = out.pos == out.size;
      inside_frame_ = left != 0;
      if (out.pos > 0) return std::string_view(buffer_.data(), out.pos);
    }
    if (inside_frame_) return Status::Invalid("it ends within a zstd frame");
    return std::string_view();
  }

 private:
  ZSTD_inBuffer in_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::string buffer_;
  bool pending_ = false;
  bool inside_frame_ = true;
};

}  // namespace

std::unique_ptr<CompressedWriter> MakeZstdWriter(OutputFile* file) { return std::make_unique<ZstdWriter>(file); }
std::unique_ptr<CompressedReader> MakeZstdReader(std::string_view bytes) { return std::make_unique<ZstdReader>(bytes); }

}  // namespace millrace::state
