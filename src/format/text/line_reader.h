#pragma once

#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "format/file_format.h"

namespace millrace::format {

/// Cuts a stream of text into lines, without their ends. A last line without an end counts; an empty one does not.
/// Thread: confined.
class LineReader {
 public:
  /// `separator`: nullopt for "\n", "\r\n" and "\r", whichever comes.
  LineReader(std::shared_ptr<arrow::io::InputStream> stream, std::optional<std::string> separator);

  /// The lines of a block of a file: those that begin in it, behind its first byte, up to and with the first byte of
  /// the next block; of the first block, its first line too. (Hadoop's LineRecordReader: no line twice, none left out.)
  static arrow::Result<std::unique_ptr<LineReader>> Open(const std::string& path, const FileBlock& block,
                                                         std::optional<std::string> separator);

  /// Up to `num_lines` lines and about 64 MiB as a utf8 column; null at the end.
  arrow::Result<std::shared_ptr<arrow::Array>> Next(int64_t num_lines);

 private:
  /// Where the line that starts at `start` ends and the next begins; false when more text is needed to tell.
  bool FindEnd(size_t start, size_t* end, size_t* next) const;
  arrow::Status Fill();
  /// The line a block before has begun.
  arrow::Status SkipLine();

  std::shared_ptr<arrow::io::InputStream> stream_;
  std::optional<std::string> separator_;
  std::string buffer_;
  size_t position_ = 0;
  bool at_end_ = false;
  /// Where buffer_ begins in the file, and the last place where a line may begin.
  int64_t buffer_start_ = 0;
  int64_t last_start_ = std::numeric_limits<int64_t>::max();
  bool skip_line_ = false;
};

}  // namespace millrace::format
