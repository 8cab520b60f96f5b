#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "connector/delta/data_files.h"
#include "connector/row_expressions.h"
#include "connector/source.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

/// What an overwrite with a condition took away.
struct ReplacedRows {
  int64_t num_removed_files = 0;
  int64_t num_removed_bytes = 0;
  int64_t num_added_files = 0;
  int64_t num_added_bytes = 0;
  int64_t num_copied_rows = 0;
  int64_t num_deleted_rows = 0;
  /// Only the files' partitions had to be looked at.
  bool whole_files = true;
};

/// The option replaceWhere: the rows of the table that meet a condition are removed in the same commit that adds the
/// new ones. Files all of whose rows meet it are removed; of the others, the rows that do not are written anew.
/// Immutable. Source: delta-spark's WriteIntoDelta.removeFiles and DeleteCommand.
class ReplaceWhere {
 public:
  /// Errors: those of the condition; DELTA_… where a table keeps a change data feed and the condition looks into files.
  static arrow::Result<std::shared_ptr<const ReplaceWhere>> Make(const std::string& condition,
                                                                 const millrace::delta::SnapshotPtr& snapshot,
                                                                 std::shared_ptr<const DataFilePlan> files,
                                                                 const ConnectorContext& context);

  arrow::Result<ReplacedRows> Replace(millrace::delta::Transaction* transaction) const;

 private:
  ReplaceWhere() = default;

  millrace::delta::SnapshotPtr snapshot_;
  RowExpressionsPtr condition_;
  bool partitions_only_ = true;
  const types::TimeZone* time_zone_ = nullptr;
};

}  // namespace millrace::connector::delta_table
