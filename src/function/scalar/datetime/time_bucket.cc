#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "types/arrow_type.h"
#include "types/datetime_arithmetic.h"
#include "types/datetime_text.h"

/// time_bucket: the start of the bucket a timestamp falls into, of buckets that an origin aligns.

namespace millrace::function {

namespace {

using types::TimeZone;
using types::TypeId;

arrow::Status Overflow() { return arrow::Status::Invalid("long overflow"); }

// Buckets of whole days move with the wall clock, so that the k-th may begin some hours beside origin + k × size.
arrow::Status DayTimeBucket(int64_t size, int64_t us, int64_t origin, const TimeZone& zone, int64_t* out) {
  int64_t distance = 0;
  if (__builtin_sub_overflow(us, origin, &distance)) return Overflow();
  int64_t k = types::FloorDiv(distance, size);
  auto start = [&](int64_t index, int64_t* result) {
    int64_t moved = 0;
    if (__builtin_mul_overflow(index, size, &moved)) return false;
    if (size < types::kMicrosPerDay) return !__builtin_add_overflow(origin, moved, result);
    return types::AddDayTime(origin, moved, zone, result);
  };
  if (!start(k, out)) return Overflow();
  if (size < types::kMicrosPerDay) return arrow::Status::OK();
  if (*out > us) return start(k - 1, out) ? arrow::Status::OK() : Overflow();
  int64_t next = 0;
  if (!start(k + 1, &next)) return Overflow();
  if (next <= us) *out = next;
  return arrow::Status::OK();
}

arrow::Status MonthBucket(int32_t size, int64_t us, int64_t origin, const TimeZone& zone, int64_t* out) {
  auto month_of = [&zone](int64_t instant) {
    types::CivilDate date = types::CivilFromDays(types::FloorDiv(zone.ToLocalMicros(instant), types::kMicrosPerDay));
    return date.year * 12 + date.month;
  };
  int64_t k = types::FloorDiv(month_of(us) - month_of(origin), size);
  if (!types::AddMonths(origin, k * size, zone, out)) return Overflow();
  // The same month may still begin its bucket later.
  if (*out > us && !types::AddMonths(origin, (k - 1) * size, zone, out)) return Overflow();
  return arrow::Status::OK();
}

bool IsTimestamp(TypeId id) { return id == TypeId::kTimestamp || id == TypeId::kTimestampNtz; }

template <typename Interval, typename Bucket>
ScalarKernel BucketKernel(const DataTypePtr& type, Bucket bucket) {
  bool ntz = type->id() == TypeId::kTimestampNtz;
  return FixedKernel<int64_t, Interval, int64_t, int64_t>(
      types::ToArrow(*type),
      [ntz, bucket](const EvalContext& context, Interval size, int64_t us, int64_t origin, int64_t* out) {
        return bucket(size, us, origin, ntz ? *TimeZone::Utc() : *context.time_zone, out);
      });
}

arrow::Result<ExpressionPtr> BindTimeBucket(const BindInput& input) {
  BindInput full = input;
  ExpressionVector& arguments = full.arguments;
  auto is_null = [&](size_t i) { return arguments[i]->type()->id() == TypeId::kNull; };
  bool ntz = arguments[1]->type()->id() == TypeId::kTimestampNtz ||
             (is_null(1) && arguments.size() > 2 && arguments[2]->type()->id() == TypeId::kTimestampNtz);
  DataTypePtr type = ntz ? types::TimestampNtz() : types::Timestamp();
  if (arguments.size() == 2) {
    int64_t origin = ntz ? 0 : input.context.time_zone->ToUtcMicros(0);
    arguments.push_back(std::make_shared<expression::Literal>(
        type, std::make_shared<arrow::TimestampScalar>(origin, types::ToArrow(*type))));
  }
  if (!is_null(0) && !arguments[0]->type()->is_ansi_interval()) {
    return UnexpectedInputType(full, 0, "(\"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")");
  }
  for (size_t i = 1; i < 3; ++i) {
    if (is_null(i) || IsTimestamp(arguments[i]->type()->id())) continue;
    return UnexpectedInputType(full, i, QuoteSqlType("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)"));
  }
  if (is_null(0)) arguments[0] = expression::Literal::Null(types::DayTimeInterval());
  if (!arguments[0]->foldable()) return NonFoldableInput(full, 0, "bucketSize", arguments[0]->type());
  bool months = arguments[0]->type()->id() == TypeId::kYearMonthInterval;
  ARROW_ASSIGN_OR_RAISE(auto size, expression::EvaluateFoldable(*arguments[0], input.context));
  if (size->is_valid) {
    int64_t value = months ? static_cast<const arrow::MonthIntervalScalar&>(*size).value
                           : static_cast<const arrow::DurationScalar&>(*size).value;
    if (value <= 0) {
      return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                       {{"sqlExpr", QuoteSqlExpression(CallSql(full))},
                        {"exprName", QuoteIdentifier("bucketSize")},
                        {"valueRange", "(0, inf)"},
                        {"currentValue", expression::SqlValue(input.context, arguments[0]->type(), size)}});
    }
  }
  if (!arguments[2]->foldable()) return NonFoldableInput(full, 2, "origin", arguments[2]->type());
  if (!is_null(1) && !is_null(2) && !arguments[1]->type()->Equals(*arguments[2]->type())) {
    return UnexpectedInputType(full, 2, QuoteSqlType(arguments[1]->type()->Sql()));
  }
  bool nullable = false;
  for (size_t i = 0; i < 3; ++i) {
    if (is_null(i)) arguments[i] = expression::Literal::Null(type);
    nullable = nullable || arguments[i]->nullable();
  }
  ScalarKernel kernel = months ? BucketKernel<int32_t>(type, MonthBucket) : BucketKernel<int64_t>(type, DayTimeBucket);
  return MakeCall(input, std::move(arguments), type, nullable, std::move(kernel), {.can_fail = true});
}

}  // namespace

extern const FunctionDef kTimeBucket{
    .name = "time_bucket",
    .family = "datetime",
    .description = "Start of the bucket of a size, aligned to an origin, that a timestamp falls into.",
    .example = "time_bucket(INTERVAL '15' MINUTE, TIMESTAMP_NTZ'2024-01-01 11:27:00')",
    .example_result = "2024-01-01 11:15:00",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = BindTimeBucket};

}  // namespace millrace::function
