#include "state/compression/compressed_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/error.h"
#include "state/compression/formats.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

struct Format {
  std::string_view name;
  std::string_view class_name;
  std::unique_ptr<CompressedWriter> (*make_writer)(OutputFile*);
  std::unique_ptr<CompressedReader> (*make_reader)(std::string_view);
};

constexpr std::array kFormats = {
    Format{"lz4", "org.apache.spark.io.LZ4CompressionCodec", MakeLz4Writer, MakeLz4Reader},
    Format{"zstd", "org.apache.spark.io.ZStdCompressionCodec", MakeZstdWriter, MakeZstdReader},
    Format{"snappy", "org.apache.spark.io.SnappyCompressionCodec", MakeSnappyWriter, MakeSnappyReader},
    Format{"lzf", "org.apache.spark.io.LZFCompressionCodec", MakeLzfWriter, MakeLzfReader},
};

Result<const Format*> FindFormat(std::string_view codec) {
  for (const Format& format : kFormats) {
    if (codec == format.class_name) return &format;
    if (codec.size() != format.name.size()) continue;
    bool equal = true;
    for (size_t i = 0; i < codec.size(); ++i) equal = equal && (codec[i] | 0x20) == format.name[i];
    if (equal) return &format;
  }
  return UserError("CODEC_NOT_AVAILABLE.WITH_CONF_SUGGESTION",
                   {{"codecName", std::string(codec)},
                    {"configKey", "spark.sql.streaming.stateStore.compression.codec"},
                    {"configVal", "lz4"}});
}

}  // namespace

Status BlockWriter::WriteFilled() {
  std::string_view filled(block_.get(), static_cast<size_t>(next_ - block_.get()));
  next_ = block_.get();
  return WriteBlock(filled);
}

Status BlockWriter::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t part = std::min(bytes.size(), static_cast<size_t>(end_ - next_));
    std::memcpy(next_, bytes.data(), part);
    next_ += part;
    bytes.remove_prefix(part);
    if (next_ == end_) ARROW_RETURN_NOT_OK(WriteFilled());
  }
  return Status::OK();
}

Status BlockWriter::Finish() {
  if (next_ != block_.get()) ARROW_RETURN_NOT_OK(WriteFilled());
  return WriteEnd();
}

Result<std::unique_ptr<CompressedWriter>> MakeCompressedWriter(std::string_view codec, OutputFile* file) {
  ARROW_ASSIGN_OR_RAISE(const Format* format, FindFormat(codec));
  return format->make_writer(file);
}

Result<std::unique_ptr<CompressedReader>> MakeCompressedReader(std::string_view codec, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const Format* format, FindFormat(codec));
  return format->make_reader(bytes);
}

}  // namespace millrace::state
