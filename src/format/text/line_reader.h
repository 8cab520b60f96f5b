#pragma once

#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>

namespace millrace::format {

/// Cuts a stream of text into lines, without their ends. A last line without an end counts; an empty one does not.
/// Thread: confined.
class LineReader {
 public:
  /// `separator`: nullopt for "\n", "\r\n" and "\r", whichever comes.
  LineReader(std::shared_ptr<arrow::io::InputStream> stream, std::optional<std::string> separator);

  /// Up to `num_lines` lines and about 64 MiB as a utf8 column; null at the end.
  arrow::Result<std::shared_ptr<arrow::Array>> Next(int64_t num_lines);

 private:
  /// Where the line that starts at `start` ends and the next begins; false when more text is needed to tell.
  bool FindEnd(size_t start, size_t* end, size_t* next) const;
  arrow::Status Fill();

  std::shared_ptr<arrow::io::InputStream> stream_;
  std::optional<std::string> separator_;
  std::string buffer_;
  size_t position_ = 0;
  bool at_end_ = false;
};

}  // namespace millrace::format
