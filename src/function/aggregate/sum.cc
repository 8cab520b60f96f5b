#include "base/error.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/decimal_sum.h"
#include "function/aggregate/group_values.h"
#include "types/arrow_type.h"

namespace millrace::function {

namespace {

using types::TypeId;

// Digits of the decimals that a long holds.
constexpr int kMaxLongDigits = 18;

enum class Overflow : uint8_t { kRaise, kNull, kWrap };

arrow::Status SumOverflow(bool interval) {
  if (interval) {
    return UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", {{"functionName", "`try_add`"}});
  }
  return UserError("ARITHMETIC_OVERFLOW",
                   {{"message", "overflow"},
                    {"alternative", " Use 'try_add' to tolerate overflow and return NULL instead."},
                    {"config", QuoteConf("spark.sql.ansi.enabled")}});
}

// Sums of whole numbers, in the width of the result: int64, or int32 for year-month intervals.
template <typename Sum>
class IntegralSumState final : public AggregateState {
 public:
  IntegralSumState(TypeId input, DataTypePtr type, Overflow overflow, arrow::MemoryPool* pool)
      : input_(input), type_(std::move(type)), overflow_(overflow), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    sums_.Resize(num_groups);
    empty_.Resize(num_groups);
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    switch (input_) {
      case TypeId::kByte:
        return Add<int8_t>(group_ids, *arguments[0]);
      case TypeId::kShort:
        return Add<int16_t>(group_ids, *arguments[0]);
      case TypeId::kInteger:
      case TypeId::kYearMonthInterval:
        return Add<int32_t>(group_ids, *arguments[0]);
      default:
        return Add<int64_t>(group_ids, *arguments[0]);
    }
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    if (overflow_ != Overflow::kNull) return Add<Sum>(group_ids, *buffers[0]);
    // A NULL sum that is not empty has overflowed, and stays so.
    expression::FixedColumn<Sum> sums{arrow::Datum(buffers[0])};
    expression::BooleanColumn empty{arrow::Datum(buffers[1])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (empty[row]) continue;
      size_t group = group_ids[i];
      if (sums.IsNull(row)) {
        sums_.SetValid(group, false);
        empty_.Set(group, false);
      } else {
        ARROW_RETURN_NOT_OK(AddOne(group, sums[row]));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sums, sums_.ToArray(types::ToArrow(*type_), pool_));
    if (overflow_ != Overflow::kNull) return arrow::ArrayVector{std::move(sums)};
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> empty, empty_.ToArray(arrow::boolean(), pool_));
    // Only an overflow is NULL in the buffer: a sum of nothing is 0 and empty.
    GroupValues<Sum> shown = sums_;
    for (size_t group = 0; group < shown.size(); ++group) {
      if (empty_[group]) shown.Set(group, 0);
    }
    ARROW_ASSIGN_OR_RAISE(sums, shown.ToArray(types::ToArrow(*type_), pool_));
    return arrow::ArrayVector{std::move(sums), std::move(empty)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    return sums_.ToArray(types::ToArrow(*type_), pool_);
  }

 private:
  template <typename T>
  arrow::Status Add(std::span<const uint32_t> group_ids, const arrow::Array& array) {
    expression::FixedColumn<T> column{arrow::Datum(array.data())};
    if (!column.may_have_nulls() && overflow_ != Overflow::kNull) {
      bool overflowed = false;
      for (size_t i = 0; i < group_ids.size(); ++i) {
        size_t group = group_ids[i];
        overflowed |=
            __builtin_add_overflow(sums_[group], static_cast<Sum>(column[static_cast<int64_t>(i)]), &sums_[group]);
        sums_.SetValid(group, true);
      }
      return overflowed && overflow_ == Overflow::kRaise ? SumOverflow(type_->is_ansi_interval()) : arrow::Status::OK();
    }
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (!column.IsNull(row)) ARROW_RETURN_NOT_OK(AddOne(group_ids[i], static_cast<Sum>(column[row])));
    }
    return arrow::Status::OK();
  }

  arrow::Status AddOne(size_t group, Sum value) {
    if (overflow_ == Overflow::kNull && !empty_[group] && !sums_.IsValid(group)) return arrow::Status::OK();
    bool overflowed = __builtin_add_overflow(sums_[group], value, &sums_[group]);
    empty_.Set(group, false);
    if (overflowed && overflow_ == Overflow::kRaise) return SumOverflow(type_->is_ansi_interval());
    sums_.SetValid(group, !(overflowed && overflow_ == Overflow::kNull));
    return arrow::Status::OK();
  }

  TypeId input_;
  DataTypePtr type_;
  Overflow overflow_;
  arrow::MemoryPool* pool_;
  GroupValues<Sum> sums_;
  GroupValues<bool> empty_{true, true};
};

class DoubleSumState final : public AggregateState {
 public:
  DoubleSumState(TypeId input, arrow::MemoryPool* pool) : input_(input), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    sums_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    input_ == TypeId::kFloat ? Add<float>(group_ids, *arguments[0]) : Add<double>(group_ids, *arguments[0]);
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    Add<double>(group_ids, *buffers[0]);
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sums, sums_.ToArray(arrow::float64(), pool_));
    return arrow::ArrayVector{std::move(sums)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    return sums_.ToArray(arrow::float64(), pool_);
  }

