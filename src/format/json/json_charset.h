#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "format/json/json_options.h"
#include "format/text/charset.h"

namespace millrace::format {

/// How JSON files turn bytes into texts. With the option `encoding`, by that character set; a record that is not
/// written in it is cut off where that shows, so that it is malformed. Without it, each record by the Unicode its first
/// bytes look like, as Spark's parser reads bytes. Immutable.
class JsonCharset {
 public:
  /// Errors: UserError INVALID_PARAMETER_VALUE.CHARSET; Invalid where a set needs lines told from outside.
  static arrow::Result<JsonCharset> OfReader(const JsonOptions& options);
  /// UTF-8 where no other is asked for.
  static arrow::Result<Charset> OfWriter(const JsonOptions& options);

  /// The bytes between records; nullopt for any line end.
  const std::optional<std::string>& separator() const { return separator_; }
  /// The texts of records that are as they lie in the file; `records` itself where that is what they are.
  arrow::Result<std::shared_ptr<arrow::Array>> ToUtf8(std::shared_ptr<arrow::Array> records) const;
  std::string ToUtf8(std::string_view record) const;

 private:
  std::optional<Charset> given_;
  std::optional<std::string> separator_;
};

}  // namespace millrace::format
