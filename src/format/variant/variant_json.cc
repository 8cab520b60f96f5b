#include "format/variant/variant_json.h"

#include <charconv>
#include <cmath>

#include "format/json/json_text.h"
#include "format/text_value.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::format {

using Token = JsonTokenizer::Token;
using variant::Kind;
using variant::Variant;
using variant::VariantBuilder;

namespace {

constexpr int kDecimalDigitsMax = 38;

// "2024-01-02 03:04:05.12+01:00"; without `zone` a wall clock's reading.
void AppendQuotedTimestamp(int64_t micros, const types::TimeZone* zone, std::string* out) {
  *out += '"';
  if (zone == nullptr) {
    types::AppendTimestampNtz(micros, out);
  } else {
    types::AppendTimestamp(micros, *zone, out);
    int64_t local_seconds = 0;
    int32_t rest = 0;
    types::UtcToLocal(micros, *zone, &local_seconds, &rest);
    int64_t offset = local_seconds - types::FloorDiv(micros, types::kMicrosPerSecond);
    int64_t minutes = std::abs(offset) / 60;
    char text[16];
    std::snprintf(text, sizeof(text), "%c%02d:%02d", offset < 0 ? '-' : '+', static_cast<int>(minutes / 60),
                  static_cast<int>(minutes % 60));
    *out += text;
  }
  *out += '"';
}

arrow::Status AppendJson(const Variant& value, const types::TimeZone& zone, int depth, std::string* out) {
  if (depth > variant::kDepthMax) return variant::Malformed();
  ARROW_ASSIGN_OR_RAISE(Kind kind, value.kind());
  switch (kind) {
    case Kind::kObject:
    case Kind::kArray: {
      ARROW_ASSIGN_OR_RAISE(Variant::Members members, value.members());
      *out += members.is_object() ? '{' : '[';
      for (int64_t i = 0; i < members.size(); ++i) {
        if (i > 0) *out += ',';
        if (members.is_object()) {
          ARROW_ASSIGN_OR_RAISE(std::string_view name, members.Name(i));
          AppendJsonText(name, false, out);
          *out += ':';
        }
        ARROW_ASSIGN_OR_RAISE(Variant member, members.Value(i));
        ARROW_RETURN_NOT_OK(AppendJson(member, zone, depth + 1, out));
      }
      *out += members.is_object() ? '}' : ']';
      return arrow::Status::OK();
    }
    case Kind::kNull:
      *out += "null";
      return arrow::Status::OK();
    case Kind::kBoolean:
      *out += value.boolean() ? "true" : "false";
      return arrow::Status::OK();
    case Kind::kLong: {
      ARROW_ASSIGN_OR_RAISE(int64_t number, value.integer());
      *out += std::to_string(number);
      return arrow::Status::OK();
    }
    case Kind::kString: {
      ARROW_ASSIGN_OR_RAISE(std::string_view text, value.bytes());
      AppendJsonText(text, false, out);
      return arrow::Status::OK();
    }
    case Kind::kDouble: {
      ARROW_ASSIGN_OR_RAISE(double number, value.floating());
      AppendJsonDouble(number, out);
      return arrow::Status::OK();
    }
    case Kind::kFloat: {
      ARROW_ASSIGN_OR_RAISE(float number, value.single());
      AppendJsonFloat(number, out);
      return arrow::Status::OK();
    }
    case Kind::kDecimal: {
      ARROW_ASSIGN_OR_RAISE(variant::VariantDecimal decimal, value.decimal());
      types::AppendDecimalPlain(decimal.unscaled, decimal.scale, out);
      return arrow::Status::OK();
    }
    case Kind::kDate: {
      ARROW_ASSIGN_OR_RAISE(int64_t days, value.integer());
      *out += '"';
      types::AppendDate(static_cast<int32_t>(days), out);
      *out += '"';
      return arrow::Status::OK();
    }
    case Kind::kTimestamp:
    case Kind::kTimestampNtz: {
      ARROW_ASSIGN_OR_RAISE(int64_t micros, value.integer());
      AppendQuotedTimestamp(micros, kind == Kind::kTimestamp ? &zone : nullptr, out);
      return arrow::Status::OK();
    }
    case Kind::kTimestampNanos:
    case Kind::kTimestampNtzNanos: {
      ARROW_ASSIGN_OR_RAISE(int64_t nanos, value.integer());
      AppendQuotedTimestamp(types::FloorDiv(nanos, 1000), kind == Kind::kTimestampNanos ? &zone : nullptr, out);
      return arrow::Status::OK();
    }
    case Kind::kBinary: {
      ARROW_ASSIGN_OR_RAISE(std::string_view bytes, value.bytes());
      *out += '"';
      AppendBase64(bytes, out);
      *out += '"';
      return arrow::Status::OK();
    }
    case Kind::kUuid: {
      ARROW_ASSIGN_OR_RAISE(std::string text, value.uuid());
      *out += '"' + text + '"';
      return arrow::Status::OK();
    }
  }
  return variant::Malformed();
}

// A number that is no 64-bit integer: a decimal when it has no exponent and not too many digits.
void AppendNumber(std::string_view text, VariantBuilder* builder) {
  size_t point = text.find('.');
  bool plain = text.find_first_not_of("-.0123456789") == std::string_view::npos;
  int scale = point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
  if (plain && scale <= kDecimalDigitsMax) {
    arrow::Decimal128 decimal;
    int32_t precision = 0;
    int32_t parsed_scale = 0;
    if (arrow::Decimal128::FromString(text, &decimal, &precision, &parsed_scale).ok() &&
        precision <= kDecimalDigitsMax) {
      builder->AppendDecimal(decimal, parsed_scale);
      return;
    }
  }
  double number = 0;
  types::ParseDouble(text, &number);
  builder->AppendDouble(number);
}

// The UTF-16 unit of the escape \uXXXX at `at`; 0 where there is none.
uint32_t EscapedUnit(std::string_view text, size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  uint32_t unit = 0;
  auto [end, error] = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return error == std::errc() && end == text.data() + at + 6 ? unit : 0;
}

// Whether some escape is half of a character: no UTF-8 text holds it.
bool HasLoneSurrogate(std::string_view text) {
  for (size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    uint32_t unit = EscapedUnit(text, at);
    if (unit >= 0xDC00 && unit < 0xE000) return true;
    if (unit >= 0xD800 && unit < 0xDC00) {
      uint32_t low = EscapedUnit(text, at + 6);
      if (low < 0xDC00 || low >= 0xE000) return true;
      at += 6;
    }
    at += 2;
  }
  return false;
}

}  // namespace

