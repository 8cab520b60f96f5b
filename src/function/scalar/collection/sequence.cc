#include <fmt/format.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/scalar/collection/array_length.h"
#include "function/scalar/collection/list_column.h"
#include "types/arrow_type.h"
#include "types/datetime_arithmetic.h"
#include "types/datetime_text.h"

namespace millrace::function {

namespace {

using types::TypeId;

// One step of a sequence of dates or timestamps.
struct CalendarStep {
  int64_t months = 0;
  int64_t micros = 0;
};

arrow::Status IllegalBoundaries(int64_t start, int64_t stop, int64_t step) {
  return arrow::Status::Invalid(
      fmt::format("requirement failed: Illegal sequence boundaries: {} to {} by {}", start, stop, step));
}

template <typename T>
arrow::Result<std::shared_ptr<arrow::Array>> Numbers(const EvalContext& context, const arrow::ArrayVector& columns,
                                                     int64_t n, const types::DataType& type) {
  using Builder = typename arrow::CTypeTraits<T>::BuilderType;
  expression::FixedColumn<T> starts{arrow::Datum(columns[0])}, stops{arrow::Datum(columns[1])};
  std::unique_ptr<expression::FixedColumn<T>> steps;
  if (columns.size() > 2) steps = std::make_unique<expression::FixedColumn<T>>(arrow::Datum(columns[2]));
  Builder builder(context.memory_pool);
  ListMaker maker(n, context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    if (starts.IsNull(row) || stops.IsNull(row) || (steps != nullptr && steps->IsNull(row))) {
      maker.SetAdded(builder.length());
      maker.NullRow();
      continue;
    }
    __int128 start = starts[row], stop = stops[row], step = start <= stop ? 1 : -1;
    if (steps != nullptr) step = (*steps)[row];
    if (start != stop && (step == 0 || (step > 0) != (stop > start))) {
      return IllegalBoundaries(static_cast<int64_t>(start), static_cast<int64_t>(stop), static_cast<int64_t>(step));
    }
    auto count = static_cast<int64_t>(start == stop ? 1 : (stop - start) / step + 1);
    ARROW_RETURN_NOT_OK(CheckArrayLength("sequence", count));
    ARROW_RETURN_NOT_OK(builder.Reserve(count));
    for (int64_t i = 0; i < count; ++i) builder.UnsafeAppend(static_cast<T>(start + step * i));
    maker.SetAdded(builder.length());
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> elements, builder.Finish());
  return maker.FinishWith(type, elements);
}

// The step of row `row` as months and µs; one day towards `stop` where none was given.
CalendarStep StepAt(const arrow::ArrayVector& columns, int64_t row, bool forward) {
  if (columns.size() < 3) return {0, forward ? types::kMicrosPerDay : -types::kMicrosPerDay};
  const arrow::ArrayData& step = *columns[2]->data();
  switch (step.type->id()) {
    case arrow::Type::INTERVAL_MONTHS:
      return {step.GetValues<int32_t>(1)[row], 0};
    case arrow::Type::DURATION:
      return {0, step.GetValues<int64_t>(1)[row]};
    default: {
      const auto& value = step.GetValues<arrow::MonthDayNanoIntervalType::MonthDayNanos>(1)[row];
      return {value.months, value.days * types::kMicrosPerDay + value.nanoseconds / 1000};
    }
  }
}

// Element i is the start plus i steps, so that month ends do not drift.
arrow::Result<std::shared_ptr<arrow::Array>> Moments(const EvalContext& context, const arrow::ArrayVector& columns,
                                                     int64_t n, const types::DataType& type) {
  bool dates = type.element()->id() == TypeId::kDate;
  bool zoned = type.element()->id() == TypeId::kTimestamp;
  const types::TimeZone& zone = zoned ? *context.time_zone : *types::TimeZone::Utc();
  auto read = [&](size_t column, int64_t row) {
    const arrow::ArrayData& data = *columns[column]->data();
    return dates ? data.GetValues<int32_t>(1)[row] * types::kMicrosPerDay : data.GetValues<int64_t>(1)[row];
  };
  arrow::Int64Builder moments(context.memory_pool);
  ListMaker maker(n, context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    bool null = false;
    for (const auto& column : columns) null = null || column->IsNull(row);
    if (null) {
      maker.SetAdded(moments.length());
      maker.NullRow();
      continue;
    }
    int64_t start = read(0, row), stop = read(1, row);
    CalendarStep step = StepAt(columns, row, start <= stop);
    bool forward = step.months > 0 || (step.months == 0 && step.micros > 0);
    bool still = step.months == 0 && step.micros == 0;
    if (start != stop && (still || forward != (stop > start))) {
      return IllegalBoundaries(start, stop, step.months != 0 ? step.months : step.micros);
    }
    for (int64_t i = 0; i < kArrayLengthMax; ++i) {
      int64_t moment = start;
      if (step.months != 0 && !types::AddMonths(moment, step.months * i, zone, &moment)) break;
      if (step.micros != 0 && !types::AddDayTime(moment, step.micros * i, zone, &moment)) break;
      if (forward ? moment > stop : moment < stop) break;
      ARROW_RETURN_NOT_OK(moments.Append(moment));
      if (start == stop) break;
    }
    maker.SetAdded(moments.length());
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> micros, moments.Finish());
  if (!dates) {
    std::shared_ptr<arrow::ArrayData> data = micros->data()->Copy();
    data->type = types::ToArrow(*type.element());
    return maker.FinishWith(type, arrow::MakeArray(std::move(data)));
  }
  arrow::Date32Builder days(context.memory_pool);
  const auto& values = static_cast<const arrow::Int64Array&>(*micros);
  for (int64_t i = 0; i < values.length(); ++i) {
    ARROW_RETURN_NOT_OK(days.Append(static_cast<int32_t>(types::FloorDiv(values.Value(i), types::kMicrosPerDay))));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> elements, days.Finish());
  return maker.FinishWith(type, elements);
}

arrow::Status WrongTypes(const BindInput& input) {
  return UserError("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                    {"functionName", QuoteIdentifier("sequence")},
                    {"startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\")"},
                    {"stepType", "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")"},
                    {"otherStartType", "\"INTEGRAL\""}});
}

arrow::Result<ExpressionPtr> BindSequence(const BindInput& input) {
  std::vector<DataTypePtr> ends{input.arguments[0]->type(), input.arguments[1]->type()};
  bool has_step = input.arguments.size() > 2;
  bool interval_step = has_step && (input.arguments[2]->type()->is_ansi_interval() ||
                                    input.arguments[2]->type()->id() == TypeId::kCalendarInterval);
  if (has_step && !interval_step) ends.push_back(input.arguments[2]->type());
  std::optional<DataTypePtr> common = expression::WiderType(ends);
  if (!common) return WrongTypes(input);
  DataTypePtr element = *common;
  if (!(element->is_datetime() && (!has_step || interval_step)) && !(element->is_integral() && !interval_step)) {
    return WrongTypes(input);
  }
  ExpressionVector arguments;
  bool nullable = false;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    arguments.push_back(i == 2 && interval_step ? input.arguments[i]
                                                : expression::ImplicitCast(input.arguments[i], element));
    nullable = nullable || arguments.back()->nullable();
  }
  DataTypePtr type = types::Array(element, false);
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    switch (type->element()->id()) {
      case TypeId::kByte:
        return Numbers<int8_t>(context, columns, n, *type);
      case TypeId::kShort:
        return Numbers<int16_t>(context, columns, n, *type);
      case TypeId::kInteger:
        return Numbers<int32_t>(context, columns, n, *type);
      case TypeId::kLong:
        return Numbers<int64_t>(context, columns, n, *type);
      default:
        return Moments(context, columns, n, *type);
    }
  });
  return MakeCall(input, std::move(arguments), type, nullable, kernel, {.can_fail = true});
}

}  // namespace

extern const FunctionDef kSequence{.name = "sequence",
                                   .family = "collection",
                                   .description = "The values from a start to a stop, both included, by a step.",
                                   .example = "sequence(1, 5)",
                                   .example_result = "[1, 2, 3, 4, 5]",
                                   .min_arguments = 2,
                                   .max_arguments = 3,
                                   .bind = BindSequence};

}  // namespace millrace::function
