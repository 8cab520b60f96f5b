#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "format/json/json_options.h"

namespace millrace::format {

/// A pull parser of one JSON text that accepts, refuses and recovers exactly where Jackson's character parser does.
///
/// The exact path of reading, not the fast one: JsonDecoder sends records here that simdjson refuses, that hold what
/// RFC 8259 forbids and the options allow, or whose values do not fit the schema. Spark keeps reading after an error in
/// a nested value, so what a malformed record yields depends on where the parser stands when it fails; hence each
/// function documents its state after a failure by doing what Jackson does in the same order: a string is decoded when
/// asked for, the value after a field name is scanned with the name, a failing literal is consumed to its end.
///
/// REQUIRES: the text is valid UTF-8 (see ReplaceInvalidUtf8) and outlives the tokenizer.
/// Thread: confined.
/// Source: RFC 8259; behaviour recorded from Spark 4.2 (tests/sql/json).
class JsonTokenizer {
 public:
  enum class Token : uint8_t {
    kNone,  ///< before the first token, or no more tokens
    kStartObject,
    kEndObject,
    kStartArray,
    kEndArray,
    kFieldName,
    kString,
    kInteger,
    kFloat,
    kTrue,
    kFalse,
    kNull,
  };

  JsonTokenizer(std::string_view text, const JsonOptions& options);

  /// Steps to the next token; false on a syntax error.
  bool Next();
  Token token() const { return token_; }
  /// After kStartObject or kStartArray: to the matching end. Else nothing. False on a syntax error.
  bool SkipChildren();

  /// The name the current value belongs to, or nullptr (in arrays, at the root).
  const std::string* CurrentName() const;
  /// The characters of kString (decoded), of a number as written, of a name. False on a syntax error in the string.
  /// Valid until the next call.
  bool Text(std::string_view* text);
  /// True for NaN and infinities, whose Text is the word.
  bool is_non_numeric() const { return non_numeric_; }

  /// Where the current value starts, and where the tokenizer stands, in the text.
  size_t token_start() const { return token_start_; }
  size_t position() const { return pos_; }
  std::string_view input() const { return input_; }

 private:
  enum class Scope : uint8_t { kRoot, kArray, kObject };
  struct Context {
    Scope scope = Scope::kRoot;
    int index = -1;
    bool has_name = false;
    std::string name;
  };
  static constexpr int kEnd = -1;
  static constexpr int kError = -2;

  bool PushContext(Scope scope);
  bool NextAfterName();
  bool CloseScope(int c);
  bool ScanValue(int c, bool in_object, Token* token);
  int SkipSpaceOrEnd();
  int SkipSpace();
  bool SkipComment();
  int SkipComma(int c);
  int SkipColon();
  bool ScanName(char quote, std::string* name);
  bool ScanOddName(int c, std::string* name);
  bool ScanNumber(int c, Token* token);
  bool ScanNumberSlowly(bool negative, size_t start, Token* token);
  bool FinishNumber(size_t start, int digits, bool is_float, Token* token);
  bool ScanInvalidNumberStart(bool negative, Token* token);
  bool ScanOddValue(int c, Token* token);
  bool MatchLiteral(std::string_view literal, size_t matched);
  bool InvalidToken();
  bool NonNumeric(std::string_view word, Token* token);
  bool DecodeString(char quote, std::string* out);
  bool SkipString();
  bool DecodeEscape(std::string* out);
  int Take() { return pos_ < input_.size() ? static_cast<unsigned char>(input_[pos_++]) : kEnd; }

  std::string_view input_;
  const JsonOptions& options_;
  size_t pos_ = 0;
  size_t token_start_ = 0;
  size_t token_end_ = 0;
  Token token_ = Token::kNone;
  /// The value that was scanned together with the name that is current.
  Token next_token_ = Token::kNone;
  bool string_incomplete_ = false;
  bool string_in_buffer_ = false;
  bool non_numeric_ = false;
  std::string buffer_;
  /// contexts_[0] is the root; only the first depth_ + 1 are in use (names keep their memory).
  std::vector<Context> contexts_;
  size_t depth_ = 0;
};

using millrace::IsValidUtf8;
using millrace::ReplaceInvalidUtf8;
/// Appends a code point; a surrogate becomes '?', as Java encodes one that stands alone.
void AppendUtf8(uint32_t code_point, std::string* out);

}  // namespace millrace::format
