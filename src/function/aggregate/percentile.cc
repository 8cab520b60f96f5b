#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "expression/cast.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/collected_rows.h"
#include "function/aggregate/typed_buffers.h"
#include "types/arrow_type.h"

/// median, percentile and percentile_approx: the group's values are held, sorted at the end. State of the first two is
/// Spark's; percentile_approx holds values where Spark has a sketch, and its state is not shared.

namespace millrace::function {

namespace {

using types::TypeId;

struct Percentages {
  std::vector<double> values;
  /// The caller wrote an array: the result is one too.
  bool many = false;
};

enum class Method : uint8_t { kInterpolate, kRank };

class PercentileState final : public AggregateState {
 public:
  PercentileState(DataTypePtr input, DataTypePtr type, Percentages percentages, Method method, arrow::MemoryPool* pool)
      : input_(input),
        type_(std::move(type)),
        percentages_(std::move(percentages)),
        method_(method),
        pool_(pool),
        list_type_(types::Array(input, false)),
        rows_(input, pool),
        bytes_(input, pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    rows_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    return rows_.Add(group_ids, arguments[0]);
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    if (method_ == Method::kRank) return rows_.AddLists(group_ids, *buffers[0]);
    return bytes_.Decode(group_ids, *buffers[0], &rows_);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    if (method_ == Method::kInterpolate) {
      ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, bytes_.Encode(grouped));
      return arrow::ArrayVector{std::move(buffers)};
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lists, rows_.ToLists(*list_type_));
    return arrow::ArrayVector{std::move(lists)};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    // Numbers are interpolated as double; intervals stay what they are.
    DataTypePtr sorted = input_;
    if (method_ == Method::kInterpolate && input_->is_numeric()) {
      sorted = types::Double();
      ARROW_ASSIGN_OR_RAISE(arrow::Datum doubles, expression::CastColumn(context, grouped.values, *input_, *sorted,
                                                                         expression::CastMode::kAnsi));
      grouped.values = doubles.make_array();
    }
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool_, types::ToArrow(*type_), &builder));
    std::vector<int64_t> order;
    const arrow::ArrayData& values = *grouped.values->data();
    for (size_t group = 0; group + 1 < grouped.offsets.size(); ++group) {
      order.resize(static_cast<size_t>(grouped.offsets[group + 1] - grouped.offsets[group]));
      for (size_t i = 0; i < order.size(); ++i) order[i] = grouped.offsets[group] + static_cast<int64_t>(i);
      if (order.empty()) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      std::sort(order.begin(), order.end(),
                [&](int64_t a, int64_t b) { return expression::CompareValues(*sorted, values, a, values, b) < 0; });
      arrow::ArrayBuilder* element = builder.get();
      if (percentages_.many) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::ListBuilder&>(*builder).Append());
        element = static_cast<arrow::ListBuilder&>(*builder).value_builder();
      }
      for (double percentage : percentages_.values) {
        ARROW_RETURN_NOT_OK(method_ == Method::kRank ? AppendRank(values, order, percentage, element)
                                                     : AppendInterpolated(values, order, percentage, element));
      }
    }
    return builder->Finish();
  }

 private:
  // The value whose rank is the percentage of the number of values, rounded up: what Spark's sketch gives while it
  // still holds every value.
  arrow::Status AppendRank(const arrow::ArrayData& values, const std::vector<int64_t>& order, double percentage,
                           arrow::ArrayBuilder* out) const {
    auto rank = static_cast<int64_t>(std::ceil(percentage * static_cast<double>(order.size())));
    rank = std::clamp<int64_t>(rank, 1, static_cast<int64_t>(order.size()));
    return out->AppendArraySlice(arrow::ArraySpan(values), order[static_cast<size_t>(rank - 1)], 1);
  }

  // Between the two values around position (n - 1) · percentage.
  arrow::Status AppendInterpolated(const arrow::ArrayData& values, const std::vector<int64_t>& order, double percentage,
                                   arrow::ArrayBuilder* out) const {
    double position = static_cast<double>(order.size() - 1) * percentage;
    double lower = std::floor(position), higher = std::ceil(position);
    double low = ValueAt(values, order[static_cast<size_t>(lower)]);
    double high = ValueAt(values, order[static_cast<size_t>(higher)]);
    double value = lower == higher || low == high ? low : (higher - position) * low + (position - lower) * high;
    switch (input_->id()) {
      case TypeId::kYearMonthInterval:
        return static_cast<arrow::MonthIntervalBuilder*>(out)->Append(static_cast<int32_t>(value));
      case TypeId::kDayTimeInterval:
        return static_cast<arrow::DurationBuilder*>(out)->Append(static_cast<int64_t>(value));
      default:
        return static_cast<arrow::DoubleBuilder*>(out)->Append(value);
    }
  }

  double ValueAt(const arrow::ArrayData& values, int64_t i) const {
    switch (input_->id()) {
      case TypeId::kYearMonthInterval:
        return values.GetValues<int32_t>(1)[i];
      case TypeId::kDayTimeInterval:
        return static_cast<double>(values.GetValues<int64_t>(1)[i]);
      default:
        return values.GetValues<double>(1)[i];
    }
  }

  DataTypePtr input_;
  DataTypePtr type_;
  Percentages percentages_;
  Method method_;
  arrow::MemoryPool* pool_;
  DataTypePtr list_type_;
  CollectedRows rows_;
  CountBuffers bytes_;
};

arrow::Status OutOfRange(const BindInput& input, double value) {
  std::string shown = std::to_string(value);
  shown.erase(shown.find_last_not_of('0') + 1);
  if (shown.ends_with('.')) shown += "0";
  return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                            {"exprName", "percentage"},
                                                            {"valueRange", "[0.0, 1.0]"},
                                                            {"currentValue", shown + "D"}});
}

