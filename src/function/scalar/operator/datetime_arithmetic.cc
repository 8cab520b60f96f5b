#include <arrow/util/decimal.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/row_kernel.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::function {

using arrow::Datum;
using expression::Call;
using expression::Cast;
using expression::CastMode;
using types::kMicrosPerDay;
using types::TypeId;

namespace {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

bool IsTimestamp(const DataTypePtr& type) {
  return type->id() == TypeId::kTimestamp || type->id() == TypeId::kTimestampNtz;
}

bool IsInterval(const DataTypePtr& type) { return type->is_ansi_interval() || type->id() == TypeId::kCalendarInterval; }

bool IsWholeDays(const DataTypePtr& type) {
  return type->id() == TypeId::kDayTimeInterval && type->start_field() == 0 && type->end_field() == 0;
}

// What the operation is made of beside its operands.
struct Plan {
  const BindInput& input;
  Arithmetic op;
  OnOverflow on_overflow;
  std::string_view shown_name;

  bool subtracts() const { return op == Arithmetic::kSubtract; }
  bool raises() const { return on_overflow == OnOverflow::kRaise; }
};

// A call written `a + b`, without parentheses, as Spark writes additions to points in time.
ExpressionPtr PointCall(const Plan& plan, ExpressionVector arguments, DataTypePtr type, ScalarKernel kernel,
                        bool may_null = false) {
  auto info = std::make_shared<CallInfo>();
  info->name = plan.shown_name.empty() ? std::string(Symbol(plan.op)) : std::string(plan.shown_name);
  info->kernel = std::move(kernel);
  info->can_fail = plan.raises();
  if (plan.shown_name.empty()) {
    info->style = CallStyle::kCustom;
    info->render = [symbol = " " + info->name + " "](const std::vector<std::string>& texts) {
      return texts[0] + symbol + texts[1];
    };
  } else if (plan.op == Arithmetic::kAdd && IsInterval(plan.input.arguments[0]->type())) {
    // try_add names its arguments in the order in which they were given.
    info->style = CallStyle::kCustom;
    info->render = [name = info->name](const std::vector<std::string>& texts) {
      return name + "(" + texts[1] + ", " + texts[0] + ")";
    };
  }
  bool nullable =
      may_null || arguments[0]->nullable() || arguments[1]->nullable() || plan.on_overflow == OnOverflow::kNull;
  return std::make_shared<Call>(std::move(info), std::move(type), nullable, std::move(arguments));
}

// A call written `(a op b)`.
ExpressionPtr InfixCall(const Plan& plan, ExpressionVector arguments, DataTypePtr type, bool nullable,
                        ScalarKernel kernel) {
  CallOptions options;
  options.can_fail = plan.raises();
  options.style = plan.shown_name.empty() ? CallStyle::kInfix : CallStyle::kFunction;
  options.shown_name = std::string(plan.shown_name.empty() ? Symbol(plan.op) : plan.shown_name);
  nullable = nullable || arguments[0]->nullable() || arguments[1]->nullable();
  return MakeCall(plan.input, std::move(arguments), std::move(type), nullable, std::move(kernel), options);
}

bool AddChecked(int64_t value, int64_t by, bool subtract, int64_t* out) {
  return !(subtract ? __builtin_sub_overflow(value, by, out) : __builtin_add_overflow(value, by, out));
}

// Whole days move the local calendar, the rest moves the instant.
bool AddDayTime(int64_t utc, int64_t interval, bool subtract, const types::TimeZone& zone, int64_t* out) {
  int64_t days = interval / kMicrosPerDay;
  if (days == 0 || zone.is_fixed()) return AddChecked(utc, interval, subtract, out);
  int64_t local = 0;
  if (!AddChecked(zone.ToLocalMicros(utc), days * kMicrosPerDay, subtract, &local)) return false;
  return types::LocalToUtcMicros(local, zone, out) && AddChecked(*out, interval % kMicrosPerDay, subtract, out);
}

bool AddMonths(int64_t utc, int64_t months, const types::TimeZone& zone, int64_t* out) {
  int64_t local = zone.ToLocalMicros(utc);
  int64_t days = types::AddMonthsToDays(types::FloorDiv(local, kMicrosPerDay), months);
  if (__builtin_mul_overflow(days, kMicrosPerDay, &days)) return false;
  return AddChecked(days, types::FloorMod(local, kMicrosPerDay), false, out) &&
         types::LocalToUtcMicros(*out, zone, out);
}

bool AddCalendar(int64_t utc, const MonthDayNanos& interval, bool subtract, const types::TimeZone& zone, int64_t* out) {
  int64_t sign = subtract ? -1 : 1;
  int64_t days = interval.days * kMicrosPerDay;
  return AddMonths(utc, sign * interval.months, zone, out) && AddDayTime(*out, days, subtract, zone, out) &&
         AddChecked(*out, interval.nanoseconds / 1000, subtract, out);
}

// `step(context, point, interval, &out)` says whether the result is in range.
template <typename Out, typename Point, typename Interval, typename Step>
ScalarKernel PointKernel(OnOverflow on_overflow, const DataTypePtr& type, Step step) {
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
  using Builder = typename arrow::CTypeTraits<Out>::BuilderType;
  return
      [=](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) -> arrow::Result<Datum> {
        if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(arrow_type));
        return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
          expression::FixedColumn<Point> points(arguments[0]);
          expression::FixedColumn<Interval> intervals(arguments[1]);
          Builder builder(context.memory_pool);
          auto append = [&](int64_t i) -> arrow::Status {
            Out value{};
            if (step(context, points[i], intervals[i], &value)) return builder.Append(value);
            return on_overflow == OnOverflow::kRaise ? ArithmeticOverflow("long overflow", "") : builder.AppendNull();
          };
          ARROW_ASSIGN_OR_RAISE(Datum made, expression::MapBuilt(builder, rows, append, points, intervals));
          std::shared_ptr<arrow::ArrayData> data = made.array()->Copy();
          data->type = arrow_type;
          return Datum(std::move(data));
        });
      };
}