arrow::Status AppendVariantJson(const Variant& value, const types::TimeZone& zone, std::string* out) {
  return AppendJson(value, zone, 0, out);
}

VariantJsonReader::VariantJsonReader() {
  options_.allow_single_quotes = false;
  options_.allow_non_numeric_numbers = false;
}

VariantJson VariantJsonReader::Read(std::string_view json, VariantBuilder* builder) {
  if (HasLoneSurrogate(json)) return VariantJson::kMalformed;
  std::string repaired;
  if (!IsValidUtf8(json)) {
    repaired = ReplaceInvalidUtf8(json);
    json = repaired;
  }
  JsonTokenizer tokens(json, options_);
  return tokens.Next() ? ReadValue(&tokens, builder) : VariantJson::kMalformed;
}

VariantJson VariantJsonReader::ReadValue(JsonTokenizer* tokens, VariantBuilder* builder) {
  std::string_view text;
  switch (tokens->token()) {
    case Token::kStartObject:
      return ReadObject(tokens, builder);
    case Token::kStartArray:
      return ReadArray(tokens, builder);
    case Token::kString:
      if (!tokens->Text(&text)) return VariantJson::kMalformed;
      builder->AppendString(text);
      return VariantJson::kOk;
    case Token::kInteger: {
      if (!tokens->Text(&text)) return VariantJson::kMalformed;
      int64_t number = 0;
      if (ParseInteger(text, &number)) {
        builder->AppendLong(number);
      } else {
        AppendNumber(text, builder);
      }
      return VariantJson::kOk;
    }
    case Token::kFloat:
      if (!tokens->Text(&text)) return VariantJson::kMalformed;
      if (tokens->is_non_numeric()) {
        bool negative = text.starts_with('-');
        builder->AppendDouble(text == "NaN" ? std::nan("") : negative ? -HUGE_VAL : HUGE_VAL);
      } else {
        AppendNumber(text, builder);
      }
      return VariantJson::kOk;
    case Token::kTrue:
    case Token::kFalse:
      builder->AppendBoolean(tokens->token() == Token::kTrue);
      return VariantJson::kOk;
    case Token::kNull:
      builder->AppendNull();
      return VariantJson::kOk;
    case Token::kNone:
    case Token::kFieldName:
    case Token::kEndObject:
    case Token::kEndArray:
      break;
  }
  return VariantJson::kMalformed;
}

VariantJson VariantJsonReader::ReadObject(JsonTokenizer* tokens, VariantBuilder* builder) {
  size_t start = builder->position();
  std::vector<VariantBuilder::Field> fields;
  while (true) {
    if (!tokens->Next() || tokens->token() == Token::kNone) return VariantJson::kMalformed;
    if (tokens->token() == Token::kEndObject) break;
    const std::string* name = tokens->CurrentName();
    if (name == nullptr) return VariantJson::kMalformed;
    fields.push_back({builder->NameId(*name), static_cast<uint32_t>(builder->position() - start)});
    if (!tokens->Next() || ReadValue(tokens, builder) != VariantJson::kOk) return VariantJson::kMalformed;
  }
  return builder->FinishObject(start, &fields).ok() ? VariantJson::kOk : VariantJson::kMalformed;
}

VariantJson VariantJsonReader::ReadArray(JsonTokenizer* tokens, VariantBuilder* builder) {
  size_t start = builder->position();
  std::vector<uint32_t> offsets;
  while (true) {
    if (!tokens->Next() || tokens->token() == Token::kNone) return VariantJson::kMalformed;
    if (tokens->token() == Token::kEndArray) break;
    offsets.push_back(static_cast<uint32_t>(builder->position() - start));
    if (ReadValue(tokens, builder) != VariantJson::kOk) return VariantJson::kMalformed;
  }
  builder->FinishArray(start, offsets);
  return VariantJson::kOk;
}

}  // namespace millrace::format
