#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "connector/delta/data_files.h"
#include "connector/delta/pinned_table.h"
#include "connector/sink.h"
#include "connector/source.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

/// What becomes of one row.
enum class RowChange : int32_t {
  kUpdate,
  kDelete,
  kInsert,
  /// Rows of the table that no row of a MERGE's source meets.
  kUpdateUnmatched,
  kDeleteUnmatched,
  /// Met by the source, and no clause wants it: it stays, and only counts as met.
  kKeep,
  /// The same of a row that no row of the source meets.
  kKeepUnmatched,
};

/// Columns of the rows a RowChangeWrite takes, before those of the new values and the old ones.
/// The last is NULL but for rows that change in a table that tracks them.
enum RowChangeColumn : int { kChangeColumn, kFileColumn, kRowColumn, kIdColumn, kNumPlaceColumns };

/// What a change came to, for its metrics.
struct RowChangeTotals {
  int64_t num_updated = 0;
  int64_t num_deleted = 0;
  int64_t num_inserted = 0;
  int64_t num_updated_unmatched = 0;
  int64_t num_deleted_unmatched = 0;
  int64_t num_copied = 0;
  int64_t num_removed_files = 0;
  int64_t num_removed_bytes = 0;
  int64_t num_added_files = 0;
  int64_t num_added_bytes = 0;
  int64_t num_change_files = 0;
  int64_t num_vectors_added = 0;
  int64_t num_vectors_updated = 0;
  int64_t num_vectors_removed = 0;

  bool changes_rows() const {
    return num_updated + num_deleted + num_inserted + num_updated_unmatched + num_deleted_unmatched > 0;
  }
};

struct RowChangeRequest {
  std::unique_ptr<millrace::delta::Transaction> transaction;
  std::shared_ptr<const PinnedTable> table;
  /// How rows of the table become files again, and how new ones do; the same where nothing tells them apart.
  std::shared_ptr<const DataFilePlan> copies;
  std::shared_ptr<const DataFilePlan> inserts;
  /// Columns of the new values; null where rows are only removed.
  types::DataTypePtr new_values;
  /// Columns of the rows as they were; null where the table does not record its changes.
  types::DataTypePtr old_values;
  /// A row that is changed twice is an error, else (it is deleted) counted once.
  bool rejects_repeats = true;
  /// Files of rows that stay (kKeep, kKeepUnmatched) are written anew too, as delta-spark does where a MERGE has other
  /// clauses than WHEN MATCHED. REQUIRES: not marks_deleted.
  bool rewrites_kept = false;
  /// Removed files say how many rows they had, as those of delta-spark's MERGE do.
  bool tells_removed_rows = false;
  /// Rows are marked as deleted, where files let them, instead of files written anew.
  bool marks_deleted = false;
  const ConnectorContext* context = nullptr;
  std::function<arrow::Result<millrace::delta::Operation>(const RowChangeTotals&)> finish;
  /// Receives the totals once they are committed.
  std::shared_ptr<RowChangeTotals> totals;
};

/// Changes rows of a Delta table: takes for each its place, what becomes of it and its new values, writes those, copies
/// what stays of the files it touches (or marks what goes) and commits all of it at once.
///
/// In:     change INT, file STRING, row BIGINT, id BIGINT, the new values' columns, the old values' columns. `file`,
///         `row` and `id` are RowPlaceType's; NULL for inserts.
/// Errors: UserError DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE, those of shaping rows, of conflicts.
/// Crash:  see DeltaWrite.
/// Source: delta-spark's DeleteCommand, UpdateCommand, MergeIntoCommand.
std::unique_ptr<Write> MakeRowChangeWrite(RowChangeRequest request);

/// The same as a sink: it takes requests with such an extension, once each.
extern const SinkDef kRowChangeSink;
std::shared_ptr<const Extension> MakeRowChangeExtension(RowChangeRequest request);

}  // namespace millrace::connector::delta_table
