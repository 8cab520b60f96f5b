#include "function/scalar/datetime/timestamp_add.h"

#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/local_time.h"
#include "types/arrow_type.h"
#include "types/datetime_arithmetic.h"

namespace millrace::function {

namespace {

struct Unit {
  std::string_view name;
  /// Of units counted in months; 0 for the others.
  int64_t months;
  int64_t micros;
};

constexpr Unit kUnits[] = {
    {"YEAR", 12, 0},
    {"QUARTER", 3, 0},
    {"MONTH", 1, 0},
    {"WEEK", 0, 7 * types::kMicrosPerDay},
    {"DAY", 0, types::kMicrosPerDay},
    {"DAYOFYEAR", 0, types::kMicrosPerDay},
    {"HOUR", 0, types::kMicrosPerHour},
    {"MINUTE", 0, types::kMicrosPerMinute},
    {"SECOND", 0, types::kMicrosPerSecond},
    {"MILLISECOND", 0, types::kMicrosPerMilli},
    {"MICROSECOND", 0, 1},
};

arrow::Result<const Unit*> FindUnit(const BindInput& input, std::string_view function) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> name, FoldableString(input, 0, "unit"));
  for (const Unit& unit : kUnits) {
    if (name && EqualsIgnoreCase(unit.name, *name)) return &unit;
  }
  return UserError("INVALID_PARAMETER_VALUE.DATETIME_UNIT", {{"functionName", QuoteIdentifier(function)},
                                                             {"parameter", QuoteIdentifier("unit")},
                                                             {"invalidValue", name.value_or("NULL")}});
}

// The unit shows as the user wrote it.
std::shared_ptr<CallInfo> InfoOf(std::string name, const ExpressionPtr& unit, ScalarKernel kernel) {
  auto info = std::make_shared<CallInfo>();
  info->name = name;
  info->kernel = std::move(kernel);
  info->style = CallStyle::kCustom;
  info->can_fail = true;
  info->render = [name = std::move(name), unit = unit->Sql(true)](const std::vector<std::string>& arguments) {
    return name + "(" + unit + ", " + arguments[0] + ", " + arguments[1] + ")";
  };
  return info;
}

arrow::Status Add(const Unit& unit, int64_t quantity, int64_t us, const types::TimeZone& zone, int64_t* out) {
  int64_t amount = 0;
  bool fits = !__builtin_mul_overflow(quantity, unit.months != 0 ? unit.months : unit.micros, &amount) &&
              (unit.months != 0 ? types::AddMonths(us, amount, zone, out) : types::AddDayTime(us, amount, zone, out));
  if (fits) return arrow::Status::OK();
  std::string shown;
  types::AppendTimestamp(us, zone, &shown);
  return UserError("DATETIME_OVERFLOW", {{"operation", "add " + std::to_string(quantity) + " " +
                                                           std::string(unit.name) + " to TIMESTAMP '" + shown + "'"}});
}

int64_t Diff(const Unit& unit, int64_t start_local_us, int64_t end_local_us) {
  if (unit.months != 0) return types::MonthsBetween(start_local_us, end_local_us) / unit.months;
  return (end_local_us - start_local_us) / unit.micros;
}

}  // namespace

arrow::Result<ExpressionPtr> BindTimestampAdd(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(const Unit* unit, FindUnit(input, "TIMESTAMPADD"));
  if (!expression::CanImplicitCast(input.arguments[1]->type(), types::Long())) {
    return UnexpectedInputType(input, 1, QuoteSqlType("BIGINT"));
  }
  ExpressionPtr quantity = expression::ImplicitCast(input.arguments[1], types::Long());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr timestamp, CoerceToAnyTimestamp(input, 2));
  DataTypePtr type = timestamp->type();
  bool ntz = type->id() == types::TypeId::kTimestampNtz;
  auto kernel = FixedKernel<int64_t, int64_t, int64_t>(
      types::ToArrow(*type), [unit, ntz](const EvalContext& context, int64_t by, int64_t us, int64_t* out) {
        return Add(*unit, by, us, ntz ? *types::TimeZone::Utc() : *context.time_zone, out);
      });
  bool nullable = quantity->nullable() || timestamp->nullable();
  return std::make_shared<Call>(InfoOf("timestampadd", input.arguments[0], std::move(kernel)), std::move(type),
                                nullable, ExpressionVector{std::move(quantity), std::move(timestamp)});
}

arrow::Result<ExpressionPtr> BindTimestampDiff(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(const Unit* unit, FindUnit(input, "TIMESTAMPDIFF"));
  ExpressionVector ends;
  bool nullable = false;
  for (size_t i = 1; i < 3; ++i) {
    if (!expression::CanImplicitCast(input.arguments[i]->type(), types::Timestamp())) {
      return UnexpectedInputType(input, i, QuoteSqlType("TIMESTAMP"));
    }
    ends.push_back(expression::ImplicitCast(input.arguments[i], types::Timestamp()));
    nullable = nullable || ends.back()->nullable();
  }
  auto kernel = FixedKernel<int64_t, int64_t, int64_t>(
      arrow::int64(), [unit](const EvalContext& context, int64_t start, int64_t end, int64_t* out) {
        *out = Diff(*unit, context.time_zone->ToLocalMicros(start), context.time_zone->ToLocalMicros(end));
      });
  return std::make_shared<Call>(InfoOf("timestampdiff", input.arguments[0], std::move(kernel)), types::Long(), nullable,
                                std::move(ends));
}

extern const FunctionDef kTimestampAdd{.name = "timestampadd",
                                       .family = "datetime",
                                       .description = "The timestamp so many units later.",
                                       .example = "timestampadd(HOUR, 8, timestamp_ntz'2022-02-14 20:30:00')",
                                       .example_result = "2022-02-15 04:30:00",
                                       .min_arguments = 3,
                                       .max_arguments = 3,
                                       .bind = BindTimestampAdd};

extern const FunctionDef kTimestampDiff{
    .name = "timestampdiff",
    .family = "datetime",
    .description = "Whole units from the first timestamp to the second.",
    .example = "timestampdiff(HOUR, timestamp'2022-02-11 20:30:00', timestamp'2022-02-12 04:30:00')",
    .example_result = "8",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = BindTimestampDiff};

}  // namespace millrace::function