 private:
  template <typename T>
  void Add(std::span<const uint32_t> group_ids, const arrow::Array& array) {
    expression::FixedColumn<T> column{arrow::Datum(array.data())};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (!column.IsNull(row)) sums_.Set(group_ids[i], sums_[group_ids[i]] + static_cast<double>(column[row]));
    }
  }

  TypeId input_;
  arrow::MemoryPool* pool_;
  GroupValues<double> sums_;
};

// Decimals of so few digits that their sum fits a long are summed as whole numbers, as Spark does (DecimalAggregates):
// buffer (sum), unscaled.
class SmallDecimalSumState final : public AggregateState {
 public:
  SmallDecimalSumState(DataTypePtr type, arrow::MemoryPool* pool) : type_(std::move(type)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    sums_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    return Add<__int128>(group_ids, *arguments[0]);
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Add<int64_t>(group_ids, *buffers[0]);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sums, sums_.ToArray(arrow::int64(), pool_));
    return arrow::ArrayVector{std::move(sums)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    GroupValues<__int128> wide;
    wide.Resize(static_cast<int64_t>(sums_.size()));
    for (size_t group = 0; group < sums_.size(); ++group) {
      wide[group] = sums_[group];
      wide.SetValid(group, sums_.IsValid(group));
    }
    return wide.ToArray(types::ToArrow(*type_), pool_);
  }

 private:
  template <typename T>
  arrow::Status Add(std::span<const uint32_t> group_ids, const arrow::Array& array) {
    expression::FixedColumn<T> column{arrow::Datum(array.data())};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (column.IsNull(row)) continue;
      size_t group = group_ids[i];
      if (__builtin_add_overflow(sums_[group], static_cast<int64_t>(column[row]), &sums_[group])) {
        return SumOverflow(false);
      }
      sums_.SetValid(group, true);
    }
    return arrow::Status::OK();
  }

  DataTypePtr type_;
  arrow::MemoryPool* pool_;
  GroupValues<int64_t> sums_;
};

template <bool kTry>
arrow::Result<ExpressionPtr> BindSum(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr argument, CoerceSummable(input, 0));
  const DataTypePtr& from = argument->type();
  Overflow overflow = kTry                                             ? Overflow::kNull
                      : input.context.ansi || from->is_ansi_interval() ? Overflow::kRaise
                                                                       : Overflow::kWrap;
  AggregateSpec spec;
  TypeId id = from->id();
  bool track_empty = kTry;
  if (id == TypeId::kFloat || id == TypeId::kDouble) {
    spec.type = types::Double();
    track_empty = false;
    spec.new_state = [id](arrow::MemoryPool* pool) { return std::make_unique<DoubleSumState>(id, pool); };
  } else if (id == TypeId::kDecimal) {
    spec.type = types::Decimal(std::min(from->precision() + 10, types::kMaxDecimalPrecision), from->scale());
    if (!kTry && from->precision() + 10 <= kMaxLongDigits) {
      spec.buffer.push_back({"sum", types::Long(), true, {}});
      spec.new_state = [type = spec.type](arrow::MemoryPool* pool) {
        return std::make_unique<SmallDecimalSumState>(type, pool);
      };
      return MakeAggregate(input, std::move(spec), {std::move(argument)});
    }
    track_empty = true;
    spec.new_state = [type = spec.type, raise = overflow == Overflow::kRaise](arrow::MemoryPool* pool) {
      return std::make_unique<DecimalSumState>(type, raise, pool);
    };
  } else if (id == TypeId::kYearMonthInterval) {
    spec.type = from;
    spec.new_state = [id, type = from, overflow](arrow::MemoryPool* pool) {
      return std::make_unique<IntegralSumState<int32_t>>(id, type, overflow, pool);
    };
  } else {
    spec.type = from->is_integral() ? types::Long() : from;
    spec.new_state = [id, type = spec.type, overflow](arrow::MemoryPool* pool) {
      return std::make_unique<IntegralSumState<int64_t>>(id, type, overflow, pool);
    };
  }
  spec.buffer.push_back({"sum", spec.type, true, {}});
  if (track_empty) spec.buffer.push_back({"isEmpty", types::Boolean(), false, {}});
  return MakeAggregate(input, std::move(spec), {std::move(argument)});
}

}  // namespace

extern const FunctionDef kSum{.name = "sum",
                              .kind = FunctionKind::kAggregate,
                              .family = "aggregate",
                              .description = "Sum of the values that are not NULL.",
                              .example = "sum(col)",
                              .example_result = "",
                              .min_arguments = 1,
                              .max_arguments = 1,
                              .bind = BindSum<false>};

extern const FunctionDef kTrySum{.name = "try_sum",
                                 .kind = FunctionKind::kAggregate,
                                 .family = "aggregate",
                                 .description = "As sum, but NULL on overflow.",
                                 .example = "try_sum(col)",
                                 .example_result = "",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindSum<true>};

}  // namespace millrace::function
