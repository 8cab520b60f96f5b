#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "delta/action/string_map.h"
#include "types/data_type.h"
#include "types/time_zone.h"

namespace millrace::delta {

/// A column, or a field of a struct column, that data files have statistics of.
struct StatisticsColumn {
  /// As files call it.
  std::string name;
  types::DataTypePtr type;
  /// Its place in the rows or in its struct; -1 where the rows do not have it: all its values are NULL.
  int index = -1;
  /// Minimum and maximum are kept, not only the number of NULLs.
  bool has_bounds = false;
  /// kStruct: its fields.
  std::vector<StatisticsColumn> children;
};

/// Which statistics the files of a table carry. Immutable, thread-safe.
struct StatisticsPlan {
  std::vector<StatisticsColumn> columns;
  /// Strings are cut to so many characters.
  int string_prefix_length = 32;
  /// tightBounds is said: tables with deletion vectors.
  bool says_tight_bounds = false;
  const types::TimeZone* time_zone = types::TimeZone::Utc();

  /// `table_columns`: the table's columns but those it is partitioned by, called as files call them. `row_columns`: the
  /// columns of the rows to come. Property: delta.dataSkippingStatsColumns, …NumIndexedCols, …StringPrefixLength.
  static arrow::Result<StatisticsPlan> Make(const types::DataType& table_columns, const types::DataType& row_columns,
                                            const StringMap& configuration);
};

/// Gathers the statistics of one data file: number of rows, and of each column the bounds and the number of NULLs.
///
/// Text:   as delta-spark writes it: {"numRecords":…,"minValues":{…},"maxValues":{…},"nullCount":{…}}, strings cut,
///         timestamps cut to milliseconds in the session's zone.
/// Thread: confined.
/// Source: Delta's PROTOCOL.md, "Per-file Statistics"; delta-spark's StatisticsCollection.
class FileStatistics {
 public:
  explicit FileStatistics(const StatisticsPlan* plan);
  ~FileStatistics();
  FileStatistics(FileStatistics&&) noexcept;
  FileStatistics& operator=(FileStatistics&&) noexcept;

  arrow::Status Add(const arrow::RecordBatch& rows);
  int64_t num_rows() const { return num_rows_; }
  std::string ToJson() const;

  struct Node;

 private:
  const StatisticsPlan* plan_;
  int64_t num_rows_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
};

/// The first `length` characters of a least value.
std::string TruncatedMinimum(std::string_view value, int length);
/// A short text not less than `value`; none when there is no short one.
std::optional<std::string> TruncatedMaximum(std::string_view value, int length);
/// "a.b, `c d`" as lists of names. Errors: Invalid.
arrow::Result<std::vector<std::vector<std::string>>> ParseColumnNames(std::string_view list);

}  // namespace millrace::delta
