#include "expression/type_coercion.h"

#include <algorithm>

#include "base/error.h"
#include "expression/cast.h"
#include "expression/legacy_coercion.h"
#include "expression/query_settings.h"

namespace millrace::expression {

using types::DataType;
using types::TypeId;

namespace {

using Common = std::optional<DataTypePtr>;
using FindCommon = Common (*)(const DataTypePtr&, const DataTypePtr&);

// Whether every value of `number` fits `decimal`.
bool IsWiderThan(const DataType& decimal, const DataType& number) {
  DataTypePtr other = types::DecimalForIntegral(number.id());
  return decimal.precision() - decimal.scale() >= other->precision() && decimal.scale() >= 0;
}

CastMode ImplicitMode() { return CurrentQuerySettings().ansi ? CastMode::kAnsi : CastMode::kLegacy; }

bool BecomesNullable(const DataTypePtr& from, const DataTypePtr& to) { return CastMayNull(*from, *to, ImplicitMode()); }

Common CommonOfFields(const DataTypePtr& a, const DataTypePtr& b, FindCommon find) {
  if (a->fields().size() != b->fields().size()) return std::nullopt;
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < a->fields().size(); ++i) {
    const auto& left = a->fields()[i];
    const auto& right = b->fields()[i];
    if (a->id() == TypeId::kStruct && left.name != right.name) return std::nullopt;
    Common type = find(left.type, right.type);
    if (!type) return std::nullopt;
    bool nullable =
        left.nullable || right.nullable || BecomesNullable(left.type, *type) || BecomesNullable(right.type, *type);
    bool is_key = a->id() == TypeId::kMap && i == 0;
    if (is_key && nullable) return std::nullopt;
    fields.push_back({left.name, *type, nullable, ""});
  }
  return std::make_shared<DataType>(a->id(), 0, 0, std::move(fields));
}

Common CommonOfNested(const DataTypePtr& a, const DataTypePtr& b, FindCommon find) {
  if (!a->is_nested() || a->id() != b->id()) return std::nullopt;
  return CommonOfFields(a, b, find);
}

Common CommonOfNumbers(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->id() == TypeId::kDecimal || b->id() == TypeId::kDecimal) {
    if (a->is_integral() && IsWiderThan(*b, *a)) return b;
    if (b->is_integral() && IsWiderThan(*a, *b)) return a;
    return std::nullopt;
  }
  bool whole_and_float =
      (a->is_integral() && b->id() == TypeId::kFloat) || (b->is_integral() && a->id() == TypeId::kFloat);
  if (whole_and_float && CurrentQuerySettings().ansi) {
    return types::Double();
  }
  return a->id() < b->id() ? b : a;
}

Common CommonOfIntervals(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->id() != b->id()) return std::nullopt;
  int start = std::min(a->start_field(), b->start_field());
  int end = std::max(a->end_field(), b->end_field());
  if (a->id() == TypeId::kYearMonthInterval) {
    return types::YearMonthInterval(static_cast<types::IntervalField>(start), static_cast<types::IntervalField>(end));
  }
  return types::DayTimeInterval(static_cast<types::DayTimeField>(start), static_cast<types::DayTimeField>(end));
}

// DATE < TIMESTAMP_NTZ < TIMESTAMP.
DataTypePtr CommonOfDatetimes(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->id() == TypeId::kTimestamp || b->id() == TypeId::kTimestamp) return types::Timestamp();
  return types::TimestampNtz();
}

Common CommonWithDecimal(const DataTypePtr& a, const DataTypePtr& b) {
  if (!a->is_numeric() || !b->is_numeric()) return std::nullopt;
  if (a->id() != TypeId::kDecimal && b->id() != TypeId::kDecimal) return std::nullopt;
  auto as_decimal = [](const DataTypePtr& type) {
    return type->is_integral() ? types::DecimalForIntegral(type->id()) : type;
  };
  DataTypePtr left = as_decimal(a);
  DataTypePtr right = as_decimal(b);
  if (left->id() != TypeId::kDecimal || right->id() != TypeId::kDecimal) return types::Double();
  return WiderDecimal(*left, *right);
}

bool CanStoreAssign(const DataType& from, const DataType& to) {
  if (from.EqualsIgnoreNullability(to) || from.id() == TypeId::kNull) return true;
  if (from.user_class() != nullptr || to.user_class() != nullptr) return false;
  if (from.is_nested() || to.is_nested()) {
    if (from.id() != to.id() || from.fields().size() != to.fields().size()) return false;
    for (size_t i = 0; i < from.fields().size(); ++i) {
      if (from.fields()[i].nullable && !to.fields()[i].nullable) return false;
      if (!CanStoreAssign(*from.fields()[i].type, *to.fields()[i].type)) return false;
    }
    return true;
  }
  if (from.is_numeric() && to.is_numeric()) return true;
  if (to.id() == TypeId::kString) return true;
  if (from.is_datetime() && to.is_datetime()) return true;
  if (from.id() == TypeId::kTime && to.id() == TypeId::kTime) return true;
  return from.is_ansi_interval() && from.id() == to.id();
}

}  // namespace