ExpressionPtr AddToTimestamp(const Plan& plan, const ExpressionPtr& point, const ExpressionPtr& interval) {
  bool subtract = plan.subtracts();
  bool local = point->type()->id() == TypeId::kTimestampNtz;
  auto zone_of = [local](const EvalContext& context) -> const types::TimeZone& {
    return local ? *types::TimeZone::Utc() : *context.time_zone;
  };
  ScalarKernel kernel;
  switch (interval->type()->id()) {
    case TypeId::kYearMonthInterval:
      kernel = PointKernel<int64_t, int64_t, int32_t>(
          plan.on_overflow, point->type(), [=](const EvalContext& context, int64_t at, int32_t by, int64_t* out) {
            return AddMonths(at, subtract ? -int64_t{by} : int64_t{by}, zone_of(context), out);
          });
      break;
    case TypeId::kDayTimeInterval:
      kernel = PointKernel<int64_t, int64_t, int64_t>(
          plan.on_overflow, point->type(), [=](const EvalContext& context, int64_t at, int64_t by, int64_t* out) {
            return AddDayTime(at, by, subtract, zone_of(context), out);
          });
      break;
    default:
      kernel = PointKernel<int64_t, int64_t, MonthDayNanos>(
          plan.on_overflow, point->type(),
          [=](const EvalContext& context, int64_t at, const MonthDayNanos& by, int64_t* out) {
            return AddCalendar(at, by, subtract, zone_of(context), out);
          });
  }
  return PointCall(plan, {point, interval}, point->type(), std::move(kernel));
}

// date_add and date_sub under the name of the function that was called.
arrow::Result<ExpressionPtr> MoveDate(const Plan& plan, const ExpressionPtr& date, const ExpressionPtr& days) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr moved,
                        BindCall(plan.subtracts() ? "date_sub" : "date_add", {date, days}, plan.input.context));
  const auto* call = plan.shown_name.empty() ? nullptr : dynamic_cast<const Call*>(moved.get());
  if (call == nullptr) return moved;
  auto info = std::make_shared<CallInfo>(call->info());
  info->style = CallStyle::kCustom;
  info->render = [text = CallSql(plan.input)](const std::vector<std::string>&) { return text; };
  return std::make_shared<Call>(std::move(info), call->type(), call->nullable(), call->children());
}

ExpressionPtr DaysOfInterval(const ExpressionPtr& interval) {
  auto info = std::make_shared<CallInfo>();
  info->name = "extractansiintervaldays";
  info->kernel = FixedKernel<int32_t, int64_t>(arrow::int32(), [](const EvalContext&, int64_t micros, int32_t* out) {
    *out = static_cast<int32_t>(micros / kMicrosPerDay);
  });
  return std::make_shared<Call>(std::move(info), types::Integer(), interval->nullable(), ExpressionVector{interval});
}

