#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connector/row_expressions.h"
#include "connector/source.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

struct OptimizeRequest {
  std::shared_ptr<millrace::delta::Table> table;
  millrace::delta::SnapshotPtr snapshot;
  /// Its first expression chooses partitions; null: all.
  RowExpressionsPtr partitions;
  /// Only these; none: all.
  std::vector<millrace::delta::PartitionValues> only_partitions = {};
  /// Columns of the table, or fields below them, whose values shall lie close together; empty: small files are joined,
  /// nothing more.
  std::vector<std::vector<int>> order_by;
  /// Their names, where the table is a clustered one: new files say that they are laid out by these. JSON.
  std::string clustering = "";
  /// REORG: the files to be rewritten, each even where it is alone; none: small ones, and those with many deleted rows.
  std::function<arrow::Result<bool>(const millrace::delta::FileRef&)> wants = nullptr;
  /// The state whose definition the new files follow; null: the one that is read.
  millrace::delta::SnapshotPtr written_as = nullptr;
  /// Each file becomes one of its own.
  bool one_by_one = false;
  /// Removed files say how many rows they had.
  bool tells_removed_rows = true;
  int64_t min_file_bytes = int64_t{1} << 30;
  int64_t max_file_bytes = int64_t{1} << 30;
  const ConnectorContext* context = nullptr;
};

struct OptimizeTotals {
  /// Sizes of files.
  std::vector<int64_t> added;
  std::vector<int64_t> removed;
  int64_t num_rows = 0;
  int64_t num_partitions = 0;
  int64_t num_bins = 0;
  int64_t num_considered = 0;
  /// Of clustered tables: sizes of the files looked at, those that were laid out before and the others.
  std::vector<int64_t> cube_files;
  std::vector<int64_t> other_files;
  int64_t num_cubes = 0;
  int64_t num_vectors_removed = 0;
  int64_t num_vector_rows_removed = 0;
};

/// What the log tells of it.
std::vector<std::pair<std::string, int64_t>> OptimizeMetrics(const OptimizeTotals& totals);

/// Rewrites files of a partition as fewer ones, and stages that as a change of no row. Files with deletion vectors are
/// written without the rows those mark.
/// Source: delta-spark's OptimizeTableCommand.
arrow::Result<OptimizeTotals> StageOptimize(const OptimizeRequest& request, millrace::delta::Transaction* transaction);

}  // namespace millrace::connector::delta_table
