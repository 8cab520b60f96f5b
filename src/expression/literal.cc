#include <arrow/array.h>

#include <cmath>

#include "base/error.h"
#include "expression/cast.h"
#include "expression/node.h"
#include "expression/text_zone.h"
#include "format/variant/variant_json.h"
#include "types/arrow_type.h"
#include "types/collation.h"

namespace millrace::expression {

using types::TypeId;

Literal::Literal(DataTypePtr type, std::shared_ptr<arrow::Scalar> value)
    : Expression(ExpressionKind::kLiteral, std::move(type), !value->is_valid, {}), value_(std::move(value)) {}

ExpressionPtr Literal::Null(DataTypePtr type) {
  auto value = arrow::MakeNullScalar(types::ToArrow(*type));
  return std::make_shared<Literal>(std::move(type), std::move(value));
}

ExpressionPtr Literal::Boolean(bool value) {
  return std::make_shared<Literal>(types::Boolean(), std::make_shared<arrow::BooleanScalar>(value));
}

ExpressionPtr Literal::Integer(int32_t value) {
  return std::make_shared<Literal>(types::Integer(), std::make_shared<arrow::Int32Scalar>(value));
}

ExpressionPtr Literal::Long(int64_t value) {
  return std::make_shared<Literal>(types::Long(), std::make_shared<arrow::Int64Scalar>(value));
}

ExpressionPtr Literal::Double(double value) {
  return std::make_shared<Literal>(types::Double(), std::make_shared<arrow::DoubleScalar>(value));
}

ExpressionPtr Literal::String(std::string value) {
  return std::make_shared<Literal>(types::String(), std::make_shared<arrow::StringScalar>(std::move(value)));
}

ExpressionPtr Literal::WithChildren(ExpressionVector) const { return std::make_shared<Literal>(type(), value_); }

namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

// The value as CAST to STRING writes it.
std::string PlainText(const types::DataType& type, const std::shared_ptr<arrow::Scalar>& value) {
  EvalContext context;
  context.time_zone = TextZone::Current();
  auto text = CastColumn(context, arrow::Datum(value), type, *types::String(), CastMode::kLegacy);
  if (!text.ok() || !text->is_scalar() || !text->scalar()->is_valid) return "NULL";
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*text->scalar()).view());
}

std::string FloatingSql(double value, const std::string& text, bool is_double) {
  const char* word = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  if (is_double) return std::isfinite(value) ? text + "D" : "CAST('" + std::string(word) + "' AS DOUBLE)";
  return "CAST('" + (std::isfinite(value) ? text : std::string(word)) + "' AS FLOAT)";
}

std::string VariantJson(const arrow::Scalar& value) {
  const auto& parts = static_cast<const arrow::StructScalar&>(value).value;
  auto variant = variant::Variant::Make(static_cast<const arrow::BaseBinaryScalar&>(*parts[0]).view(),
                                        static_cast<const arrow::BaseBinaryScalar&>(*parts[1]).view());
  std::string json;
  bool good = variant.ok() && format::AppendVariantJson(*variant, *TextZone::Current(), &json).ok();
  return good ? json : "?";
}

std::string ValueSql(const DataTypePtr& type, const std::shared_ptr<arrow::Scalar>& value);

std::string ElementSql(const DataTypePtr& type, const arrow::Array& array, int64_t index) {
  auto element = array.GetScalar(index);
  return element.ok() ? ValueSql(type, *element) : "NULL";
}

std::string NestedSql(const types::DataType& type, const arrow::Scalar& value) {
  std::string out;
  auto add = [&out](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (type.id() == TypeId::kStruct) {
    const auto& members = static_cast<const arrow::StructScalar&>(value).value;
    for (size_t i = 0; i < members.size(); ++i) {
      add(QuoteStringLiteral(type.fields()[i].name) + ", " + ValueSql(type.fields()[i].type, members[i]));
    }
    return "NAMED_STRUCT(" + out + ")";
  }
  const arrow::Array& elements = *static_cast<const arrow::BaseListScalar&>(value).value;
  if (type.id() == TypeId::kArray) {
    for (int64_t i = 0; i < elements.length(); ++i) add(ElementSql(type.element(), elements, i));
    return "ARRAY(" + out + ")";
  }
  const auto& entries = static_cast<const arrow::StructArray&>(elements);
  for (int64_t i = 0; i < entries.length(); ++i) {
    add(ElementSql(type.key(), *entries.field(0), i) + ", " + ElementSql(type.value(), *entries.field(1), i));
  }
  return "MAP(" + out + ")";
}

std::string ValueSql(const DataTypePtr& type, const std::shared_ptr<arrow::Scalar>& value) {
  if (!value->is_valid) {
    bool bare = type->id() == TypeId::kNull || type->is_nested();
    return bare ? "NULL" : "CAST(NULL AS " + type->Sql() + ")";
  }
  switch (type->id()) {
    case TypeId::kString:
      return QuoteStringLiteral(static_cast<const arrow::BaseBinaryScalar&>(*value).view()) +
             types::CollationSuffix(*type);
    case TypeId::kBinary: {
      std::string out = "X'";
      for (char c : static_cast<const arrow::BaseBinaryScalar&>(*value).view()) {
        out += kHexDigits[(c >> 4) & 15];
        out += kHexDigits[c & 15];
      }
      return out + "'";
    }
    case TypeId::kVariant:
      return "PARSE_JSON(" + QuoteStringLiteral(VariantJson(*value)) + ")";
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kStruct:
      return NestedSql(*type, *value);
    default:
      break;
  }
  std::string text = PlainText(*type, value);
  switch (type->id()) {
    case TypeId::kByte:
      return text + "Y";
    case TypeId::kShort:
      return text + "S";
    case TypeId::kLong:
      return text + "L";
    case TypeId::kFloat:
      return FloatingSql(static_cast<const arrow::FloatScalar&>(*value).value, text, false);
    case TypeId::kDouble:
      return FloatingSql(static_cast<const arrow::DoubleScalar&>(*value).value, text, true);
    case TypeId::kDecimal:
      return text + "BD";
    case TypeId::kDate:
      return "DATE '" + text + "'";
    case TypeId::kTimestamp:
      return "TIMESTAMP '" + text + "'";
    case TypeId::kTimestampNtz:
      return "TIMESTAMP_NTZ '" + text + "'";
    case TypeId::kTime:
      return "TIME '" + text + "'";
    case TypeId::kCalendarInterval:
      return "INTERVAL '" + text + "'";
    default:
      return text;  // boolean, int; ANSI intervals carry their keyword
  }
}

}  // namespace

std::string Literal::Sql(bool pretty) const {
  if (pretty) {
    if (is_null()) return "NULL";
    if (type()->id() == TypeId::kString && !types::HoldsCollation(*type())) {
      return std::string(static_cast<const arrow::BaseBinaryScalar&>(*value_).view());
    }
    if (type()->is_numeric()) return PlainText(*type(), value_);
  }
  return ValueSql(type(), value_);
}

}  // namespace millrace::expression