arrow::Result<ExpressionPtr> AddToDate(const Plan& plan, const ExpressionPtr& date, const ExpressionPtr& interval) {
  bool subtract = plan.subtracts();
  if (IsWholeDays(interval->type())) {
    ExpressionPtr days = DaysOfInterval(interval);
    if (!subtract) return MoveDate(plan, date, days);
    ARROW_ASSIGN_OR_RAISE(days, BindCall("-", {std::move(days)}, plan.input.context));
    Plan adds = plan;
    adds.op = Arithmetic::kAdd;
    return MoveDate(adds, date, days);
  }
  if (interval->type()->id() == TypeId::kYearMonthInterval) {
    return PointCall(plan, {date, interval}, types::Date(),
                     PointKernel<int32_t, int32_t, int32_t>(
                         plan.on_overflow, types::Date(),
                         [subtract](const EvalContext&, int32_t days, int32_t months, int32_t* out) {
                           int64_t result = types::AddMonthsToDays(days, subtract ? -int64_t{months} : int64_t{months});
                           *out = static_cast<int32_t>(result);
                           return result == *out;
                         }));
  }
  if (interval->type()->id() == TypeId::kCalendarInterval) {
    return PointCall(plan, {date, interval}, types::Date(),
                     PointKernel<int32_t, int32_t, MonthDayNanos>(
                         plan.on_overflow, types::Date(),
                         [subtract](const EvalContext&, int32_t days, const MonthDayNanos& by, int32_t* out) {
                           int64_t sign = subtract ? -1 : 1;
                           int64_t result = types::AddMonthsToDays(days, sign * by.months) + sign * by.days;
                           *out = static_cast<int32_t>(result);
                           return result == *out;
                         }));
  }
  ExpressionPtr timestamp = std::make_shared<Cast>(date, types::Timestamp(), CastMode::kAnsi, false);
  return AddToTimestamp(plan, timestamp, interval);
}

arrow::Result<ExpressionPtr> AddToPoint(const Plan& plan, const ExpressionPtr& point, const ExpressionPtr& interval) {
  if (point->type()->id() == TypeId::kDate) return AddToDate(plan, point, interval);
  if (IsTimestamp(point->type())) return AddToTimestamp(plan, point, interval);
  bool months = interval->type()->id() == TypeId::kYearMonthInterval;
  if (point->type()->id() == TypeId::kNull || (point->type()->id() == TypeId::kString && !months)) {
    ExpressionPtr moved = AddToTimestamp(plan, expression::ImplicitCast(point, types::Timestamp()), interval);
    // A text that is moved stays one.
    bool text = point->type()->id() == TypeId::kString;
    return text ? expression::ImplicitCast(moved, types::String()) : moved;
  }
  if (months) {
    const ExpressionVector& operands = plan.input.arguments;
    std::string shown =
        "(" + operands[0]->Sql(true) + " " + std::string(Symbol(plan.op)) + " " + operands[1]->Sql(true) + ")";
    return BinaryOpDiffTypes(shown, operands[0], operands[1]);
  }
  std::string sql = point->Sql(true) + " " + std::string(Symbol(plan.op)) + " " + interval->Sql(true);
  return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                   {{"sqlExpr", QuoteSqlExpression(sql)},
                    {"paramIndex", "first"},
                    {"requiredType", QuoteSqlType("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)")},
                    {"inputSql", QuoteSqlExpression(point->Sql(true))},
                    {"inputType", QuoteSqlType(point->type()->Sql())}});
}

// Only points in time, their texts and NULL are subtracted from each other.
// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Status CheckPoints(const ExpressionPtr& left, const ExpressionPtr& right, bool timestamps) {
  for (const ExpressionPtr& side : {left, right}) {
    TypeId id = side->type()->id();
    if (id == TypeId::kDate || id == TypeId::kString || id == TypeId::kNull) continue;
    if (timestamps && IsTimestamp(side->type())) continue;
    return UserError(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        {{"sqlExpr", QuoteSqlExpression("(" + left->Sql(true) + " - " + right->Sql(true) + ")")},
         {"paramIndex", side == left ? "first" : "second"},
         {"requiredType", QuoteSqlType(timestamps ? "(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)" : "DATE")},
         {"inputSql", QuoteSqlExpression(side->Sql(true))},
         {"inputType", QuoteSqlType(side->type()->Sql())}});
  }
  return arrow::Status::OK();
}