arrow::Result<Percentages> ReadPercentages(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  if (!argument->foldable()) return NonFoldableInput(input, index, "percentage", types::Double());
  Percentages percentages{.values = {}, .many = argument->type()->id() == TypeId::kArray};
  DataTypePtr wanted =
      percentages.many ? types::Array(types::Double(), argument->type()->contains_null()) : types::Double();
  if (!expression::CanImplicitCast(argument->type(), wanted)) {
    return UnexpectedInputType(input, index, QuoteSqlType(wanted->Sql()));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar,
                        expression::EvaluateFoldable(*expression::ImplicitCast(argument, wanted), input.context));
  if (!scalar->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"exprName", "percentage"}});
  }
  if (percentages.many) {
    const auto& list = static_cast<const arrow::BaseListScalar&>(*scalar);
    const auto& doubles = static_cast<const arrow::DoubleArray&>(*list.value);
    for (int64_t i = 0; i < doubles.length(); ++i) percentages.values.push_back(doubles.Value(i));
  } else {
    percentages.values.push_back(static_cast<const arrow::DoubleScalar&>(*scalar).value);
  }
  for (double value : percentages.values) {
    if (!(value >= 0 && value <= 1)) return OutOfRange(input, value);
  }
  return percentages;
}

ExpressionPtr MakePercentile(const BindInput& input, ExpressionVector arguments, DataTypePtr result,
                             Percentages percentages, Method method) {
  DataTypePtr from = arguments[0]->type();
  DataTypePtr type = percentages.many ? types::Array(result, false) : result;
  return MakeAggregate(
      input,
      {.type = type,
       .buffer = {method == Method::kInterpolate ? types::StructField{"buf", types::Binary(), true, {}}
                                                 : types::StructField{"buf", types::Array(from, false), false, {}}},
       .opaque = true,
       .new_state = [from, type, percentages, method](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
         return std::make_unique<PercentileState>(from, type, percentages, method, pool);
       }},
      std::move(arguments));
}

// The state holds numbers as they are; only texts become double.
arrow::Result<ExpressionPtr> CoerceInterpolated(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  if (type->is_ansi_interval() || type->is_numeric()) return input.arguments[0];
  return CoerceArgument(input, 0, types::Double());
}

// Intervals come out in all fields of their kind.
DataTypePtr InterpolatedType(const DataTypePtr& type) {
  if (type->is_numeric()) return types::Double();
  return type->id() == types::TypeId::kYearMonthInterval ? types::YearMonthInterval() : types::DayTimeInterval();
}

arrow::Result<ExpressionPtr> BindMedian(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceInterpolated(input));
  DataTypePtr result = InterpolatedType(value->type());
  return MakePercentile(input, {std::move(value)}, std::move(result), {.values = {0.5}}, Method::kInterpolate);
}

arrow::Result<ExpressionPtr> BindPercentile(const BindInput& input) {
  BindInput full = input;
  if (full.arguments.size() == 2) {
    full.arguments.push_back(expression::Literal::Long(1));
  } else {
    const ExpressionPtr& frequency = full.arguments[2];
    bool one = false;
    if (frequency->foldable()) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar,
                            expression::EvaluateFoldable(*frequency, input.context));
      one = scalar->is_valid && scalar->ToString() == "1";
    }
    if (!one) {
      return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                       {{"methodName", "percentile with frequencies"}, {"className", "Millrace"}});
    }
  }
  ARROW_ASSIGN_OR_RAISE(Percentages percentages, ReadPercentages(full, 1));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceInterpolated(full));
  DataTypePtr result = InterpolatedType(value->type());
  return MakePercentile(full, {std::move(value), full.arguments[1], full.arguments[2]}, std::move(result),
                        std::move(percentages), Method::kInterpolate);
}

arrow::Result<ExpressionPtr> BindApproximate(const BindInput& input) {
  BindInput full = input;
  if (full.arguments.size() == 2) full.arguments.push_back(expression::Literal::Integer(10000));
  ARROW_ASSIGN_OR_RAISE(Percentages percentages, ReadPercentages(full, 1));
  const DataTypePtr& type = full.arguments[0]->type();
  if (!type->is_numeric() && !type->is_datetime() && !type->is_ansi_interval()) {
    return UnexpectedInputType(full, 0,
                               "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL DAY TO "
                               "SECOND\" or \"INTERVAL YEAR TO MONTH\")");
  }
  return MakePercentile(full, full.arguments, type, std::move(percentages), Method::kRank);
}

}  // namespace

extern const FunctionDef kMedian{.name = "median",
                                 .kind = FunctionKind::kAggregate,
                                 .family = "aggregate",
                                 .description = "The middle value, between the two middle ones where there are two.",
                                 .example = "median(col)",
                                 .example_result = "",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindMedian};

extern const FunctionDef kPercentile{.name = "percentile",
                                     .kind = FunctionKind::kAggregate,
                                     .family = "aggregate",
                                     .description = "Exact percentiles, interpolated between values.",
                                     .example = "percentile(col, 0.3)",
                                     .example_result = "",
                                     .min_arguments = 2,
                                     .max_arguments = 3,
                                     .bind = BindPercentile};

extern const FunctionDef kPercentileApprox{.name = "percentile_approx",
                                           .aliases = "approx_percentile",
                                           .kind = FunctionKind::kAggregate,
                                           .family = "aggregate",
                                           .description = "Percentiles that are values of the column.",
                                           .example = "percentile_approx(col, 0.5, 100)",
                                           .example_result = "",
                                           .min_arguments = 2,
                                           .max_arguments = 3,
                                           .bind = BindApproximate};

}  // namespace millrace::function
