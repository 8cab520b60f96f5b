#include "connect/plan_compression.h"

#include <zstd.h>

#include <string>

#include "base/error.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

// Spark's default of spark.connect.maxPlanSize.
constexpr size_t kMaxPlanBytes = size_t{512} << 20;

arrow::Status CannotParse(const std::string& message) {
  return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE", {{"errorMsg", message}});
}

arrow::Result<std::string> Unzip(const std::string& data) {
  ZSTD_DStream* stream = ZSTD_createDStream();
  std::string out;
  ZSTD_inBuffer input{data.data(), data.size(), 0};
  std::string piece(ZSTD_DStreamOutSize(), '\0');
  arrow::Status status;
  size_t left = 1;
  while (status.ok() && input.pos < input.size) {
    ZSTD_outBuffer output{piece.data(), piece.size(), 0};
    left = ZSTD_decompressStream(stream, &output, &input);
    if (ZSTD_isError(left) != 0) {
      status = CannotParse(ZSTD_getErrorName(left));
      break;
    }
    out.append(piece.data(), output.pos);
    if (out.size() > kMaxPlanBytes) {
      status = UserError("CONNECT_INVALID_PLAN.PLAN_SIZE_LARGER_THAN_MAX",
                         {{"planSize", "unknown"}, {"maxPlanSize", std::to_string(kMaxPlanBytes)}});
    }
    // What the buffer could not take comes without further input.
    while (status.ok() && output.pos == output.size && left > 0) {
      output.pos = 0;
      left = ZSTD_decompressStream(stream, &output, &input);
      if (ZSTD_isError(left) != 0) {
        status = CannotParse(ZSTD_getErrorName(left));
        break;
      }
      out.append(piece.data(), output.pos);
      if (output.pos < output.size) break;
    }
  }
  ZSTD_freeDStream(stream);
  ARROW_RETURN_NOT_OK(status);
  if (left != 0) return CannotParse("the compressed plan ends too early");
  return out;
}

}  // namespace

arrow::Result<const proto::Plan*> Decompressed(const proto::Plan& plan, proto::Plan* storage) {
  if (!plan.has_compressed_operation()) return &plan;
  const auto& compressed = plan.compressed_operation();
  if (compressed.compression_codec() != proto::COMPRESSION_CODEC_ZSTD) {
    return CannotParse("Unsupported compression codec " + std::to_string(compressed.compression_codec()));
  }
  ARROW_ASSIGN_OR_RAISE(std::string bytes, Unzip(compressed.data()));
  bool parsed = false;
  switch (compressed.op_type()) {
    case proto::Plan::CompressedOperation::OP_TYPE_RELATION:
      parsed = storage->mutable_root()->ParseFromString(bytes);
      break;
    case proto::Plan::CompressedOperation::OP_TYPE_COMMAND:
      parsed = storage->mutable_command()->ParseFromString(bytes);
      break;
    default:
      return CannotParse("Unsupported operation type " + std::to_string(compressed.op_type()));
  }
  if (!parsed) return CannotParse("the decompressed plan is no such message");
  return storage;
}

}  // namespace millrace::connect
