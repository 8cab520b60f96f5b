#include "function/aggregate/decimal_sum.h"

#include "base/error.h"
#include "expression/vector.h"
#include "types/arrow_type.h"

namespace millrace::function {

__int128 PowerOfTen(int exponent) {
  __int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

arrow::Status DecimalSumOverflow() {
  return UserError("ARITHMETIC_OVERFLOW",
                   {{"message", "Overflow in sum of decimals"},
                    {"alternative", " Use 'try_sum' to tolerate overflow and return NULL instead."},
                    {"config", QuoteConf("spark.sql.ansi.enabled")}});
}

DecimalSumState::DecimalSumState(DataTypePtr type, bool raise, arrow::MemoryPool* pool)
    : type_(std::move(type)), limit_(PowerOfTen(type_->precision())), raise_(raise), pool_(pool) {}

arrow::Status DecimalSumState::Resize(int64_t num_groups) {
  sums_.Resize(num_groups);
  empty_.Resize(num_groups);
  return arrow::Status::OK();
}

void DecimalSumState::Add(size_t group, __int128 value) {
  empty_[group] = 0;
  if (!sums_.IsValid(group)) return;
  // Both are below 10^38, so their sum is within 127 bits or wraps: the built-in tells.
  __int128 sum = 0;
  if (__builtin_add_overflow(sums_[group], value, &sum) || sum >= limit_ || sum <= -limit_) {
    sums_.SetValid(group, false);
  } else {
    sums_[group] = sum;
  }
}

arrow::Status DecimalSumState::Update(const EvalContext&, std::span<const uint32_t> group_ids,
                                      const arrow::ArrayVector& arguments) {
  expression::FixedColumn<__int128> column{arrow::Datum(arguments[0])};
  for (size_t i = 0; i < group_ids.size(); ++i) {
    auto row = static_cast<int64_t>(i);
    if (!column.IsNull(row)) Add(group_ids[i], column[row]);
  }
  return arrow::Status::OK();
}

arrow::Status DecimalSumState::Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                                     const arrow::ArrayVector& buffers) {
  expression::FixedColumn<__int128> sums{arrow::Datum(buffers[0])};
  expression::BooleanColumn empty{arrow::Datum(buffers[1])};
  for (size_t i = 0; i < group_ids.size(); ++i) {
    auto row = static_cast<int64_t>(i);
    if (empty[row]) continue;
    if (sums.IsNull(row)) {
      empty_[group_ids[i]] = 0;
      sums_.SetValid(group_ids[i], false);
    } else {
      Add(group_ids[i], sums[row]);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::ArrayVector> DecimalSumState::Buffers() {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sums, sums_.ToArray(types::ToArrow(*type_), pool_));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> empty, empty_.ToArray(arrow::boolean(), pool_));
  return arrow::ArrayVector{std::move(sums), std::move(empty)};
}

arrow::Result<std::shared_ptr<arrow::Array>> DecimalSumState::Finish(const EvalContext&) {
  GroupValues<__int128> results = sums_;
  for (size_t group = 0; group < results.size(); ++group) {
    if (empty_[group]) {
      results.SetValid(group, false);
    } else if (!results.IsValid(group) && raise_) {
      return DecimalSumOverflow();
    }
  }
  return results.ToArray(types::ToArrow(*type_), pool_);
}

}  // namespace millrace::function
