#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "state/compression/compressed_stream.h"

/// The single formats behind compressed_stream.h.

namespace millrace::state {

/// Gathers appended bytes into blocks of one size.
class BlockWriter : public CompressedWriter {
 public:
  BlockWriter(OutputFile* file, size_t block_bytes) : file_(file), block_(new char[block_bytes]) {
    next_ = block_.get();
    end_ = next_ + block_bytes;
  }
  arrow::Status Append(std::string_view bytes) final;
  arrow::Status Finish() final;

 protected:
  virtual arrow::Status WriteBlock(std::string_view block) = 0;
  virtual arrow::Status WriteEnd() { return arrow::Status::OK(); }
  OutputFile* file() { return file_; }

 private:
  arrow::Status WriteFilled();

  OutputFile* file_;
  std::unique_ptr<char[]> block_;
};

std::unique_ptr<CompressedWriter> MakeLz4Writer(OutputFile* file);
std::unique_ptr<CompressedReader> MakeLz4Reader(std::string_view bytes);
std::unique_ptr<CompressedWriter> MakeZstdWriter(OutputFile* file);
std::unique_ptr<CompressedReader> MakeZstdReader(std::string_view bytes);
std::unique_ptr<CompressedWriter> MakeSnappyWriter(OutputFile* file);
std::unique_ptr<CompressedReader> MakeSnappyReader(std::string_view bytes);
std::unique_ptr<CompressedWriter> MakeLzfWriter(OutputFile* file);
std::unique_ptr<CompressedReader> MakeLzfReader(std::string_view bytes);

}  // namespace millrace::state
