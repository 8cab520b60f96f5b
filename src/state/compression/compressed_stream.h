#pragma once

#include <arrow/result.h>

#include <memory>
#include <string_view>

#include "base/file_system.h"

/// The compressed streams of Spark's CompressionCodec, in which state files are written. One folder's worth of formats:
/// lz4 (lz4-java blocks), zstd, snappy (snappy-java stream), lzf.
/// Format: docs/formats/state_files.md

namespace millrace::state {

/// Compresses what is appended. Confined to one thread.
class CompressedWriter {
 public:
  virtual ~CompressedWriter() = default;
  virtual arrow::Status Append(std::string_view bytes) = 0;
  /// Writes what is left and the end of the stream; the file stays open.
  virtual arrow::Status Finish() = 0;

  /// The same as Append of what the caller writes to these `size` bytes before anything else is called; nullptr when
  /// the current block has no room for them and one more.
  char* AppendInPlace(size_t size) {
    if (size >= static_cast<size_t>(end_ - next_)) return nullptr;
    char* out = next_;
    next_ += size;
    return out;
  }

 protected:
  /// The free part of the current block.
  char* next_ = nullptr;
  char* end_ = nullptr;
};

/// Decompresses a file's bytes, piece by piece. Confined to one thread.
class CompressedReader {
 public:
  virtual ~CompressedReader() = default;
  /// The next piece, valid until the next call; empty at the end.
  /// Errors: Invalid saying what is wrong with the bytes (any bytes are safe to give).
  virtual arrow::Result<std::string_view> Next() = 0;
};

/// `codec`: Spark's short name ("lz4", "zstd", "snappy", "lzf") or its class name.
/// Errors: UserError CODEC_SHORT_NAME_NOT_FOUND-like for others.
arrow::Result<std::unique_ptr<CompressedWriter>> MakeCompressedWriter(std::string_view codec, OutputFile* file);
/// `bytes` must outlive the reader.
arrow::Result<std::unique_ptr<CompressedReader>> MakeCompressedReader(std::string_view codec, std::string_view bytes);

}  // namespace millrace::state
