#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "millrace/column.h"

namespace millrace {

/// Which rows a function over a window sees for each row: those of its partition, in an order, within a frame.
/// Immutable. Without a frame: all rows up to this one and its peers when there is an order, else the whole partition.
/// Source: Spark's WindowSpec.
class WindowSpec {
 public:
  /// Ends of frames, beside numbers of rows or of the order's unit; negative ones lie before the current row.
  static constexpr int64_t kUnboundedPreceding = INT64_MIN;
  static constexpr int64_t kCurrentRow = 0;
  static constexpr int64_t kUnboundedFollowing = INT64_MAX;

  WindowSpec PartitionBy(std::vector<Column> keys) const;
  /// Columns are in ascending order unless they say otherwise (Column::Desc).
  WindowSpec OrderBy(std::vector<Column> order) const;
  /// Both ends belong to the frame.
  WindowSpec RowsBetween(int64_t start, int64_t end) const;
  /// By the value of the one column of the order. Both ends belong to the frame.
  WindowSpec RangeBetween(int64_t start, int64_t end) const;

 private:
  friend class Column;
  struct Frame {
    bool rows;
    int64_t start, end;
  };
  std::vector<Column> keys_;
  std::vector<Column> order_;
  std::optional<Frame> frame_;
};

}  // namespace millrace
