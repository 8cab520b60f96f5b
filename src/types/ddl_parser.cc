#include <cstdlib>
#include <optional>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "types/char_type.h"
#include "types/collation.h"
#include "types/data_type.h"

namespace millrace::types {

namespace {

enum class TokenKind { kWord, kQuotedWord, kNumber, kString, kSymbol, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // unquoted
  size_t start = 0;  // byte position in the input
};

constexpr int kMaxDepth = 200;
// The scale of a text that ParseDeclaredDdl makes; its precision is the length.
constexpr int kChar = 1;
constexpr int kVarchar = 2;

// The grammar is small: type := word [params] | ARRAY<type> | MAP<type,type> | STRUCT<fields> | INTERVAL f [TO f].
class DdlParser {
 public:
  /// `is_schema`: the text of a schema, where CHAR and VARCHAR are refused and a colon stands only inside STRUCT.
  /// `declares`: CHAR and VARCHAR are types of their own (ParseDeclaredDdl).
  explicit DdlParser(std::string_view text, bool is_schema = false, bool declares = false)
      : text_(text), is_schema_(is_schema), declares_(declares) {
    Advance();
  }

  arrow::Result<DataTypePtr> Type(int depth = 0) {
    if (depth > kMaxDepth) return SyntaxError();
    if (token_.kind != TokenKind::kWord) return SyntaxError();
    std::string word = ToLowerAscii(token_.text);
    std::string original = token_.text;
    Advance();
    if (word == "array" && IsSymbol("<")) return ArrayType(depth);
    if (word == "map" && IsSymbol("<")) return MapType(depth);
    if (word == "struct") return StructType(depth);
    if (word == "interval") return IntervalType();
    if (word == "decimal" || word == "dec" || word == "numeric") return DecimalType();
    if (word == "time") return TimeType();
    if (word == "char" || word == "character" || word == "varchar") return CharType(word);
    if (auto simple = SimpleTypeByName(word)) {
      if (word == "timestamp") return TimestampWithZoneWords(*simple);
      if (word == "string" && AcceptWord("collate")) {
        if (token_.kind != TokenKind::kWord && token_.kind != TokenKind::kQuotedWord) return SyntaxError();
        ARROW_ASSIGN_OR_RAISE(int number, FindCollation(token_.text));
        Advance();
        return CollatedString(number);
      }
      return *simple;
    }
    if (depth == 0 && !AtEnd()) return SyntaxError();
    return UserError("UNSUPPORTED_DATATYPE", {{"typeName", QuoteSqlType(ToUpperAscii(original))}});
  }

  arrow::Result<std::vector<StructField>> Fields(std::string_view close, int depth) {
    std::vector<StructField> fields;
    while (true) {
      StructField field;
      if (token_.kind != TokenKind::kWord && token_.kind != TokenKind::kQuotedWord) return SyntaxError();
      field.name = token_.text;
      Advance();
      if (IsSymbol(":") && !close.empty()) Advance();
      ARROW_ASSIGN_OR_RAISE(field.type, Type(depth + 1));
      if (AcceptWord("not")) {
        if (!AcceptWord("null")) return SyntaxError();
        field.nullable = false;
      }
      if (AcceptWord("comment")) {
        if (token_.kind != TokenKind::kString) return SyntaxError();
        field.metadata_json = CommentMetadata(token_.text);
        Advance();
      }
      fields.push_back(std::move(field));
      if (IsSymbol(",")) {
        Advance();
        continue;
      }
      if (close.empty() ? token_.kind == TokenKind::kEnd : IsSymbol(close)) return fields;
      return SyntaxError();
    }
  }

  bool AtEnd() const { return token_.kind == TokenKind::kEnd; }
  bool IsSymbol(std::string_view symbol) const { return token_.kind == TokenKind::kSymbol && token_.text == symbol; }

  arrow::Status SyntaxError() const {
    if (token_.kind == TokenKind::kEnd)
      return UserError("PARSE_SYNTAX_ERROR", {{"error", "end of input"}, {"hint", ""}});
    std::string near = QuoteStringLiteral(token_.text);
    // Spark's parser tells when the text would do without its last token.
    DdlParser rest(text_.substr(position_));
    return UserError("PARSE_SYNTAX_ERROR", {{"error", near}, {"hint", rest.AtEnd() ? ": extra input " + near : ""}});
  }

 private:
  static std::string CommentMetadata(std::string_view comment) {
    std::string json = R"({"comment":)";
    AppendJsonString(comment, &json);
    return json + "}";
  }

