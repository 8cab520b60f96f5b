#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv/csv_options.h"

namespace millrace::format {

/// Cuts CSV text into records and values, with the quoting rules of the univocity parser that Spark uses.
///
/// Thread: confined.
/// Source: answers of Spark 4.2 in tests/sql/csv; RFC 4180 is stricter.
class CsvTokenizer {
 public:
  explicit CsvTokenizer(const CsvOptions& options);

  /// Starts on `text`, which must outlive the reading. `one_record`: line ends are characters like others, because
  /// whoever cut the text into lines has taken away those that count.
  void Start(std::string_view text, bool one_record);
  /// Reads the next record; false at the end, or when it is malformed beyond reading (see failed).
  bool Next();
  bool failed() const { return failed_; }

  /// The record's values; nullopt where NULL was meant (nothing between two delimiters).
  const std::vector<std::optional<std::string>>& values() const { return values_; }
  /// Its text, without the line end.
  std::string_view record() const { return text_.substr(record_start_, record_end_ - record_start_); }

 private:
  static constexpr int kEnd = -1;

  int Peek() const { return pos_ < text_.size() ? static_cast<unsigned char>(text_[pos_]) : kEnd; }
  bool AtDelimiter() const { return text_.substr(pos_).starts_with(options_.delimiter); }
  /// Length of the line end at the position, 0 when there is none.
  size_t LineEnd() const;
  bool AtValueEnd() const { return pos_ >= text_.size() || AtDelimiter() || LineEnd() > 0; }
  void SkipSpace();
  void ReadUnquoted();
  void ReadQuoted();
  void ReadToDelimiter(std::string* value);
  void Add(std::optional<std::string> value);

  const CsvOptions& options_;
  std::string_view text_;
  bool one_record_ = true;
  size_t pos_ = 0;
  size_t record_start_ = 0;
  size_t record_end_ = 0;
  bool failed_ = false;
  std::vector<std::optional<std::string>> values_;
};

}  // namespace millrace::format
