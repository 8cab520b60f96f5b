#include <arrow/util/decimal.h>

#include "base/error.h"
#include "expression/cast.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/decimal_sum.h"
#include "function/aggregate/group_values.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

using types::TypeId;

// Digits that a double holds exactly.
constexpr int kMaxDoubleDigits = 15;

// Buffer (sum, count). Sum: double, __int128 for decimals, int64 / int32 for intervals.
template <typename Sum>
class AverageState final : public AggregateState {
 public:
  AverageState(DataTypePtr input, DataTypePtr sum_type, DataTypePtr type, bool raise, arrow::MemoryPool* pool)
      : input_(std::move(input)), sum_type_(std::move(sum_type)), type_(std::move(type)), raise_(raise), pool_(pool) {
    if (sum_type_->id() == TypeId::kDecimal) limit_ = PowerOfTen(sum_type_->precision());
  }

  arrow::Status Resize(int64_t num_groups) override {
    sums_.Resize(num_groups);
    counts_.Resize(num_groups);
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    return WithStorageType(input_->id(), arrow::Status::OK(), [&]<typename T>(std::type_identity<T>) -> arrow::Status {
      expression::ColumnOf<T> column{arrow::Datum(arguments[0])};
      for (size_t i = 0; i < group_ids.size(); ++i) {
        auto row = static_cast<int64_t>(i);
        if (column.IsNull(row)) continue;
        ARROW_RETURN_NOT_OK(Add(group_ids[i], static_cast<Sum>(column[row])));
        ++counts_[group_ids[i]];
      }
      return arrow::Status::OK();
    });
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    expression::FixedColumn<Sum> sums{arrow::Datum(buffers[0])};
    expression::FixedColumn<int64_t> counts{arrow::Datum(buffers[1])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (sums.IsNull(row)) {
        sums_.SetValid(group_ids[i], false);
      } else {
        ARROW_RETURN_NOT_OK(Add(group_ids[i], sums[row]));
      }
      counts_[group_ids[i]] += counts[row];
    }
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sums, sums_.ToArray(types::ToArrow(*sum_type_), pool_));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> counts, counts_.ToArray(arrow::int64(), pool_));
    return arrow::ArrayVector{std::move(sums), std::move(counts)};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    GroupValues<Sum> results = sums_;
    for (size_t group = 0; group < results.size(); ++group) {
      if (counts_[group] == 0) {
        results.SetValid(group, false);
      } else if (!results.IsValid(group)) {
        if (raise_) return DecimalSumOverflow();
      } else {
        arrow::Result<Sum> mean = Divide(results[group], counts_[group]);
        if (mean.ok()) {
          results[group] = *mean;
        } else if (raise_) {
          return mean.status();
        } else {
          results.SetValid(group, false);
        }
      }
    }
    return results.ToArray(types::ToArrow(*type_), pool_);
  }

 private:
  arrow::Status Add(size_t group, Sum value) {
    if constexpr (std::is_same_v<Sum, double>) {
      sums_[group] += value;
    } else if constexpr (std::is_same_v<Sum, __int128>) {
      if (!sums_.IsValid(group)) return arrow::Status::OK();
      __int128 sum = 0;
      bool fits = !__builtin_add_overflow(sums_[group], value, &sum) && sum < limit_ && sum > -limit_;
      if (fits) {
        sums_[group] = sum;
      } else {
        sums_.SetValid(group, false);
      }
    } else if (__builtin_add_overflow(sums_[group], value, &sums_[group])) {
      return UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION");
    }
    return arrow::Status::OK();
  }

  arrow::Result<Sum> Divide(Sum sum, int64_t count) const {
    if constexpr (std::is_same_v<Sum, double>) {
      return sum / static_cast<double>(count);
    } else if constexpr (std::is_same_v<Sum, __int128>) {
      // Half up, at the result's scale; the numerator may need more than 128 bits.
      int digits = type_->scale() - sum_type_->scale();
      arrow::Decimal256 numerator(arrow::Decimal128(static_cast<int64_t>(sum >> 64), static_cast<uint64_t>(sum)));
      numerator = arrow::Decimal256(numerator.IncreaseScaleBy(digits));
      arrow::Decimal256 divisor(count);
      ARROW_ASSIGN_OR_RAISE(auto parts, numerator.Divide(divisor));
      arrow::Decimal256 quotient(parts.first), rest(parts.second);
      rest = arrow::Decimal256(rest.Abs());
      if (rest + rest >= divisor) quotient += arrow::Decimal256(sum < 0 ? -1 : 1);
      if (!quotient.FitsInPrecision(type_->precision())) return DecimalSumOverflow();
      const auto words = quotient.little_endian_array();
      return static_cast<__int128>((static_cast<unsigned __int128>(words[1]) << 64) | words[0]);
    } else {
      // Half up, away from zero.
      Sum quotient = static_cast<Sum>(sum / count);
      int64_t rest = sum % count;
      if ((rest < 0 ? -rest : rest) * 2 >= count) quotient += sum < 0 ? -1 : 1;
      return quotient;
    }
  }

  DataTypePtr input_;
  DataTypePtr sum_type_;
  DataTypePtr type_;
  bool raise_;
  __int128 limit_ = 0;
  arrow::MemoryPool* pool_;
  GroupValues<Sum> sums_{Sum{}, true};
  GroupValues<int64_t> counts_{0, true};
};

