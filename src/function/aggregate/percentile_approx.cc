#include <cmath>
#include <limits>

#include "base/error.h"
#include "expression/cast.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/percentages.h"
#include "function/aggregate/quantile_digest.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

using types::TypeId;

constexpr int32_t kDefaultAccuracy = 10000;

// As Java narrows a double.
template <typename T>
T Narrow(double value) {
  if (std::isnan(value)) return 0;
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  return static_cast<T>(value);
}

class DigestState final : public AggregateState {
 public:
  DigestState(DataTypePtr input, DataTypePtr type, Percentages percentages, double relative_error,
              arrow::MemoryPool* pool)
      : input_(std::move(input)),
        type_(std::move(type)),
        percentages_(std::move(percentages)),
        relative_error_(relative_error),
        pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups), QuantileDigest(relative_error_));
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext& context, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    std::shared_ptr<arrow::Array> values = arguments[0];
    if (input_->is_numeric()) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum doubles, expression::CastColumn(context, values, *input_, *types::Double(),
                                                                         expression::CastMode::kAnsi));
      values = doubles.make_array();
    }
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (values->IsValid(row)) groups_[group_ids[i]].Insert(ValueAt(*values->data(), row));
    }
    return arrow::Status::OK();
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    const auto& bytes = static_cast<const arrow::BinaryArray&>(*buffers[0]);
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (bytes.IsNull(row)) continue;
      std::optional<QuantileDigest> digest = QuantileDigest::Parse(bytes.GetView(row));
      if (!digest) return arrow::Status::Invalid("the state of percentile_approx is no digest");
      groups_[group_ids[i]].Merge(*digest);
    }
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::BinaryBuilder builder(pool_);
    for (QuantileDigest& group : groups_) ARROW_RETURN_NOT_OK(builder.Append(group.Serialize()));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, builder.Finish());
    return arrow::ArrayVector{std::move(buffers)};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override {
    std::vector<double> all;
    std::vector<bool> known;
    for (QuantileDigest& group : groups_) {
      std::vector<double> found = group.Query(percentages_.values);
      known.push_back(!found.empty());
      all.insert(all.end(), found.begin(), found.end());
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, ToInputType(context, all));
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool_, types::ToArrow(*type_), &builder));
    int64_t at = 0;
    auto count = static_cast<int64_t>(percentages_.values.size());
    for (bool has_values : known) {
      if (!has_values) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      arrow::ArrayBuilder* element = builder.get();
      if (percentages_.many) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::ListBuilder&>(*builder).Append());
        element = static_cast<arrow::ListBuilder&>(*builder).value_builder();
      }
      ARROW_RETURN_NOT_OK(element->AppendArraySlice(arrow::ArraySpan(*values->data()), at, count));
      at += count;
    }
    return builder->Finish();
  }

 private:
  double ValueAt(const arrow::ArrayData& values, int64_t i) const {
    switch (input_->id()) {
      case TypeId::kDate:
      case TypeId::kYearMonthInterval:
        return values.GetValues<int32_t>(1)[i];
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz:
      case TypeId::kDayTimeInterval:
        return static_cast<double>(values.GetValues<int64_t>(1)[i]);
      default:
        return values.GetValues<double>(1)[i];
    }
  }

  template <typename Builder, typename T>
  static arrow::Status AppendNarrow(const std::vector<double>& values, arrow::ArrayBuilder* out) {
    // Through int, as Java does for the small ones.
    for (double value : values) {
      ARROW_RETURN_NOT_OK(static_cast<Builder*>(out)->Append(
          static_cast<T>(Narrow<std::conditional_t<sizeof(T) < sizeof(int32_t), int32_t, T>>(value))));
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::Array>> ToInputType(const EvalContext& context,
                                                           const std::vector<double>& values) const {
    arrow::DoubleBuilder doubles(pool_);
    ARROW_RETURN_NOT_OK(doubles.AppendValues(values));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array, doubles.Finish());
    if (input_->id() == TypeId::kDouble) return array;
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool_, types::ToArrow(*input_), &builder));
    switch (builder->type()->id()) {
      case arrow::Type::INT8:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::Int8Builder, int8_t>(values, builder.get())));
        break;
      case arrow::Type::INT16:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::Int16Builder, int16_t>(values, builder.get())));
        break;
      case arrow::Type::INT32:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::Int32Builder, int32_t>(values, builder.get())));
        break;
      case arrow::Type::INT64:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::Int64Builder, int64_t>(values, builder.get())));
        break;
      case arrow::Type::DATE32:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::Date32Builder, int32_t>(values, builder.get())));
        break;
      case arrow::Type::INTERVAL_MONTHS:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::MonthIntervalBuilder, int32_t>(values, builder.get())));
        break;
      case arrow::Type::TIMESTAMP:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::TimestampBuilder, int64_t>(values, builder.get())));
        break;
      case arrow::Type::DURATION:
        ARROW_RETURN_NOT_OK((AppendNarrow<arrow::DurationBuilder, int64_t>(values, builder.get())));
        break;
      default: {  // float, decimals
        ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, expression::CastColumn(context, array, *types::Double(), *input_,
                                                                        expression::CastMode::kTry));
        return cast.make_array();
      }
    }
    return builder->Finish();
  }

  DataTypePtr input_;
  DataTypePtr type_;
  Percentages percentages_;
  double relative_error_;
  arrow::MemoryPool* pool_;
  std::vector<QuantileDigest> groups_;
};