  static std::optional<DataTypePtr> SimpleTypeByName(std::string_view word) {
    static constexpr struct {
      std::string_view name;
      TypeId id;
    } kSimple[] = {
        {"boolean", TypeId::kBoolean},
        {"tinyint", TypeId::kByte},
        {"byte", TypeId::kByte},
        {"smallint", TypeId::kShort},
        {"short", TypeId::kShort},
        {"int", TypeId::kInteger},
        {"integer", TypeId::kInteger},
        {"bigint", TypeId::kLong},
        {"long", TypeId::kLong},
        {"float", TypeId::kFloat},
        {"real", TypeId::kFloat},
        {"double", TypeId::kDouble},
        {"string", TypeId::kString},
        {"binary", TypeId::kBinary},
        {"date", TypeId::kDate},
        {"timestamp", TypeId::kTimestamp},
        {"timestamp_ltz", TypeId::kTimestamp},
        {"timestamp_ntz", TypeId::kTimestampNtz},
        {"variant", TypeId::kVariant},
        {"void", TypeId::kNull},
    };
    for (const auto& entry : kSimple) {
      if (entry.name == word) return SimpleType(entry.id);
    }
    return std::nullopt;
  }

  arrow::Result<DataTypePtr> ArrayType(int depth) {
    Advance();
    ARROW_ASSIGN_OR_RAISE(DataTypePtr element, Type(depth + 1));
    ARROW_RETURN_NOT_OK(CloseAngle());
    return Array(std::move(element));
  }

  arrow::Result<DataTypePtr> MapType(int depth) {
    Advance();
    ARROW_ASSIGN_OR_RAISE(DataTypePtr key, Type(depth + 1));
    if (!IsSymbol(",")) return SyntaxError();
    Advance();
    ARROW_ASSIGN_OR_RAISE(DataTypePtr value, Type(depth + 1));
    ARROW_RETURN_NOT_OK(CloseAngle());
    return Map(std::move(key), std::move(value));
  }

  arrow::Result<DataTypePtr> StructType(int depth) {
    if (!IsSymbol("<")) return SyntaxError();
    Advance();
    if (IsSymbol(">")) {
      Advance();
      return Struct({});
    }
    ARROW_ASSIGN_OR_RAISE(auto fields, Fields(">", depth));
    ARROW_RETURN_NOT_OK(CloseAngle());
    return Struct(std::move(fields));
  }

  arrow::Result<DataTypePtr> IntervalType() {
    static constexpr std::string_view kFields[] = {"year", "month", "day", "hour", "minute", "second"};
    auto field = [&]() -> int {
      if (token_.kind != TokenKind::kWord) return -1;
      for (int i = 0; i < 6; ++i) {
        if (EqualsIgnoreCase(token_.text, kFields[i])) return i;
      }
      return -1;
    };
    int start = field();
    if (start < 0) return CalendarInterval();
    Advance();
    int end = start;
    if (AcceptWord("to")) {
      end = field();
      if (end < 0) return SyntaxError();
      Advance();
    }
    if (end < start || (start < 2) != (end < 2)) return SyntaxError();
    if (start < 2) return YearMonthInterval(static_cast<IntervalField>(start), static_cast<IntervalField>(end));
    return DayTimeInterval(static_cast<DayTimeField>(start - 2), static_cast<DayTimeField>(end - 2));
  }

  arrow::Result<int> ParameterNumber() {
    if (token_.kind != TokenKind::kNumber) return SyntaxError();
    int value = std::atoi(token_.text.c_str());
    Advance();
    return value;
  }

  arrow::Result<DataTypePtr> DecimalType() {
    if (!IsSymbol("(")) return Decimal(10, 0);
    Advance();
    ARROW_ASSIGN_OR_RAISE(int precision, ParameterNumber());
    int scale = 0;
    if (IsSymbol(",")) {
      Advance();
      ARROW_ASSIGN_OR_RAISE(scale, ParameterNumber());
    }
    if (!IsSymbol(")")) return SyntaxError();
    Advance();
    if (precision > kMaxDecimalPrecision) {
      return UserError("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                       {{"precision", std::to_string(precision)}, {"maxPrecision", "38"}});
    }
    if (scale > precision) {
      return UserError("_LEGACY_ERROR_TEMP_1228",
                       {{"precision", std::to_string(precision)}, {"scale", std::to_string(scale)}});
    }
    return Decimal(precision, scale);
  }

  // TIME, TIME(p), both perhaps WITHOUT TIME ZONE.
  arrow::Result<DataTypePtr> TimeType() {
    int precision = kMicrosPrecision;
    if (IsSymbol("(")) {
      Advance();
      ARROW_ASSIGN_OR_RAISE(precision, ParameterNumber());
      if (!IsSymbol(")")) return SyntaxError();
      Advance();
    }
    if (AcceptWord("without") && !(AcceptWord("time") && AcceptWord("zone"))) return SyntaxError();
    if (precision > kMicrosPrecision) {
      return UserError("UNSUPPORTED_TIME_PRECISION", {{"precision", std::to_string(precision)}});
    }
    return Time(precision);
  }

  // CAST to char and varchar is a cast to string.
  arrow::Result<DataTypePtr> CharType(const std::string& word) {
    if (!IsSymbol("(")) {
      return UserError("DATATYPE_MISSING_SIZE", {{"type", QuoteSqlType(ToUpperAscii(word))}});
    }
    Advance();
    ARROW_ASSIGN_OR_RAISE(int length, ParameterNumber());
    if (!IsSymbol(")")) return SyntaxError();
    Advance();
    if (declares_) {
      return std::make_shared<DataType>(TypeId::kString, length, word == "varchar" ? kVarchar : kChar,
                                        std::vector<StructField>{});
    }
    if (is_schema_) return UserError("UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING");
    return String();
  }

  arrow::Result<DataTypePtr> TimestampWithZoneWords(DataTypePtr with_zone) {
    bool without = false;
    if (token_.kind == TokenKind::kWord && EqualsIgnoreCase(token_.text, "without")) {
      without = true;
    } else if (!(token_.kind == TokenKind::kWord && EqualsIgnoreCase(token_.text, "with"))) {
      return with_zone;
    }
    Advance();
    if (AcceptWord("local") && without) return SyntaxError();
    if (!AcceptWord("time") || !AcceptWord("zone")) return SyntaxError();
    return without ? TimestampNtz() : with_zone;
  }

  arrow::Status CloseAngle() {
    if (!IsSymbol(">")) return SyntaxError();
    Advance();
    return arrow::Status::OK();
  }

  bool AcceptWord(std::string_view word) {
    if (token_.kind != TokenKind::kWord || !EqualsIgnoreCase(token_.text, word)) return false;
    Advance();
    return true;
  }

  static bool IsWordByte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }

  void Advance() {
    while (position_ < text_.size() && static_cast<unsigned char>(text_[position_]) <= ' ') ++position_;
    token_ = Token{};
    token_.start = position_;
    if (position_ >= text_.size()) return;
    char c = text_[position_];
    if (c == '`') {
      token_.kind = TokenKind::kQuotedWord;
      TakeQuoted('`', false);
    } else if (c == '\'' || c == '"') {
      token_.kind = TokenKind::kString;
      TakeQuoted(c, true);
    } else if (IsWordByte(c)) {
      bool digits_only = true;
      while (position_ < text_.size() && IsWordByte(text_[position_])) {
        digits_only = digits_only && text_[position_] >= '0' && text_[position_] <= '9';
        token_.text += text_[position_++];
      }
      token_.kind = digits_only ? TokenKind::kNumber : TokenKind::kWord;
    } else {
      token_.kind = TokenKind::kSymbol;
      token_.text = c;
      ++position_;
    }
  }

  // A quote inside is doubled; in string literals it may also follow a backslash. An open end becomes a symbol
  // token that no rule accepts.
  void TakeQuoted(char quote, bool escapes) {
    ++position_;
    while (position_ < text_.size()) {
      char c = text_[position_++];
      if (escapes && c == '\\' && position_ < text_.size()) {
        token_.text += text_[position_++];
      } else if (c == quote) {
        if (position_ < text_.size() && text_[position_] == quote) {
          token_.text += quote;
          ++position_;
        } else {
          return;
        }
      } else {
        token_.text += c;
      }
    }
    token_.kind = TokenKind::kSymbol;
  }

  std::string_view text_;
  bool is_schema_;
  bool declares_;
  size_t position_ = 0;
  Token token_;
};

}  // namespace

arrow::Result<DataTypePtr> ParseTypeDdl(std::string_view text) {
  DdlParser parser(text);
  ARROW_ASSIGN_OR_RAISE(DataTypePtr type, parser.Type());
  if (!parser.AtEnd()) return parser.SyntaxError();
  return type;
}

arrow::Result<DataTypePtr> ParseSchemaDdl(std::string_view text) {
  // One whole type first: "struct" or "int" could also be the name of a column, then a type follows it.
  arrow::Result<DataTypePtr> whole = ParseTypeDdl(text);
  if (whole.ok()) return whole;
  DdlParser parser(text, true);
  arrow::Result<std::vector<StructField>> fields = parser.Fields("", 0);
  if (fields.ok()) return Struct(std::move(*fields));
  // Of the two failures, Spark reports that of the text as one type.
  bool refused = IsErrorCondition(fields.status(), "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING");
  return refused ? fields.status() : whole.status();
}

arrow::Result<DataTypePtr> ParseDeclaredDdl(std::string_view text) {
  DdlParser whole(text, /*is_schema=*/false, /*declares=*/true);
  arrow::Result<DataTypePtr> type = whole.Type();
  if (type.ok() && whole.AtEnd()) return type;
  // Fields, in a table's form or in a struct's.
  std::string fields = "struct<" + std::string(text) + ">";
  DdlParser parser(fields, /*is_schema=*/false, /*declares=*/true);
  type = parser.Type();
  if (type.ok() && !parser.AtEnd()) return parser.SyntaxError();
  return type;
}

std::optional<CharType> DeclaredCharType(const DataType& type) {
  if (type.id() != TypeId::kString || type.scale() == 0) return std::nullopt;
  return CharType{.padded = type.scale() == kChar, .length = type.precision()};
}

}  // namespace millrace::types