// Decimals of so few digits that doubles hold them are averaged as doubles, as Spark does (DecimalAggregates): buffer
// (sum of the unscaled values, count).
class SmallDecimalAverageState final : public AggregateState {
 public:
  SmallDecimalAverageState(DataTypePtr input, DataTypePtr type, arrow::MemoryPool* pool)
      : input_(std::move(input)), type_(std::move(type)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    sums_.Resize(num_groups);
    counts_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<__int128> column{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (column.IsNull(row)) continue;
      sums_[group_ids[i]] += static_cast<double>(static_cast<int64_t>(column[row]));
      ++counts_[group_ids[i]];
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    expression::FixedColumn<double> sums{arrow::Datum(buffers[0])};
    expression::FixedColumn<int64_t> counts{arrow::Datum(buffers[1])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      sums_[group_ids[i]] += sums[row];
      counts_[group_ids[i]] += counts[row];
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sums, sums_.ToArray(arrow::float64(), pool_));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> counts, counts_.ToArray(arrow::int64(), pool_));
    return arrow::ArrayVector{std::move(sums), std::move(counts)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override {
    GroupValues<double> means = sums_;
    auto unit = static_cast<double>(PowerOfTen(input_->scale()));
    for (size_t group = 0; group < means.size(); ++group) {
      if (counts_[group] == 0) {
        means.SetValid(group, false);
      } else {
        means[group] = means[group] / static_cast<double>(counts_[group]) / unit;
      }
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> doubles, means.ToArray(arrow::float64(), pool_));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum decimals,
                          expression::CastColumn(context, arrow::Datum(doubles), *types::Double(), *type_,
                                                 expression::CastMode::kLegacy));
    return decimals.make_array();
  }

 private:
  DataTypePtr input_;
  DataTypePtr type_;
  arrow::MemoryPool* pool_;
  GroupValues<double> sums_{0, true};
  GroupValues<int64_t> counts_{0, true};
};

template <bool kTry>
arrow::Result<ExpressionPtr> BindAverage(const BindInput& input) {
  ExpressionPtr argument = input.arguments[0];
  if (argument->type()->id() == types::TypeId::kTimestamp) {
    // The mean of seconds since 1970. Source: Spark, FunctionArgumentConversion.
    argument = std::make_shared<expression::Cast>(argument, types::Double(), expression::CastMode::kAnsi, false);
  } else {
    ARROW_ASSIGN_OR_RAISE(argument, CoerceSummable(input, 0));
  }
  const DataTypePtr& from = argument->type();
  DataTypePtr sum_type = types::Double(), type = types::Double();
  if (from->id() == TypeId::kDecimal) {
    auto bounded = [](int precision, int scale) {
      return types::Decimal(std::min(precision, types::kMaxDecimalPrecision),
                            std::min(scale, types::kMaxDecimalPrecision));
    };
    sum_type = bounded(from->precision() + 10, from->scale());
    type = bounded(from->precision() + 4, from->scale() + 4);
    if (from->precision() + 4 <= kMaxDoubleDigits) {
      AggregateSpec small{.type = type,
                          .buffer = {{"sum", types::Double(), true, {}}, {"count", types::Long(), true, {}}}};
      small.new_state = [from, type](arrow::MemoryPool* pool) {
        return std::make_unique<SmallDecimalAverageState>(from, type, pool);
      };
      return MakeAggregate(input, std::move(small), {std::move(argument)});
    }
  } else if (from->id() == TypeId::kYearMonthInterval) {
    sum_type = type = types::YearMonthInterval();
  } else if (from->id() == TypeId::kDayTimeInterval) {
    sum_type = type = types::DayTimeInterval();
  }
  bool raise = input.context.ansi && !kTry;
  AggregateSpec spec{.type = type, .buffer = {{"sum", sum_type, true, {}}, {"count", types::Long(), true, {}}}};
  spec.new_state = [from, sum_type, type, raise](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
    switch (sum_type->id()) {
      case TypeId::kDecimal:
        return std::make_unique<AverageState<__int128>>(from, sum_type, type, raise, pool);
      case TypeId::kYearMonthInterval:
        return std::make_unique<AverageState<int32_t>>(from, sum_type, type, raise, pool);
      case TypeId::kDayTimeInterval:
        return std::make_unique<AverageState<int64_t>>(from, sum_type, type, raise, pool);
      default:
        return std::make_unique<AverageState<double>>(from, sum_type, type, raise, pool);
    }
  };
  return MakeAggregate(input, std::move(spec), {std::move(argument)});
}

}  // namespace

extern const FunctionDef kAvg{.name = "avg",
                              .aliases = "mean",
                              .kind = FunctionKind::kAggregate,
                              .family = "aggregate",
                              .description = "Mean of the values that are not NULL.",
                              .example = "avg(col)",
                              .example_result = "",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindAverage<false>};

extern const FunctionDef kTryAvg{.name = "try_avg",
                                 .kind = FunctionKind::kAggregate,
                                 .family = "aggregate",
                                 .description = "As avg, but NULL on overflow.",
                                 .example = "try_avg(col)",
                                 .example_result = "",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindAverage<true>};

}  // namespace millrace::function