arrow::Result<double> ReadRelativeError(const BindInput& input, const ExpressionPtr& accuracy) {
  if (!accuracy->foldable()) return NonFoldableInput(input, 2, "accuracy", accuracy->type());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*accuracy, input.context));
  if (!scalar->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"exprName", "accuracy"}});
  }
  ARROW_ASSIGN_OR_RAISE(scalar, scalar->CastTo(arrow::int64()));
  int64_t value = static_cast<const arrow::Int64Scalar&>(*scalar).value;
  if (value > 0 && value <= std::numeric_limits<int32_t>::max()) return 1.0 / static_cast<double>(value);
  return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                            {"exprName", "accuracy"},
                                                            {"valueRange", "(0, 2147483647]"},
                                                            {"currentValue", std::to_string(value) + "L"}});
}

bool IsIntegral(const types::DataType& type) {
  return type.id() == TypeId::kByte || type.id() == TypeId::kShort || type.id() == TypeId::kInteger ||
         type.id() == TypeId::kLong;
}

arrow::Result<ExpressionPtr> BindApproximate(const BindInput& input) {
  BindInput full = input;
  if (full.arguments.size() == 2) full.arguments.push_back(expression::Literal::Integer(kDefaultAccuracy));
  ARROW_ASSIGN_OR_RAISE(Percentages percentages, ReadPercentages(full, 1));
  const DataTypePtr& from = full.arguments[0]->type();
  if (!from->is_numeric() && !from->is_datetime() && !from->is_ansi_interval()) {
    return UnexpectedInputType(full, 0,
                               "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL DAY TO "
                               "SECOND\" or \"INTERVAL YEAR TO MONTH\")");
  }
  if (!IsIntegral(*full.arguments[2]->type())) return UnexpectedInputType(full, 2, "\"INTEGRAL\"");
  ARROW_ASSIGN_OR_RAISE(double relative_error, ReadRelativeError(full, full.arguments[2]));
  DataTypePtr type = percentages.many ? types::Array(from, false) : from;
  return MakeAggregate(full,
                       {.type = type,
                        .buffer = {types::StructField{"buf", types::Binary(), true, {}}},
                        .opaque = true,
                        .new_state = [from, type, percentages,
                                      relative_error](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<DigestState>(from, type, percentages, relative_error, pool);
                        }},
                       full.arguments);
}

}  // namespace

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