arrow::Result<ExpressionPtr> SubtractDates(const Plan& plan, const ExpressionPtr& left, const ExpressionPtr& right) {
  ARROW_RETURN_NOT_OK(CheckPoints(left, right, /*timestamps=*/false));
  DataTypePtr type = types::DayTimeInterval(types::DayTimeField::kDay, types::DayTimeField::kDay);
  ScalarKernel kernel = FixedKernel<int64_t, int32_t, int32_t>(
      types::ToArrow(*type), [](const EvalContext&, int32_t end, int32_t start, int64_t* out) {
        *out = (int64_t{end} - start) * kMicrosPerDay;
      });
  return InfixCall(plan,
                   {expression::ImplicitCast(left, types::Date()), expression::ImplicitCast(right, types::Date())},
                   type, false, std::move(kernel));
}

// The difference of the wall clocks, so that a day has 24 hours.
arrow::Result<ExpressionPtr> SubtractTimestamps(const Plan& plan, const ExpressionPtr& left,
                                                const ExpressionPtr& right) {
  ARROW_RETURN_NOT_OK(CheckPoints(left, right, /*timestamps=*/true));
  bool local = left->type()->id() == TypeId::kTimestampNtz && right->type()->id() == TypeId::kTimestampNtz;
  DataTypePtr meet = local ? types::TimestampNtz() : types::Timestamp();
  DataTypePtr type = types::DayTimeInterval();
  ScalarKernel kernel = FixedKernel<int64_t, int64_t, int64_t>(
      types::ToArrow(*type), [local](const EvalContext& context, int64_t end, int64_t start, int64_t* out) {
        *out = local ? end - start : context.time_zone->ToLocalMicros(end) - context.time_zone->ToLocalMicros(start);
      });
  return InfixCall(plan, {expression::ImplicitCast(left, meet), expression::ImplicitCast(right, meet)}, type, false,
                   std::move(kernel));
}

arrow::Status IntervalOverflow(Arithmetic op) {
  constexpr const char* kTry[] = {"try_add", "try_subtract", "try_multiply", "try_divide", "try_divide"};
  return UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION",
                   {{"functionName", QuoteIdentifier(kTry[static_cast<size_t>(op)])}});
}

ScalarKernel CalendarKernel(bool subtract) {
  return [subtract](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) {
      expression::FixedColumn<MonthDayNanos> left(arguments[0]);
      expression::FixedColumn<MonthDayNanos> right(arguments[1]);
      arrow::MonthDayNanoIntervalBuilder builder(context.memory_pool);
      auto append = [&](int64_t i) {
        int sign = subtract ? -1 : 1;
        return builder.Append({left[i].months + sign * right[i].months, left[i].days + sign * right[i].days,
                               left[i].nanoseconds + sign * right[i].nanoseconds});
      };
      return expression::MapBuilt(builder, rows, append, left, right);
    });
  };
}

// Interval ± interval of one kind.
arrow::Result<ExpressionPtr> AddIntervals(const Plan& plan, const ExpressionPtr& left, const ExpressionPtr& right) {
  bool tried = plan.on_overflow == OnOverflow::kNull;
  if (left->type()->id() == TypeId::kCalendarInterval) {
    return InfixCall(plan, {left, right}, left->type(), tried, CalendarKernel(plan.subtracts()));
  }
  DataTypePtr type = *expression::TightestCommonType(left->type(), right->type());
  ExpressionVector arguments{expression::ImplicitCast(left, type), expression::ImplicitCast(right, type)};
  auto kernel = [op = plan.op, add = NumberArithmetic(plan.op, plan.on_overflow, type)](
                    const EvalContext& context, const std::vector<Datum>& values,
                    int64_t num_rows) -> arrow::Result<Datum> {
    arrow::Result<Datum> sum = add(context, values, num_rows);
    if (IsErrorCondition(sum.status(), "ARITHMETIC_OVERFLOW")) return IntervalOverflow(op);
    return sum;
  };
  return InfixCall(plan, std::move(arguments), type, tried, std::move(kernel));
}