DataTypePtr AdjustedDecimal(int precision, int scale) {
  constexpr int kMax = types::kMaxDecimalPrecision;
  if (precision <= kMax) return types::Decimal(precision, scale);
  // Digits before the point are kept at the cost of the fraction, of which six are kept.
  int whole_digits = precision - scale;
  int kept_scale = std::max(kMax - whole_digits, std::min(scale, 6));
  return types::Decimal(kMax, kept_scale);
}

DataTypePtr WiderDecimal(const DataType& a, const DataType& b) {
  int scale = std::max(a.scale(), b.scale());
  int whole_digits = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  int precision = whole_digits + scale;
  int excess = std::max(0, precision - types::kMaxDecimalPrecision);
  return types::Decimal(precision - excess, std::max(0, scale - excess));
}

std::optional<DataTypePtr> TightestCommonType(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->Equals(*b)) return a;
  if (a->id() == TypeId::kNull) return b;
  if (b->id() == TypeId::kNull) return a;
  if (a->user_class() != nullptr || b->user_class() != nullptr) return std::nullopt;
  if (a->is_numeric() && b->is_numeric()) return CommonOfNumbers(a, b);
  if (a->is_datetime() && b->is_datetime()) return CommonOfDatetimes(a, b);
  if (a->is_ansi_interval()) return CommonOfIntervals(a, b);
  return CommonOfNested(a, b, TightestCommonType);
}

std::optional<DataTypePtr> WiderTypeOfString(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->id() != TypeId::kString && b->id() == TypeId::kString) return WiderTypeOfString(b, a);
  if (a->id() != TypeId::kString || b->id() == TypeId::kString) return std::nullopt;
  if (!CurrentQuerySettings().ansi) return StringPromotion(a, b);
  if (b->is_integral()) return types::Long();
  if (b->is_fractional()) return types::Double();
  if (b->id() == TypeId::kNull) return a;
  if (b->is_ansi_interval() || b->is_nested() || b->id() == TypeId::kCalendarInterval) return std::nullopt;
  return b;
}

std::optional<DataTypePtr> WiderType(const DataTypePtr& a, const DataTypePtr& b) {
  if (auto type = TightestCommonType(a, b)) return type;
  if (a->user_class() != nullptr || b->user_class() != nullptr) return std::nullopt;
  if (auto type = CommonWithDecimal(a, b)) return type;
  if (auto type = WiderTypeOfString(a, b)) return type;
  return CommonOfNested(a, b, static_cast<FindCommon>(WiderType));
}

std::optional<DataTypePtr> WiderType(const std::vector<DataTypePtr>& types) {
  std::optional<DataTypePtr> common = types::Null();
  for (const DataTypePtr& type : types) {
    if (common) common = WiderType(*common, type);
  }
  return common;
}

bool CanImplicitCast(const DataTypePtr& from, const DataTypePtr& to) {
  if (!CurrentQuerySettings().ansi) return CanImplicitCastWithoutAnsi(from, to);
  if (from->EqualsIgnoreNullability(*to) || from->id() == TypeId::kNull) return true;
  if (from->user_class() != nullptr || to->user_class() != nullptr) return false;
  if (from->id() == TypeId::kString && !to->is_nested() && to->id() != TypeId::kNull) {
    return to->id() != TypeId::kCalendarInterval;
  }
  if (from->id() == TypeId::kArray && to->id() == TypeId::kArray) {
    return (to->contains_null() || !from->contains_null()) && CanImplicitCast(from->element(), to->element());
  }
  return CanStoreAssign(*from, *to);
}

ExpressionPtr ImplicitCast(const ExpressionPtr& expression, const DataTypePtr& to) {
  const DataTypePtr& from = expression->type();
  if (from->Equals(*to)) return expression;
  // A column that may hold nulls inside cannot promise that it does not.
  if (from->EqualsIgnoreNullability(*to) && !CanCast(*from, *to, ImplicitMode())) return expression;
  if (from->id() == TypeId::kNull && expression->kind() == ExpressionKind::kLiteral) return Literal::Null(to);
  return std::make_shared<Cast>(expression, to, ImplicitMode(), /*user_specified=*/false);
}

arrow::Result<ExpressionVector> CoerceToCommonType(const std::string& function_name, const ExpressionVector& arguments,
                                                   const std::string& sql, TypeListStyle style) {
  std::vector<DataTypePtr> argument_types;
  for (const ExpressionPtr& argument : arguments) argument_types.push_back(argument->type());
  std::optional<DataTypePtr> common = WiderType(argument_types);
  if (!common) {
    std::string list;
    bool choice = style == TypeListStyle::kChoice;
    for (const DataTypePtr& type : argument_types) {
      if (!list.empty()) list += choice ? " or " : ", ";
      list += QuoteSqlType(type->Sql());
    }
    list = choice ? "(" + list + ")" : "[" + list + "]";
    return UserError(
        "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        {{"sqlExpr", QuoteSqlExpression(sql)}, {"functionName", QuoteIdentifier(function_name)}, {"dataType", list}});
  }
  ExpressionVector coerced;
  for (const ExpressionPtr& argument : arguments) coerced.push_back(ImplicitCast(argument, *common));
  return coerced;
}

}  // namespace millrace::expression
