#include "state/compression/compressed_stream.h"

#include <array>
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

Status BlockWriter::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t part = std::min(bytes.size(), block_bytes_ - block_.size());
    block_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (block_.size() < block_bytes_) continue;
    ARROW_RETURN_NOT_OK(WriteBlock(block_));
    block_.clear();
  }
  return Status::OK();
}

Status BlockWriter::Finish() {
  if (!block_.empty()) ARROW_RETURN_NOT_OK(WriteBlock(block_));
  block_.clear();
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