// The interval times or over a number, rounded half up. False when out of range.
template <typename Interval>
bool ScaleBy(int64_t interval, int64_t number, bool divide, Interval* out) {
  int64_t result = 0;
  if (divide) {
    if (number == -1) return !__builtin_sub_overflow(Interval{0}, static_cast<Interval>(interval), out);
    result = interval / number;
    int64_t rest = std::abs(interval % number);
    if (rest >= std::abs(number) - rest) result += (interval < 0) == (number < 0) ? 1 : -1;
  } else if (__builtin_mul_overflow(interval, number, &result)) {
    return false;
  }
  *out = static_cast<Interval>(result);
  return *out == result;
}

template <typename Interval>
bool ScaleBy(int64_t interval, double number, bool divide, Interval* out) {
  double result = std::round(divide ? static_cast<double>(interval) / number : static_cast<double>(interval) * number);
  // One above the largest is a double for both widths; the largest of 64 bits is not.
  constexpr auto kLimit = static_cast<double>(std::numeric_limits<Interval>::max()) + 1.0;
  if (!(result < kLimit && result >= static_cast<double>(std::numeric_limits<Interval>::min()))) return false;
  *out = static_cast<Interval>(result);
  return true;
}

template <typename Interval, typename Number>
ScalarKernel ScaleKernel(Arithmetic op, OnOverflow on_overflow, const DataTypePtr& type) {
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
  return
      [=](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) -> arrow::Result<Datum> {
        if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(arrow_type));
        return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
          expression::FixedColumn<Interval> intervals(arguments[0]);
          expression::FixedColumn<Number> numbers(arguments[1]);
          typename arrow::CTypeTraits<Interval>::BuilderType builder(context.memory_pool);
          bool divide = op == Arithmetic::kDivide;
          auto append = [&](int64_t i) -> arrow::Status {
            bool by_zero = divide && numbers[i] == 0;
            Interval value = 0;
            if (!by_zero && ScaleBy<Interval>(intervals[i], numbers[i], divide, &value)) return builder.Append(value);
            if (on_overflow == OnOverflow::kNull) return builder.AppendNull();
            return by_zero ? UserError("INTERVAL_DIVIDED_BY_ZERO") : IntervalOverflow(op);
          };
          ARROW_ASSIGN_OR_RAISE(Datum made, expression::MapBuilt(builder, rows, append, intervals, numbers));
          std::shared_ptr<arrow::ArrayData> data = made.array()->Copy();
          data->type = arrow_type;
          return Datum(std::move(data));
        });
      };
}

arrow::Result<ExpressionPtr> ScaleInterval(const Plan& plan, const ExpressionPtr& interval,
                                           const ExpressionPtr& number) {
  if (interval->type()->id() == TypeId::kCalendarInterval) {
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "INTERVAL " + std::string(Symbol(plan.op))}, {"className", "Millrace"}});
  }
  bool months = interval->type()->id() == TypeId::kYearMonthInterval;
  DataTypePtr type = months ? types::YearMonthInterval() : types::DayTimeInterval();
  bool whole = number->type()->is_integral();
  ExpressionPtr factor = expression::ImplicitCast(number, whole ? types::Long() : types::Double());
  ScalarKernel kernel;
  if (months && whole)
    kernel = ScaleKernel<int32_t, int64_t>(plan.op, plan.on_overflow, type);
  else if (months)
    kernel = ScaleKernel<int32_t, double>(plan.op, plan.on_overflow, type);
  else if (whole)
    kernel = ScaleKernel<int64_t, int64_t>(plan.op, plan.on_overflow, type);
  else
    kernel = ScaleKernel<int64_t, double>(plan.op, plan.on_overflow, type);
  bool nullable = plan.on_overflow == OnOverflow::kNull;
  return InfixCall(plan, {interval, factor}, std::move(type), nullable, std::move(kernel));
}

ExpressionPtr DivideIntervals(const Plan& plan, const ExpressionPtr& left, const ExpressionPtr& right) {
  DataTypePtr type = *expression::TightestCommonType(left->type(), right->type());
  // Months are counted in 64 bits too: the quotient is a BIGINT.
  DataTypePtr unit = type->id() == TypeId::kYearMonthInterval
                         ? types::YearMonthInterval(types::IntervalField::kMonth, types::IntervalField::kMonth)
                         : type;
  auto wide = [&](const ExpressionPtr& interval) -> ExpressionPtr {
    ExpressionPtr same = expression::ImplicitCast(interval, unit);
    if (type->id() != TypeId::kYearMonthInterval) return same;
    return std::make_shared<Cast>(same, types::Long(), CastMode::kAnsi, false);
  };
  return InfixCall(plan, {wide(left), wide(right)}, types::Long(), true,
                   [kernel = NumberArithmetic(plan.op, plan.on_overflow, types::Long())](
                       const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
                     return kernel(context, arguments, num_rows);
                   });
}

