#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "connector/delta/data_files.h"
#include "delta/action/cdc.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

/// Writes files of changed rows: those of the table with their _change_type, below `_change_data`. Thread: confined.
class ChangeFiles {
 public:
  explicit ChangeFiles(const std::shared_ptr<const DataFilePlan>& copies, int task_index = 0)
      : copies_(copies), plan_(WithChangeType(*copies)), writer_(plan_, task_index) {}

  arrow::Status Write(const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows, const char* change_type);
  /// Rows that the plan's shaper made.
  arrow::Status WriteShaped(const std::shared_ptr<arrow::RecordBatch>& shaped, const char* change_type);
  arrow::Result<std::vector<millrace::delta::Cdc>> Finish();
  /// How many files were staged.
  arrow::Result<int64_t> Stage(millrace::delta::Transaction* transaction);
  void Abort() { writer_.Abort(); }

 private:
  static std::shared_ptr<const DataFilePlan> WithChangeType(const DataFilePlan& copies);

  std::shared_ptr<const DataFilePlan> copies_;
  std::shared_ptr<const DataFilePlan> plan_;
  DataFileWriter writer_;
};

/// Which of these partition values meet the first of `condition`, which reads partition columns only.
arrow::Result<std::vector<bool>> MatchPartitions(const millrace::delta::Snapshot& snapshot,
                                                 const RowExpressions& condition,
                                                 const std::vector<millrace::delta::PartitionValues>& values,
                                                 const types::TimeZone& zone);

}  // namespace millrace::connector::delta_table
