#pragma once

#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/group_values.h"

namespace millrace::function {

/// Sums of decimals: buffer (sum, isEmpty). A sum that is NULL though not empty has overflowed.
class DecimalSumState final : public AggregateState {
 public:
  /// `type`: of sum and result. `raise`: an overflow is an error when finished, else NULL.
  DecimalSumState(DataTypePtr type, bool raise, arrow::MemoryPool* pool);

  arrow::Status Resize(int64_t num_groups) override;
  arrow::Status Update(const EvalContext& context, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override;
  arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override;
  arrow::Result<arrow::ArrayVector> Buffers() override;
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) override;

 private:
  void Add(size_t group, __int128 value);

  DataTypePtr type_;
  __int128 limit_;
  bool raise_;
  arrow::MemoryPool* pool_;
  GroupValues<__int128> sums_{0, true};
  GroupValues<bool> empty_{true, true};
};

/// The sum of decimals has more digits than its type: as sum and avg report it.
arrow::Status DecimalSumOverflow();

/// 10^exponent. REQUIRES: 0 <= exponent <= 38.
__int128 PowerOfTen(int exponent);

}  // namespace millrace::function
