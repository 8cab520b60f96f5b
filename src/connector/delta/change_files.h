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

/// Writes files of changed rows: those of the table with their _change_type, below `_change_data`. The rows of one
/// task; small ones wait for those of the other tasks of the write. Thread: confined.
class ChangeFiles {
 public:
  /// How `copies`, the rows of the table, become files of changes.
  static std::shared_ptr<const DataFilePlan> PlanOf(const DataFilePlan& copies);

  ChangeFiles(std::shared_ptr<const DataFilePlan> copies, const std::shared_ptr<const DataFilePlan>& plan,
              std::shared_ptr<PendingBudget> budget, int task_index = 0)
      : copies_(std::move(copies)), writer_(plan, std::move(budget), task_index) {}

  arrow::Status Write(const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows, const char* change_type);
  /// Rows that the plan's shaper made.
  arrow::Status WriteShaped(const std::shared_ptr<arrow::RecordBatch>& shaped, const char* change_type);
  arrow::Result<WriterCommitMessage> Commit() { return writer_.Commit(); }
  void Abort() { writer_.Abort(); }

  /// Stages the files of all tasks of a write. How many there are.
  static arrow::Result<int64_t> Stage(const std::shared_ptr<const DataFilePlan>& plan,
                                      std::vector<WriterCommitMessage> tasks,
                                      millrace::delta::Transaction* transaction);

 private:
  std::shared_ptr<const DataFilePlan> copies_;
  DeltaTaskWriter writer_;
};

/// Which of these partition values meet the first of `condition`, which reads partition columns only.
arrow::Result<std::vector<bool>> MatchPartitions(const millrace::delta::Snapshot& snapshot,
                                                 const RowExpressions& condition,
                                                 const std::vector<millrace::delta::PartitionValues>& values,
                                                 const types::TimeZone& zone);

}  // namespace millrace::connector::delta_table
