#pragma once

#include <vector>

#include "physical/expression_set.h"
#include "types/data_type.h"

namespace millrace::physical {

/// Spark's hash partitioning: row r belongs to partition pmod(Murmur3(keys of r, seed 42), n). With `direct`, the one
/// key is the number itself: pmod(key, n), NULL as 0. Immutable, thread-safe.
class HashPartitioning {
 public:
  HashPartitioning() = default;
  static arrow::Result<HashPartitioning> Bind(const expression::ExpressionVector& keys,
                                              const expression::AttributeVector& input, bool direct = false);

  /// The partition (0 … num_partitions - 1) of each row of `batch`.
  arrow::Result<std::vector<int32_t>> PartitionIds(const expression::EvalContext& context,
                                                   const std::shared_ptr<arrow::RecordBatch>& batch,
                                                   int num_partitions) const;

 private:
  ExpressionSet keys_;
  std::vector<types::DataTypePtr> types_;
  bool direct_ = false;
};

}  // namespace millrace::physical