// The values of an int64 column whose rows `step(l, r, &out)` computes.
template <typename Step>
ScalarKernel PairKernel(const DataTypePtr& type, Step step) {
  return [arrow_type = types::ToArrow(*type), step](const EvalContext& context, const std::vector<Datum>& arguments,
                                                    int64_t num_rows) -> arrow::Result<Datum> {
    if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(arrow_type));
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
      expression::FixedColumn<int64_t> left(arguments[0]);
      expression::FixedColumn<int64_t> right(arguments[1]);
      auto one = [&](int64_t i, int64_t* out) -> arrow::Status { return step(left[i], right[i], out); };
      return expression::MapFixed<int64_t>(context, arrow_type, rows, one, left, right);
    });
  };
}

// A time of day and an interval; the result must be of the same day.
ExpressionPtr MoveTime(const Plan& plan, const ExpressionPtr& time, const ExpressionPtr& moved_by) {
  ExpressionPtr interval = moved_by;
  if (interval->type()->id() == TypeId::kNull) interval = expression::Literal::Null(types::DayTimeInterval());
  bool to_seconds = interval->type()->end_field() == static_cast<int>(types::DayTimeField::kSecond);
  DataTypePtr type = to_seconds ? types::Time(types::kMicrosPrecision) : time->type();
  auto step = [subtract = plan.subtracts(), raises = plan.raises(), from = time->type(), by = interval->type()](
                  int64_t nanos, int64_t micros, int64_t* out) -> arrow::Status {
    bool fits = !__builtin_mul_overflow(micros, subtract ? -1000 : 1000, out) &&
                !__builtin_add_overflow(nanos, *out, out) && *out >= 0 && *out < types::kNanosPerDay;
    if (fits || !raises) return arrow::Status::OK();
    expression::Literal time_value(from, std::make_shared<arrow::Time64Scalar>(nanos, types::ToArrow(*from)));
    expression::Literal interval_value(
        by, std::make_shared<arrow::DurationScalar>(micros * (subtract ? -1 : 1), types::ToArrow(*by)));
    return UserError("DATETIME_OVERFLOW", {{"operation", "add " + interval_value.Sql(false) + " to the time value " +
                                                             time_value.Sql(false)}});
  };
  return PointCall(plan, {time, std::move(interval)}, type, PairKernel(type, step), /*may_null=*/true);
}

ExpressionPtr SubtractTimes(const Plan& plan, const ExpressionPtr& left, const ExpressionPtr& right) {
  DataTypePtr time = types::Time(types::kMicrosPrecision);
  DataTypePtr type = types::DayTimeInterval(types::DayTimeField::kHour, types::DayTimeField::kSecond);
  auto step = [](int64_t l, int64_t r, int64_t* out) {
    *out = (l - r) / 1000;
    return arrow::Status::OK();
  };
  auto as_time = [&](const ExpressionPtr& operand) {
    return operand->type()->id() == TypeId::kTime ? operand : expression::ImplicitCast(operand, time);
  };
  return PointCall(plan, {as_time(left), as_time(right)}, type, PairKernel(type, step), /*may_null=*/true);
}

// + and - of times of day; null when it is none of theirs.
ExpressionPtr TimeArithmetic(const Plan& plan, const ExpressionPtr& left, const ExpressionPtr& right) {
  TypeId l = left->type()->id();
  TypeId r = right->type()->id();
  auto moves = [](TypeId id) { return id == TypeId::kDayTimeInterval || id == TypeId::kNull; };
  auto reads_as_time = [](TypeId id) { return id == TypeId::kTime || id == TypeId::kString || id == TypeId::kNull; };
  if (plan.op == Arithmetic::kAdd) {
    if (l == TypeId::kTime && moves(r)) return MoveTime(plan, left, right);
    if (r == TypeId::kTime && moves(l)) return MoveTime(plan, right, left);
    return nullptr;
  }
  if (plan.op != Arithmetic::kSubtract) return nullptr;
  if (l == TypeId::kTime && r == TypeId::kDayTimeInterval) return MoveTime(plan, left, right);
  return reads_as_time(l) && reads_as_time(r) ? SubtractTimes(plan, left, right) : nullptr;
}

}  // namespace

