#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>

namespace millrace::format {

/// A character set of text files, one of the seven that Spark 4 takes.
/// What is malformed becomes U+FFFD when it is read, what the set has no character for '?' when it is written: as
/// Java's readers and writers do. Immutable, thread-safe.
class Charset {
 public:
  /// `used_by`: whose option it is. Errors: UserError INVALID_PARAMETER_VALUE.CHARSET.
  static arrow::Result<Charset> Find(std::string_view name, std::string_view used_by);

  /// Also UTF-32BE and UTF-32LE, for what tells itself by its first bytes. REQUIRES: the name of a form of Unicode.
  static Charset OfUnicode(std::string_view name);

  bool is_utf8() const { return name_ == "UTF-8"; }

  std::string ToUtf8(std::string_view bytes) const;
  /// The same for each text of a utf8 column that holds bytes as they came; `lines` itself when they are valid UTF-8.
  arrow::Result<std::shared_ptr<arrow::Array>> ToUtf8(std::shared_ptr<arrow::Array> lines) const;
  /// `at_start`: of a file, where UTF-16 has its byte order mark.
  std::string FromUtf8(std::string_view text, bool at_start) const;

 private:
  /// How many bytes of unreadable text are one character.
  size_t unit_size() const { return name_.starts_with("UTF-16") ? 2 : name_.starts_with("UTF-32") ? 4 : 1; }

  std::string name_ = "UTF-8";
};

}  // namespace millrace::format
