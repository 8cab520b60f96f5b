#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "sql/grammar/grammar.h"
#include "types/column_metadata.h"
#include "types/data_type.h"

namespace millrace::sql {

using spark::connect::DataType;

arrow::Status Grammar::ParseType(DataType* out) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  size_t first = position_;
  const Token& token = Peek();
  if (!token.IsIdentifier()) return SyntaxErrorHere();
  Take();
  switch (token.keyword) {
    case Keyword::kArray:
    case Keyword::kMap:
    case Keyword::kStruct:
      return ParseNestedType(token.keyword, out);
    case Keyword::kInterval:
      return ParseIntervalType(out);
    case Keyword::kTimestamp:
      return ParseTimestampType(out);
    case Keyword::kDecimal:
    case Keyword::kDec:
    case Keyword::kNumeric:
      return ParseDecimalType(out);
    case Keyword::kString:
    case Keyword::kChar:
    case Keyword::kCharacter:
    case Keyword::kVarchar:
      return ParseStringType(token.keyword, first, out);
    case Keyword::kBoolean:
      out->mutable_boolean();
      return Status::OK();
    case Keyword::kTinyint:
    case Keyword::kByte:
      out->mutable_byte();
      return Status::OK();
    case Keyword::kSmallint:
    case Keyword::kShort:
      out->mutable_short_();
      return Status::OK();
    case Keyword::kInt:
    case Keyword::kInteger:
      out->mutable_integer();
      return Status::OK();
    case Keyword::kBigint:
    case Keyword::kLong:
      out->mutable_long_();
      return Status::OK();
    case Keyword::kFloat:
    case Keyword::kReal:
      out->mutable_float_();
      return Status::OK();
    case Keyword::kDouble:
      out->mutable_double_();
      return Status::OK();
    case Keyword::kBinary:
      out->mutable_binary();
      return Status::OK();
    case Keyword::kDate:
      out->mutable_date();
      return Status::OK();
    case Keyword::kTimestampNtz:
      out->mutable_timestamp_ntz();
      return Status::OK();
    case Keyword::kTimestampLtz:
      out->mutable_timestamp();
      return Status::OK();
    case Keyword::kVoid:
      out->mutable_null();
      return Status::OK();
    case Keyword::kVariant:
      out->mutable_variant();
      return Status::OK();
    case Keyword::kTime:
      return ParseTimeType(first, out);
    default:
      break;
  }
  std::string name = ToUpperAscii(token.text);
  // foo(1, 2): the parameters belong to the name that is refused.
  if (At(Symbol::kLeftParen) && Peek(1).kind == TokenKind::kInteger) {
    size_t close = Closing(position_);
    name += "(";
    for (size_t i = position_ + 1; i < close; ++i) name += tokens_[i].text;
    name += ")";
    position_ = std::min(close + 1, tokens_.size() - 1);
  }
  return ErrorAt(first, "UNSUPPORTED_DATATYPE", {{"typeName", QuoteSqlType(name)}});
}

// The '(' or ',' before a length, precision or scale, and the number.
arrow::Result<int32_t> Grammar::TypeParameter() {
  Take();
  if (Peek().kind != TokenKind::kInteger) return SyntaxErrorHere();
  std::string text(Peek().text);
  if (text.size() > 9) return SyntaxErrorHere();
  Take();
  return std::stoi(text);
}

// One '>'; a '>>' or '>>>' closes as many types.
arrow::Status Grammar::ExpectTypeClose() {
  if (Accept(Symbol::kGreater)) return Status::OK();
  Token& token = tokens_[position_];
  if (!token.Is(Symbol::kShiftRight) && !token.Is(Symbol::kShiftRightUnsigned)) return SyntaxErrorHere();
  token.symbol = token.Is(Symbol::kShiftRight) ? Symbol::kGreater : Symbol::kShiftRight;
  token.text.remove_prefix(1);
  ++token.offset;
  return Status::OK();
}

arrow::Status Grammar::ParseNestedType(Keyword keyword, DataType* out) {
  if (keyword == Keyword::kStruct && At(Symbol::kNotEqual) && Peek().text == "<>") {
    Take();
    out->mutable_struct_();
    return Status::OK();
  }
  if (!At(Symbol::kLess)) {
    std::string kind(KeywordText(keyword));
    return ErrorAt(position_ - 1, "INCOMPLETE_TYPE_DEFINITION." + kind);
  }
  Take();
  if (keyword == Keyword::kStruct) return ParseStructFields(out);
  if (keyword == Keyword::kArray) {
    out->mutable_array()->set_contains_null(true);
    ARROW_RETURN_NOT_OK(ParseType(out->mutable_array()->mutable_element_type()));
  } else {
    out->mutable_map()->set_value_contains_null(true);
    ARROW_RETURN_NOT_OK(ParseType(out->mutable_map()->mutable_key_type()));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kComma));
    ARROW_RETURN_NOT_OK(ParseType(out->mutable_map()->mutable_value_type()));
  }
  return ExpectTypeClose();
}

