#pragma once

#include <arrow/array/data.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <vector>

#include "types/data_type.h"

/// Ordering, equality and hashing of values of every type, as Spark defines them: NaN equals NaN and is larger than
/// every number, -0.0 equals 0.0, strings and binaries go by unsigned bytes; inside arrays and structs NULL comes first
/// and equals NULL. All functions are thread-safe.

namespace millrace::expression {

/// Negative, zero or positive. REQUIRES: neither value is NULL; both columns have the Arrow form of `type`.
int CompareValues(const types::DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b,
                  int64_t j);
/// The same question for equality alone (also for types without an order: maps, calendar intervals).
bool ValuesEqual(const types::DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b,
                 int64_t j);
/// NULL equals NULL here: what GROUP BY, DISTINCT, set operations and <=> ask.
bool SameOrBothNull(const types::DataType& type, const arrow::ArrayData& a, int64_t i, const arrow::ArrayData& b,
                    int64_t j);
/// Equal values have equal hashes. Not Spark's hash (murmur3.h): for hash tables in this process only.
uint64_t HashValue(const types::DataType& type, const arrow::ArrayData& a, int64_t i);

/// Whether ORDER BY accepts the type (Spark's RowOrdering.isOrderable).
bool IsOrderable(const types::DataType& type);

/// ORDER BY over several columns.
class RowComparator {
 public:
  struct Key {
    types::DataTypePtr type;
    bool ascending = true;
    bool nulls_first = true;
  };
  explicit RowComparator(std::vector<Key> keys) : keys_(std::move(keys)) {}

  /// Order of row i of `a` and row j of `b`; a column for each key.
  int Compare(const std::vector<std::shared_ptr<arrow::ArrayData>>& a, int64_t i,
              const std::vector<std::shared_ptr<arrow::ArrayData>>& b, int64_t j) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace millrace::expression
