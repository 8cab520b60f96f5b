#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "expression/cast.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/collected_rows.h"
#include "function/aggregate/percentages.h"
#include "function/aggregate/typed_buffers.h"
#include "function/aggregate/within_group.h"
#include "types/arrow_type.h"

/// median and percentile: the group's values are held, sorted at the end.

namespace millrace::function {

namespace {

using types::TypeId;

// What is taken of the values in order.
struct PercentileKind {
  bool descending = false;
  /// A value itself, not what lies between two.
  bool discrete = false;
};

class PercentileState final : public AggregateState {
 public:
  PercentileState(DataTypePtr input, DataTypePtr type, Percentages percentages, PercentileKind kind,
                  arrow::MemoryPool* pool)
      : input_(input),
        type_(std::move(type)),
        percentages_(std::move(percentages)),
        kind_(kind),
        pool_(pool),
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
    return bytes_.Decode(group_ids, *buffers[0], &rows_);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, bytes_.Encode(grouped));
    return arrow::ArrayVector{std::move(buffers)};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    // Numbers are interpolated as double; intervals stay what they are.
    DataTypePtr sorted = input_;
    if (input_->is_numeric()) {
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
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        int compared = expression::CompareValues(*sorted, values, a, values, b);
        return kind_.descending ? compared > 0 : compared < 0;
      });
      arrow::ArrayBuilder* element = builder.get();
      if (percentages_.many) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::ListBuilder&>(*builder).Append());
        element = static_cast<arrow::ListBuilder&>(*builder).value_builder();
      }
      for (double percentage : percentages_.values) {
        ARROW_RETURN_NOT_OK(AppendInterpolated(values, order, percentage, element));
      }
    }
    return builder->Finish();
  }

 private:
  // Between the two values around position (n - 1) · percentage.
  arrow::Status AppendInterpolated(const arrow::ArrayData& values, const std::vector<int64_t>& order, double percentage,
                                   arrow::ArrayBuilder* out) const {
    double position = static_cast<double>(order.size() - 1) * percentage;
    double lower = std::floor(position), higher = std::ceil(position);
    if (kind_.discrete) {
      lower = std::max(0.0, std::ceil(percentage * static_cast<double>(order.size())) - 1);
      higher = lower;
    }
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
  PercentileKind kind_;
  arrow::MemoryPool* pool_;
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

}  // namespace

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

namespace {

ExpressionPtr MakePercentile(const BindInput& input, ExpressionVector arguments, DataTypePtr result,
                             Percentages percentages, PercentileKind kind = {}, std::string name = {}) {
  DataTypePtr from = arguments[0]->type();
  DataTypePtr type = percentages.many ? types::Array(result, false) : result;
  return MakeAggregate(
      input,
      {.name = std::move(name),
       .type = type,
       .buffer = {types::StructField{"buf", types::Binary(), true, {}}},
       .opaque = true,
       .new_state = [from, type, percentages, kind](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
         return std::make_unique<PercentileState>(from, type, percentages, kind, pool);
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
  return MakePercentile(input, {std::move(value)}, std::move(result), {.values = {0.5}});
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
                        std::move(percentages));
}

}  // namespace

arrow::Result<ExpressionPtr> MakeOrderedPercentile(const OrderedPercentile& percentile, const EvalContext& context) {
  std::string name = percentile.discrete ? "percentile_disc" : "percentile_cont";
  BindInput input{*FindFunction("percentile"), name, {percentile.value, percentile.percentage}, context};
  ARROW_ASSIGN_OR_RAISE(Percentages percentages, ReadPercentages(input, 1));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceInterpolated(input));
  DataTypePtr result = InterpolatedType(value->type());
  PercentileKind kind{.descending = !percentile.ascending, .discrete = percentile.discrete};
  ExpressionVector arguments{std::move(value), percentile.percentage,
                             expression::Literal::Boolean(percentile.ascending)};
  return MakePercentile(input, std::move(arguments), std::move(result), std::move(percentages), kind, std::move(name));
}

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

}  // namespace millrace::function
