#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/delta/data_files.h"
#include "connector/row_expressions.h"
#include "connector/source.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

struct DataReadPlan;

/// What an overwrite with a condition took away.
struct ReplacedRows {
  int64_t num_removed_files = 0;
  int64_t num_removed_bytes = 0;
  int64_t num_added_files = 0;
  int64_t num_added_bytes = 0;
  int64_t num_copied_rows = 0;
  int64_t num_change_files = 0;
  /// None where files do not say how many rows they have.
  std::optional<int64_t> num_deleted_rows = 0;
};

/// The options replaceWhere and replaceUsing: the rows of the table that meet a condition are removed in the same
/// commit that adds the new ones. Files all of whose rows meet it are removed; of the others, the rows that do not are
/// written anew. Where the condition is on partition columns only, no file is read. Immutable. Source: delta-spark's
/// WriteIntoDelta.removeFiles and DeleteCommand.
class ReplaceWhere {
 public:
  /// That the condition is one, on the table's columns. Errors: UserError DELTA_FAILED_RECOGNIZE_PREDICATE,
  /// DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN, UNRESOLVED_COLUMN.….
  static arrow::Status Check(const std::string& condition, const millrace::delta::Snapshot& snapshot,
                             const ConnectorContext& context);

  /// `copies`: how rows of the table as it is become files again. `context` outlives it.
  /// Errors: those of the condition.
  static arrow::Result<std::shared_ptr<const ReplaceWhere>> Make(const std::string& condition,
                                                                 const millrace::delta::SnapshotPtr& snapshot,
                                                                 std::shared_ptr<const DataFilePlan> copies,
                                                                 const ConnectorContext& context);

  /// The option replaceUsing: rows go that equal a new row in these columns.
  /// Errors: UserError UNRESOLVED_INSERT_REPLACE_USING_COLUMN.
  static arrow::Result<std::shared_ptr<const ReplaceWhere>> Using(const std::vector<std::string>& columns,
                                                                  const millrace::delta::SnapshotPtr& snapshot,
                                                                  std::shared_ptr<const DataFilePlan> copies,
                                                                  const ConnectorContext& context);

  /// Stages the removals and the copies, and, where the table records its changes and a file is rewritten, files of the
  /// rows that went and of those that came (in `added`).
  /// Errors: UserError UNSUPPORTED_FEATURE.TABLE_OPERATION where a table tracks its rows and some have to be copied.
  arrow::Result<ReplacedRows> Replace(millrace::delta::Transaction* transaction,
                                      const std::vector<AddedFile>& added) const;

  /// Which of some rows go, as booleans.
  using RowsThatGo =
      std::function<arrow::Result<std::shared_ptr<arrow::Array>>(const std::shared_ptr<arrow::RecordBatch>&)>;

 private:
  ReplaceWhere(millrace::delta::SnapshotPtr snapshot, std::shared_ptr<const DataFilePlan> copies,
               const ConnectorContext& context)
      : snapshot_(std::move(snapshot)), copies_(std::move(copies)), context_(&context) {}
  arrow::Result<RowsThatGo> TellRows(const std::shared_ptr<const DataReadPlan>& plan,
                                     const std::vector<AddedFile>& added) const;
  arrow::Status ReplaceFiles(millrace::delta::Transaction* transaction, ReplacedRows* replaced) const;
  arrow::Status ReplaceRows(millrace::delta::Transaction* transaction, const std::vector<AddedFile>& added,
                            ReplacedRows* replaced) const;

  millrace::delta::SnapshotPtr snapshot_;
  /// Null where `key_columns_` say it.
  RowExpressionsPtr condition_;
  std::vector<int> key_columns_;
  bool partitions_only_ = true;
  std::shared_ptr<const DataFilePlan> copies_;
  const ConnectorContext* context_ = nullptr;
};

}  // namespace millrace::connector::delta_table
