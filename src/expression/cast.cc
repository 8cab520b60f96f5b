#include "expression/cast.h"

#include <arrow/array/util.h>

#include "base/error.h"
#include "base/query_context.h"
#include "expression/cast/cast_kernels.h"
#include "expression/variant_column.h"

namespace millrace::expression {

using types::DataType;
using types::TypeId;

namespace {

bool NullabilityFits(bool from, bool to) { return !from || to; }

int NumericRank(TypeId id) { return static_cast<int>(id) - static_cast<int>(TypeId::kByte); }

bool DecimalHolds(const DataType& decimal, const DataType& number) {
  int precision = number.precision();
  int scale = number.scale();
  if (number.id() != TypeId::kDecimal) {
    if (!number.is_integral()) return false;
    DataTypePtr whole = types::DecimalForIntegral(number.id());
    precision = whole->precision();
    scale = 0;
  }
  return decimal.precision() - decimal.scale() >= precision - scale && decimal.scale() >= scale;
}

// A decimal that fits a number type without loss (DecimalType.isTighterThan).
bool DecimalFitsIn(const DataType& decimal, TypeId number) {
  switch (number) {
    case TypeId::kByte:
      return decimal.scale() == 0 && decimal.precision() <= 2;
    case TypeId::kShort:
      return decimal.scale() == 0 && decimal.precision() <= 4;
    case TypeId::kInteger:
      return decimal.scale() == 0 && decimal.precision() <= 9;
    case TypeId::kLong:
      return decimal.scale() == 0 && decimal.precision() <= 18;
    case TypeId::kFloat:
      return decimal.precision() <= 7;
    case TypeId::kDouble:
      return decimal.precision() <= 15;
    default:
      return false;
  }
}

// Casts that neither fail nor lose (Cast.canUpCast).
bool CanUpCast(const DataType& from, const DataType& to) {
  if (from.Equals(to) || from.id() == TypeId::kNull) return true;
  if (from.is_nested() || to.is_nested()) {
    if (from.id() != to.id() || from.fields().size() != to.fields().size()) return false;
    for (size_t i = 0; i < from.fields().size(); ++i) {
      const auto& source = from.fields()[i];
      const auto& target = to.fields()[i];
      if (!NullabilityFits(source.nullable, target.nullable) || !CanUpCast(*source.type, *target.type)) return false;
    }
    return true;
  }
  if (to.id() == TypeId::kString) return true;
  if (to.id() == TypeId::kDecimal) return from.is_numeric() && DecimalHolds(to, from);
  if (from.id() == TypeId::kDecimal) return to.is_numeric() && DecimalFitsIn(from, to.id());
  if (from.is_numeric() && to.is_numeric()) return NumericRank(from.id()) <= NumericRank(to.id());
  if (from.is_datetime() && to.is_datetime()) return to.id() != TypeId::kDate;
  if (from.is_ansi_interval()) return from.id() == to.id();
  if (from.id() == TypeId::kTime) return to.id() == TypeId::kTime && from.precision() <= to.precision();
  return (from.id() == TypeId::kTimestamp && to.id() == TypeId::kLong) ||
         (from.id() == TypeId::kLong && to.id() == TypeId::kTimestamp);
}

// Casts that may give NULL for a value whatever the mode says (Cast.forceNullable).
bool AlwaysNullable(const DataType& from, const DataType& to) {
  if (from.id() == TypeId::kNull || from.Equals(to)) return false;
  if (from.id() == TypeId::kVariant) return true;
  if (from.id() == TypeId::kString) return to.id() != TypeId::kBinary && to.id() != TypeId::kString;
  if (to.id() == TypeId::kString) return false;
  if (from.id() == TypeId::kTimestamp && to.is_integral()) return to.id() != TypeId::kLong;
  bool floating = from.id() == TypeId::kFloat || from.id() == TypeId::kDouble;
  if (floating && to.id() == TypeId::kTimestamp) return true;
  if (to.id() == TypeId::kDate) return from.id() != TypeId::kTimestamp;
  if (from.id() == TypeId::kDate) return to.id() != TypeId::kTimestamp;
  if (to.id() == TypeId::kCalendarInterval) return true;
  if (to.id() == TypeId::kDecimal) {
    if (from.id() == TypeId::kBoolean) return to.precision() - to.scale() < 1;
    return !(from.is_numeric() && DecimalHolds(to, from));
  }
  return from.is_fractional() && to.is_integral();
}

bool CanCastScalar(const DataType& from, const DataType& to, CastMode mode) {
  TypeId f = from.id();
  TypeId t = to.id();
  if (f == TypeId::kNull || t == TypeId::kString || from.EqualsIgnoreNullability(to)) return true;
  bool legacy = mode == CastMode::kLegacy;
  if (f == TypeId::kString) return t != TypeId::kNull;
  switch (t) {
    case TypeId::kBinary:
      return legacy && from.is_integral();
    case TypeId::kBoolean:
      return from.is_numeric() || (legacy && from.is_datetime() && f != TypeId::kTimestampNtz);
    case TypeId::kDate:
      return from.is_datetime();
    case TypeId::kTimestamp:
      return from.is_datetime() || from.is_numeric() || (legacy && f == TypeId::kBoolean);
    case TypeId::kTimestampNtz:
      return from.is_datetime();
    case TypeId::kTime:
      return f == TypeId::kTime;
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return f == t || from.is_integral() || f == TypeId::kDecimal;
    default:
      break;
  }
  if (!to.is_numeric()) return false;
  if (from.is_numeric() || f == TypeId::kBoolean || f == TypeId::kTimestamp) return true;
  if (f == TypeId::kTime) return to.is_integral() || t == TypeId::kDecimal;
  if (from.is_ansi_interval()) return to.is_integral() || t == TypeId::kDecimal;
  return legacy && f == TypeId::kDate;
}

}  // namespace

bool CanCast(const DataType& from, const DataType& to, CastMode mode) {
  if (from.Equals(to) || from.id() == TypeId::kNull) return true;
  if (to.user_class() != nullptr) return false;
  if (to.id() == TypeId::kString) return true;
  if (from.user_class() != nullptr) return false;
  if (from.id() == TypeId::kVariant) return CanBeVariant(to, /*structs_and_maps=*/true);
  if (to.id() == TypeId::kVariant) return CanBeVariant(from, /*structs_and_maps=*/false);
  if (!from.is_nested() && !to.is_nested()) return CanCastScalar(from, to, mode);
  if (from.id() != to.id() || from.fields().size() != to.fields().size()) return false;
  for (size_t i = 0; i < from.fields().size(); ++i) {
    const auto& source = from.fields()[i];
    const auto& target = to.fields()[i];
    if (!CanCast(*source.type, *target.type, mode)) return false;
    bool may_be_null = source.nullable;
    if (mode != CastMode::kAnsi) may_be_null = may_be_null || CastMayNull(*source.type, *target.type, mode);
    if (!NullabilityFits(may_be_null, target.nullable)) return false;
  }
  return true;
}

bool CastMayNull(const DataType& from, const DataType& to, CastMode mode) {
  if (mode != CastMode::kTry || from.id() == TypeId::kVariant) return AlwaysNullable(from, to);
  if (from.id() == TypeId::kString && to.id() == TypeId::kBinary) return false;
  if (from.id() == TypeId::kDecimal && to.is_integral()) return true;
  return !CanUpCast(from, to);
}

bool CastMayFail(const DataType& from, const DataType& to, CastMode mode) {
  if (from.id() == TypeId::kVariant && to.id() != TypeId::kVariant) return mode != CastMode::kTry;
  if (mode != CastMode::kAnsi || from.EqualsIgnoreNullability(to) || to.id() == TypeId::kVariant) return false;
  if (to.id() == TypeId::kString || to.id() == TypeId::kBinary || from.id() == TypeId::kNull) return false;
  if (from.is_nested()) {
    // What no cast makes fails when it is evaluated.
    if (from.id() != to.id() || from.fields().size() != to.fields().size()) return true;
    for (size_t i = 0; i < from.fields().size(); ++i) {
      if (CastMayFail(*from.fields()[i].type, *to.fields()[i].type, mode)) return true;
    }
    return false;
  }
  if (from.id() == TypeId::kBoolean && to.id() != TypeId::kDecimal) return false;
  if (from.is_numeric() && to.id() == TypeId::kBoolean) return false;
  if (from.is_datetime() && to.is_datetime()) return false;
  if (from.id() == TypeId::kTime && to.id() == TypeId::kTime) return false;
  if (from.is_numeric() && (to.id() == TypeId::kDouble || to.id() == TypeId::kFloat)) return false;
  return !CanUpCast(from, to);
}

std::string SqlValue(const EvalContext&, const types::DataTypePtr& type, const std::shared_ptr<arrow::Scalar>& value) {
  std::string sql = Literal(type, value).Sql(false);
  if (!value->is_valid) return "NULL";
  bool bare = type->id() == TypeId::kFloat || (type->id() == TypeId::kDouble && sql.starts_with("CAST("));
  return bare ? Literal(type, value).Sql(true) : sql;
}

namespace {

ErrorParameters CastErrorParameters(const CastInput& input, int64_t row, const char* value_name) {
  auto type = std::make_shared<DataType>(input.from);
  auto value = arrow::MakeArray(input.column)->GetScalar(row);
  std::string text = value.ok() ? SqlValue(input.context, type, *value) : "?";
  return {{value_name, std::move(text)},
          {"sourceType", QuoteSqlType(input.from.Sql())},
          {"targetType", QuoteSqlType(input.to.Sql())},
          {"ansiConfig", QuoteConf("spark.sql.ansi.enabled")}};
}

}  // namespace

arrow::Status CastOverflow(const CastInput& input, int64_t row) {
  return UserError("CAST_OVERFLOW", CastErrorParameters(input, row, "value"));
}

arrow::Status CastInvalidInput(const CastInput& input, int64_t row) {
  return UserError("CAST_INVALID_INPUT", CastErrorParameters(input, row, "expression"));
}

CastResult CastColumnData(const CastInput& input) {
  if (input.from.id() == TypeId::kNull) {
    ARROW_ASSIGN_OR_RAISE(auto nulls,
                          arrow::MakeArrayOfNull(types::ToArrow(input.to), input.length(), input.context.memory_pool));
    return nulls->data();
  }
  if (input.from.EqualsIgnoreNullability(input.to)) return WithType(input.column, types::ToArrow(input.to));
  if (input.from.id() == TypeId::kVariant) return CastFromVariant(input);
  if (input.to.id() == TypeId::kVariant) return CastToVariant(input);
  if (input.to.id() == TypeId::kString) return CastToText(input);
  if (input.to.is_nested()) return CastNested(input);
  if (input.from.id() == TypeId::kString) return CastFromString(input);
  if (input.to.id() == TypeId::kBoolean) return CastToBoolean(input);
  if (input.to.id() == TypeId::kBinary) return CastToBinary(input);
  if (input.from.id() == TypeId::kTime) return CastFromTime(input);
  if (input.to.is_datetime()) return CastToDatetime(input);
  if (input.to.is_ansi_interval()) return CastToInterval(input);
  if (input.from.is_ansi_interval()) return CastFromInterval(input);
  if (input.from.is_datetime()) return CastFromDatetime(input);
  if (input.to.id() == TypeId::kDecimal) return CastToDecimal(input);
  if (input.from.id() == TypeId::kDecimal) return CastFromDecimal(input);
  return CastToNumber(input);
}

arrow::Result<arrow::Datum> CastColumn(const EvalContext& context, const arrow::Datum& column, const DataType& from,
                                       const DataType& to, CastMode mode) {
  if (!CanCast(from, to, mode) && !CanCast(from, *types::AsNullable(std::make_shared<DataType>(to)), mode)) {
    return InternalError("Cannot cast " + from.Sql() + " to " + to.Sql());
  }
  if (!column.is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(auto data, CastColumnData({context, column.array(), from, to, mode}));
    return arrow::Datum(std::move(data));
  }
  if (!column.scalar()->is_valid) return arrow::Datum(arrow::MakeNullScalar(types::ToArrow(to)));
  ARROW_ASSIGN_OR_RAISE(auto one_row, ToArray(column, 1, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(auto data, CastColumnData({context, one_row->data(), from, to, mode}));
  ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeArray(data)->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

Cast::Cast(ExpressionPtr child, DataTypePtr type, CastMode mode, bool user_specified)
    : Expression(ExpressionKind::kCast, type, child->nullable() || CastMayNull(*child->type(), *type, mode), {child}),
      mode_(mode),
      user_specified_(user_specified) {}

ExpressionPtr Cast::WithChildren(ExpressionVector children) const {
  auto cast = std::make_shared<Cast>(std::move(children[0]), type(), mode_, user_specified_);
  cast->query_context_ = query_context_;
  return cast;
}

std::shared_ptr<const Cast> Cast::WithContext(std::shared_ptr<const QueryContext> query_context) const {
  auto cast = std::make_shared<Cast>(child(), type(), mode_, user_specified_);
  cast->query_context_ = std::move(query_context);
  return cast;
}

std::string Cast::Sql(bool pretty) const {
  bool hidden = (pretty && !user_specified_) || type()->is_nested();
  std::string sql = child()->Sql(pretty);
  if (hidden) return sql;
  return (mode_ == CastMode::kTry ? "TRY_CAST(" : "CAST(") + sql + " AS " + type()->Sql() + ")";
}

bool Cast::can_fail() const { return CastMayFail(*child()->type(), *type(), mode_) || Expression::can_fail(); }

arrow::Result<arrow::Datum> Cast::Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum value, child()->Evaluate(context, input));
  arrow::Result<arrow::Datum> cast = CastColumn(context, value, *child()->type(), *type(), mode_);
  // Spark tells no place for what is wrong with a variant.
  if (cast.ok() || query_context_ == nullptr || child()->type()->Holds(TypeId::kVariant)) return cast;
  return WithQueryContext(cast.status(), *query_context_);
}

}  // namespace millrace::expression
