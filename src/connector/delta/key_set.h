#pragma once

#include <arrow/compute/row/grouper.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <vector>

namespace millrace::connector::delta_table {

/// The values that some columns have in rows of a table, as the condition `a = b` compares them: NULL equals nothing,
/// 0.0 is -0.0. Thread: confined.
class KeySet {
 public:
  /// `columns` of the rows to come.
  static arrow::Result<KeySet> Make(std::vector<int> columns, const arrow::Schema& rows);

  arrow::Status Add(const arrow::RecordBatch& rows);
  /// Which rows have a key that was added.
  arrow::Result<std::shared_ptr<arrow::Array>> Contains(const arrow::RecordBatch& rows) const;

 private:
  KeySet() = default;
  arrow::Result<arrow::compute::ExecBatch> KeysOf(const arrow::RecordBatch& rows) const;

  std::vector<int> columns_;
  std::unique_ptr<arrow::compute::Grouper> keys_;
};

}  // namespace millrace::connector::delta_table
