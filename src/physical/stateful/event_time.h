#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "expression/node.h"
#include "state/row_time.h"

namespace millrace::physical {

/// The column whose metadata carries a watermark delay, among some columns: what late rows and old state are told by.
/// Immutable. Source: Spark, WatermarkSupport.
class EventTimeColumn {
 public:
  EventTimeColumn() = default;

  /// The first column with a delay, not found when there is none.
  /// Errors: UserError _LEGACY_ERROR_TEMP_3077 for several, unless `allow_several`.
  static arrow::Result<EventTimeColumn> Find(const expression::AttributeVector& columns, bool allow_several);

  bool found() const { return index_ >= 0; }
  int index() const { return index_; }
  int64_t delay_ms() const { return delay_ms_; }

  /// Appends the rows (numbered from 0) whose time is above `watermark_ms` or NULL; of a window the end counts.
  /// REQUIRES: found(), and `column` is the column's array.
  static arrow::Status KeepNewer(const arrow::Array& column, int64_t watermark_ms, std::vector<int32_t>* rows);
  /// The time, in µs, of the first row that KeepNewer leaves out; nullopt when there is none.
  static arrow::Result<std::optional<int64_t>> FirstLate(const arrow::Array& column, int64_t watermark_ms);
  /// The least time of a column, in µs; INT64_MAX when all are NULL.
  static arrow::Result<int64_t> Earliest(const arrow::Array& column);
  /// Where it stands in UnsafeRows of the columns. REQUIRES: found().
  state::RowTime row_time() const { return {num_columns_, index_, is_window_}; }
  /// The time in an UnsafeRow of the columns, in µs; nullopt for NULL or bytes that are no such row.
  std::optional<int64_t> TimeOf(std::string_view row) const { return row_time().Of(row); }

 private:
  int index_ = -1;
  int num_columns_ = 0;
  bool is_window_ = false;
  int64_t delay_ms_ = 0;
};

/// spark.watermarkDelayMs of a column; nullopt without it.
std::optional<int64_t> WatermarkDelayMs(const expression::AttributeReference& column);

}  // namespace millrace::physical
