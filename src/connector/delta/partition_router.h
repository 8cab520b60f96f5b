#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "delta/action/string_map.h"
#include "types/data_type.h"
#include "types/time_zone.h"

namespace millrace::connector::delta_table {

struct PartitionColumn {
  /// Column of the rows.
  int index = 0;
  /// As the log and the directories call it.
  std::string physical_name;
  types::DataTypePtr type;
};

/// The rows of one batch that belong to one partition.
struct PartitionRows {
  /// `year=2024/month=1`: what tells partitions apart; empty for a table without partitions.
  std::string directory;
  millrace::delta::PartitionValues values;
  /// Columns of the data files only.
  std::shared_ptr<arrow::RecordBatch> rows;
};

/// Splits batches by the values of the partition columns, column by column: a batch of one partition passes without a
/// copy. Empty strings are NULL, as Hive has it; timestamps are in UTC in the log and in the session's zone in the
/// directory, as delta-spark writes them. Immutable, thread-safe.
class PartitionRouter {
 public:
  PartitionRouter(std::vector<PartitionColumn> columns, std::vector<int> data_columns, const types::TimeZone* time_zone)
      : columns_(std::move(columns)), data_columns_(std::move(data_columns)), time_zone_(time_zone) {}

  /// One more column of the rows that goes into the data files.
  void AddDataColumn(int index) { data_columns_.push_back(index); }
  /// The directories of partitions, and the files of a table without, go below this one.
  void PutBelow(std::string directory) { parent_ = std::move(directory); }

  arrow::Result<std::vector<PartitionRows>> Split(const std::shared_ptr<arrow::RecordBatch>& rows) const;

 private:
  struct Encoded;
  PartitionRows MakePart(const std::vector<Encoded>& columns, int64_t row,
                         std::shared_ptr<arrow::RecordBatch> data) const;

  std::vector<PartitionColumn> columns_;
  std::vector<int> data_columns_;
  const types::TimeZone* time_zone_;
  std::string parent_;
};

}  // namespace millrace::connector::delta_table