arrow::Status Grammar::ParseStructFields(DataType* out) {
  DataType::Struct* structure = out->mutable_struct_();
  if (Accept(Symbol::kGreater)) return Status::OK();
  do {
    DataType::StructField* field = structure->add_fields();
    ARROW_ASSIGN_OR_RAISE(*field->mutable_name(), NameIdentifier());
    Accept(Symbol::kColon);
    ARROW_RETURN_NOT_OK(ParseType(field->mutable_data_type()));
    field->set_nullable(true);
    if (At(Keyword::kNot) || At(Symbol::kBang)) {
      Take();
      ARROW_RETURN_NOT_OK(Expect(Keyword::kNull));
      field->set_nullable(false);
    }
    if (Accept(Keyword::kComment)) {
      ARROW_ASSIGN_OR_RAISE(std::string comment, StringValue());
      field->set_metadata(types::ColumnCommentJson(comment));
    }
  } while (Accept(Symbol::kComma));
  return ExpectTypeClose();
}

arrow::Status Grammar::ParseIntervalType(DataType* out) {
  if (At(Keyword::kYear) || At(Keyword::kMonth)) {
    int start = Take().Is(Keyword::kYear) ? 0 : 1;
    int end = start;
    if (Accept(Keyword::kTo)) {
      ARROW_RETURN_NOT_OK(Expect(Keyword::kMonth));
      end = 1;
    }
    out->mutable_year_month_interval()->set_start_field(start);
    out->mutable_year_month_interval()->set_end_field(end);
    return Status::OK();
  }
  auto field = [](Keyword keyword) {
    switch (keyword) {
      case Keyword::kDay:
        return 0;
      case Keyword::kHour:
        return 1;
      case Keyword::kMinute:
        return 2;
      case Keyword::kSecond:
        return 3;
      default:
        return -1;
    }
  };
  int start = field(Peek().keyword);
  if (start < 0) {
    out->mutable_calendar_interval();
    return Status::OK();
  }
  Take();
  int end = start;
  if (Accept(Keyword::kTo)) {
    end = field(Peek().keyword);
    if (end <= start) return SyntaxErrorHere();
    Take();
  }
  out->mutable_day_time_interval()->set_start_field(start);
  out->mutable_day_time_interval()->set_end_field(end);
  return Status::OK();
}

arrow::Status Grammar::ParseTimestampType(DataType* out) {
  if (At(Keyword::kWithout, Keyword::kTime)) {
    position_ += 2;
    out->mutable_timestamp_ntz();
    return Expect(Keyword::kZone);
  }
  if (At(Keyword::kWith, Keyword::kLocal)) {
    position_ += 2;
    out->mutable_timestamp();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kTime));
    return Expect(Keyword::kZone);
  }
  if (options_->timestamp_ntz) {
    out->mutable_timestamp_ntz();
  } else {
    out->mutable_timestamp();
  }
  return Status::OK();
}

// TIME [(digits)] [WITHOUT TIME ZONE]
arrow::Status Grammar::ParseTimeType(size_t first, DataType* out) {
  int32_t precision = types::kMicrosPrecision;
  if (At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(precision, TypeParameter());
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  if (At(Keyword::kWithout, Keyword::kTime)) {
    position_ += 2;
    ARROW_RETURN_NOT_OK(Expect(Keyword::kZone));
  }
  if (!options_->time_type) return ErrorAt(first, "UNSUPPORTED_TIME_TYPE");
  if (precision > types::kMicrosPrecision) {
    return ErrorAt(first, "UNSUPPORTED_TIME_PRECISION", {{"precision", std::to_string(precision)}});
  }
  out->mutable_time()->set_precision(precision);
  return Status::OK();
}

arrow::Status Grammar::ParseDecimalType(DataType* out) {
  int32_t precision = 10;
  int32_t scale = 0;
  size_t first = position_ - 1;
  if (At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(precision, TypeParameter());
    if (At(Symbol::kComma)) {
      ARROW_ASSIGN_OR_RAISE(scale, TypeParameter());
    }
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  if (precision > types::kMaxDecimalPrecision) {
    return ErrorAt(first, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                   {{"precision", std::to_string(precision)}, {"maxPrecision", "38"}});
  }
  if (scale > precision) {
    return UserError("_LEGACY_ERROR_TEMP_1228",
                     {{"scale", std::to_string(scale)}, {"precision", std::to_string(precision)}});
  }
  out->mutable_decimal()->set_precision(precision);
  out->mutable_decimal()->set_scale(scale);
  return Status::OK();
}

arrow::Status Grammar::ParseStringType(Keyword keyword, size_t first_token, DataType* out) {
  if (keyword == Keyword::kString) {
    out->mutable_string()->set_collation("UTF8_BINARY");
  } else {
    if (!At(Symbol::kLeftParen)) {
      return ErrorAt(first_token, "DATATYPE_MISSING_SIZE",
                     {{"type", QuoteSqlType(ToUpperAscii(tokens_[first_token].text))}});
    }
    ARROW_ASSIGN_OR_RAISE(int32_t length, TypeParameter());
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    if (keyword == Keyword::kVarchar) {
      out->mutable_var_char()->set_length(length);
    } else {
      out->mutable_char_()->set_length(length);
    }
  }
  if (At(Keyword::kCollate) && Peek(1).IsIdentifier()) {
    Take();
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> collation, MultipartIdentifier());
    if (out->has_string()) out->mutable_string()->set_collation(collation.back());
  }
  return Status::OK();
}

}  // namespace millrace::sql
