#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "sql/datetime_literal.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/string_literal.h"
#include "types/data_type.h"
#include "types/datetime_text.h"

namespace millrace::sql {

namespace {

// The value when it fits T.
template <typename T>
std::optional<T> ParseIntegral(std::string_view digits, bool negative) {
  std::string text = (negative ? "-" : "") + std::string(digits);
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Digits of a decimal number: value = digits × 10^-scale.
struct DecimalDigits {
  std::string digits;  // without leading zeros, "0" for zero
  int scale = 0;
};

constexpr int kMaxDecimalScale = 1000;

std::optional<DecimalDigits> SplitDecimal(std::string_view text) {
  DecimalDigits out;
  int exponent = 0;
  size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view tail = text.substr(e + 1);
    if (tail.starts_with('+')) tail.remove_prefix(1);
    auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (error != std::errc() || std::abs(exponent) > kMaxDecimalScale) return std::nullopt;
    text = text.substr(0, e);
  }
  size_t point = text.find('.');
  if (point != std::string_view::npos) out.scale = static_cast<int>(text.size() - point - 1);
  for (char c : text) {
    if (c != '.' && !(out.digits.empty() && c == '0')) out.digits += c;
  }
  out.scale -= exponent;
  if (out.digits.empty()) out.digits = "0";
  // A negative scale is written out: 1e2BD is 100.
  for (; out.scale < 0; ++out.scale) {
    if (out.digits != "0") out.digits += '0';
  }
  return out;
}

std::optional<std::string> DecodeHex(std::string_view text) {
  std::string padded = text.size() % 2 == 0 ? std::string(text) : "0" + std::string(text);
  std::string bytes;
  for (size_t i = 0; i < padded.size(); i += 2) {
    uint8_t byte = 0;
    auto [end, error] = std::from_chars(padded.data() + i, padded.data() + i + 2, byte, 16);
    if (error != std::errc() || end != padded.data() + i + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

arrow::Status Grammar::RangeError(size_t first_token, std::string_view digits, std::string_view type,
                                  std::string_view minimum, std::string_view maximum) const {
  return ErrorAt(first_token, "INVALID_NUMERIC_LITERAL_RANGE",
                 {{"rawStrippedQualifier", std::string(digits)},
                  {"typeName", std::string(type)},
                  {"minValue", std::string(minimum)},
                  {"maxValue", std::string(maximum)}});
}

arrow::Status Grammar::ParseNumber(bool negative, size_t first_token, Expression* out) {
  const Token& token = Take();
  std::string_view digits = token.text;
  std::string raw = (negative ? "-" : "") + std::string(digits);
  Expression::Literal* literal = out->mutable_literal();
  auto strip = [&](size_t suffix) {
    digits.remove_suffix(suffix);
    raw.resize(raw.size() - suffix);
  };
  switch (token.kind) {
    case TokenKind::kInteger:
      if (auto value = ParseIntegral<int32_t>(digits, negative)) {
        literal->set_integer(*value);
      } else if (auto wide = ParseIntegral<int64_t>(digits, negative)) {
        literal->set_long_(*wide);
      } else {
        return SetDecimal(digits, negative, out);
      }
      return Status::OK();
    case TokenKind::kTinyint:
      strip(1);
      if (auto value = ParseIntegral<int8_t>(digits, negative)) {
        literal->set_byte(*value);
        return Status::OK();
      }
      return RangeError(first_token, raw, "tinyint", "-128", "127");
    case TokenKind::kSmallint:
      strip(1);
      if (auto value = ParseIntegral<int16_t>(digits, negative)) {
        literal->set_short_(*value);
        return Status::OK();
      }
      return RangeError(first_token, raw, "smallint", "-32768", "32767");
    case TokenKind::kBigint:
      strip(1);
      if (auto value = ParseIntegral<int64_t>(digits, negative)) {
        literal->set_long_(*value);
        return Status::OK();
      }
      return RangeError(first_token, raw, "bigint", "-9223372036854775808", "9223372036854775807");
    case TokenKind::kFloat: {
      strip(1);
      double wide = std::strtod(raw.c_str(), nullptr);
      if (std::abs(wide) > std::numeric_limits<float>::max()) {
        return RangeError(first_token, raw, "float", "-3.4028234663852886E+38", "3.4028234663852886E+38");
      }
      literal->set_float_(std::strtof(raw.c_str(), nullptr));
      return Status::OK();
    }
    case TokenKind::kDouble:
    case TokenKind::kExponent: {
      if (token.kind == TokenKind::kDouble) strip(1);
      double value = std::strtod(raw.c_str(), nullptr);
      if (std::isinf(value)) {
        return RangeError(first_token, raw, "double", "-1.7976931348623157E+308", "1.7976931348623157E+308");
      }
      literal->set_double_(value);
      return Status::OK();
    }
    case TokenKind::kBigDecimal:
      strip(2);
      return SetDecimal(digits, negative, out);
    default:
      return SetDecimal(digits, negative, out);
  }
}

arrow::Status Grammar::SetDecimal(std::string_view digits, bool negative, Expression* out) {
  std::optional<DecimalDigits> decimal = SplitDecimal(digits);
  int precision = decimal ? std::max(static_cast<int>(decimal->digits.size()), decimal->scale) : kMaxDecimalScale;
  if (precision > types::kMaxDecimalPrecision) {
    return UserError("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                     {{"precision", std::to_string(precision)}, {"maxPrecision", "38"}});
  }
  size_t scale = static_cast<size_t>(decimal->scale);
  std::string text = decimal->digits;
  if (scale > 0) {
    if (text.size() <= scale) text.insert(0, scale + 1 - text.size(), '0');
    text.insert(text.size() - scale, ".");
  }
  Expression::Literal::Decimal* literal = out->mutable_literal()->mutable_decimal();
  literal->set_value((negative ? "-" : "") + text);
  literal->set_precision(precision);
  literal->set_scale(decimal->scale);
  return Status::OK();
}

arrow::Status Grammar::ParseStringLiteral(Expression* out) {
  ARROW_ASSIGN_OR_RAISE(std::string value, StringValue());
  SetString(value, out);
  return AppendStrings(out);
}

// Strings and parameters that hold strings, one behind the other, are one string.
arrow::Status Grammar::AppendStrings(Expression* out) {
  while (out->has_literal() && out->literal().has_string()) {
    const Token& last = tokens_[position_ - 1];
    bool apart = last.offset + last.text.size() < Peek().offset;
    bool parameter = apart && ((At(Symbol::kQuestion) && options_->positional_parameters != nullptr) ||
                               (At(Symbol::kColon) && options_->named_parameters != nullptr &&
                                options_->named_parameters->contains(std::string(Peek(1).text))));
    std::string more;
    if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(more, StringValue());
    } else if (parameter) {
      Expression next;
      ARROW_RETURN_NOT_OK(ParseParameter(&next));
      if (!next.has_literal() || !next.literal().has_string()) return SyntaxErrorHere();
      more = next.literal().string();
    } else {
      break;
    }
    SetString(out->literal().string() + more, out);
  }
  return Status::OK();
}

arrow::Status Grammar::ParseTypedLiteral(Expression* out) {
  size_t first = position_;
  const Token& type = Take();
  std::string text = UnquoteString(Take().text);
  std::string type_name = ToUpperAscii(type.text);
  auto invalid = [&] {
    return ErrorAt(first, "INVALID_TYPED_LITERAL",
                   {{"valueType", QuoteSqlType(type_name)}, {"value", QuoteStringLiteral(text)}});
  };
  Expression::Literal* literal = out->mutable_literal();
  const types::TimeZone& zone = *options_->time_zone;
  // A text that names its zone is an instant whatever TIMESTAMP means.
  bool without_zone = type.keyword == Keyword::kTimestampNtz ||
                      (type.keyword == Keyword::kTimestamp && options_->timestamp_ntz && !NamesZone(text));
  if (without_zone) {
    std::optional<int64_t> micros = ParseTimestampNtzLiteral(text, zone, options_->now_us);
    if (!micros) return invalid();
    literal->set_timestamp_ntz(*micros);
    return Status::OK();
  }
  switch (type.keyword) {
    case Keyword::kDate: {
      std::optional<int32_t> days = ParseDateLiteral(text, zone, options_->now_us);
      if (!days) return invalid();
      literal->set_date(*days);
      return Status::OK();
    }
    case Keyword::kTimestamp:
    case Keyword::kTimestampLtz: {
      std::optional<int64_t> micros = ParseTimestampLiteral(text, zone, options_->now_us);
      if (!micros) return invalid();
      literal->set_timestamp(*micros);
      return Status::OK();
    }
    case Keyword::kX: {
      std::optional<std::string> bytes = DecodeHex(text);
      if (!bytes) return invalid();
      literal->set_binary(std::move(*bytes));
      return Status::OK();
    }
    case Keyword::kInterval:
      return ParseIntervalString(text, first, out);
    case Keyword::kTime: {
      int64_t nanos = 0;
      if (!types::ParseTimeOfDay(text, &nanos)) return invalid();
      literal->mutable_time()->set_nano(nanos);
      literal->mutable_time()->set_precision(types::kMicrosPrecision);
      return Status::OK();
    }
    default:
      return ErrorAt(
          first, "UNSUPPORTED_TYPED_LITERAL",
          {{"unsupportedType", QuoteSqlType(type_name)},
           {"supportedTypes", R"("DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X", "TIME")"}});
  }
}

}  // namespace millrace::sql