arrow::Result<ExpressionPtr> BindDatetimeArithmetic(const BindInput& input, Arithmetic op, OnOverflow on_overflow,
                                                    std::string_view shown_name) {
  ExpressionPtr left = input.arguments[0];
  ExpressionPtr right = input.arguments[1];
  // Beside an ANSI interval NULL is one of its kind.
  if (op == Arithmetic::kAdd || op == Arithmetic::kSubtract) {
    if (left->type()->id() == TypeId::kNull && right->type()->is_ansi_interval()) {
      left = expression::ImplicitCast(left, right->type());
    } else if (right->type()->id() == TypeId::kNull && left->type()->is_ansi_interval()) {
      right = expression::ImplicitCast(right, left->type());
    }
  }
  const DataTypePtr& l = left->type();
  const DataTypePtr& r = right->type();
  // Intervals never wrap.
  bool checks = on_overflow == OnOverflow::kWrap && (l->is_ansi_interval() || r->is_ansi_interval());
  Plan plan{input, op, checks ? OnOverflow::kRaise : on_overflow, shown_name};
  if (l->id() == TypeId::kTime || r->id() == TypeId::kTime) {
    ExpressionPtr made = TimeArithmetic(plan, left, right);
    bool of_instants = IsTimestamp(l) || IsTimestamp(r) || l->id() == TypeId::kDate || r->id() == TypeId::kDate;
    if (made != nullptr || !of_instants) return made;
  }
  auto number = [](const DataTypePtr& type) {
    return type->is_numeric() || type->id() == TypeId::kString || type->id() == TypeId::kNull;
  };
  switch (op) {
    case Arithmetic::kAdd:
      if (IsInterval(l) && l->id() == r->id()) return AddIntervals(plan, left, right);
      // Of two kinds of intervals, the day-time one counts as the interval.
      if (IsInterval(r) && !(IsInterval(l) && l->id() == TypeId::kDayTimeInterval))
        return AddToPoint(plan, left, right);
      if (IsInterval(l)) return AddToPoint(plan, right, left);
      for (const auto& [point, nothing] : {std::pair{left, right}, std::pair{right, left}}) {
        bool is_point = point->type()->id() == TypeId::kDate || IsTimestamp(point->type());
        if (!is_point || nothing->type()->id() != TypeId::kNull) continue;
        return AddToPoint(plan, point, expression::ImplicitCast(nothing, types::DayTimeInterval()));
      }
      for (auto [date, days] : {std::pair{left, right}, std::pair{right, left}}) {
        if (date->type()->id() != TypeId::kDate || IsTimestamp(days->type())) continue;
        if (days->type()->id() == TypeId::kString) days = expression::ImplicitCast(days, types::Date());
        return MoveDate(plan, date, days);
      }
      return nullptr;
    case Arithmetic::kSubtract:
      if (IsInterval(l) && l->id() == r->id()) return AddIntervals(plan, left, right);
      if (IsInterval(r)) return AddToPoint(plan, left, right);
      if (IsTimestamp(l) || IsTimestamp(r)) return SubtractTimestamps(plan, left, right);
      if (r->id() == TypeId::kDate ||
          (l->id() == TypeId::kDate && (r->id() == TypeId::kString || r->id() == TypeId::kNull))) {
        return SubtractDates(plan, left, right);
      }
      if (l->id() == TypeId::kDate) return MoveDate(plan, left, right);
      return nullptr;
    case Arithmetic::kMultiply:
      if (IsInterval(l) && number(r)) return ScaleInterval(plan, left, right);
      if (IsInterval(r) && number(l)) return ScaleInterval(plan, right, left);
      return nullptr;
    case Arithmetic::kDivide:
      if (IsInterval(l) && number(r)) return ScaleInterval(plan, left, right);
      return nullptr;
    case Arithmetic::kIntegralDivide:
      if (l->is_ansi_interval() && l->id() == r->id()) return DivideIntervals(plan, left, right);
      return nullptr;
    default:
      return nullptr;
  }
}

}  // namespace millrace::function
