#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <optional>
#include <vector>

#include "logical/plan.h"
#include "types/data_type.h"

/// The order of rows where no sort of the query decides: as Spark's exchanges, hash maps and sorts leave few rows,
/// which its adaptive execution brings into one partition. What programs show of groups comes in this order, so that it
/// can be laid beside what Spark shows.

namespace millrace::physical {

/// More rows than these nobody looks through: where they have to be held for it, they come as they are.
inline constexpr int64_t kMostOrderedRows = 100000;

/// The order of rows that came together by their keys: as they came from each task, by their partition,
/// pmod(Murmur3(keys, 42), n); or, where Spark sorts, by their keys.
struct ShuffleOrder {
  /// Positions among the key columns of those that decide the partition; none: all rows are in one.
  std::vector<int> keys;
  /// Of the key columns.
  std::vector<types::DataTypePtr> types;
  /// In the ascending order of all key columns, NULL first.
  bool sorted = false;

  /// Row numbers in order. `columns` are the key columns; `task_ends` the row after the last of each task.
  arrow::Result<std::vector<int32_t>> Rows(const arrow::ArrayVector& columns, const std::vector<int64_t>& task_ends,
                                           int num_partitions) const;
};

/// The order of rows where Spark brings those with equal `keys` together: it moves none that are together already.
ShuffleOrder ShuffleOrderOf(const logical::Plan& child, const logical::ExpressionVector& keys);

/// The columns by whose hash Spark's exchanges leave the rows of `plan` in partitions; nullopt: they leave them in
/// another way, or the plan does not show all of these.
std::optional<logical::ExpressionVector> HashedBy(const logical::Plan& plan);

/// `rows` by their partitions (of row i: partitions[i]), those of one in the order they are in.
std::vector<int32_t> ByPartition(const std::vector<int32_t>& rows, const std::vector<int32_t>& partitions,
                                 int num_partitions);

/// Whether Spark can change a value of this type in place in its rows, and so aggregate into it by hashing.
/// Source: Spark, UnsafeRow.isMutable.
bool IsMutableInPlace(const types::DataType& type);

}  // namespace millrace::physical
