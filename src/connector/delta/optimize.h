#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
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
  /// Columns of the table whose values shall lie close together; empty: small files are joined, nothing more.
  std::vector<int> zorder_by;
  int64_t min_file_bytes = int64_t{1} << 30;
  int64_t max_file_bytes = int64_t{1} << 30;
  const ConnectorContext* context = nullptr;
};

struct OptimizeTotals {
  /// Sizes of files.
  std::vector<int64_t> added;
  std::vector<int64_t> removed;
  int64_t num_partitions = 0;
  int64_t num_bins = 0;
  int64_t num_considered = 0;
  int64_t num_skipped = 0;
  int64_t num_vectors_removed = 0;
  int64_t num_vector_rows_removed = 0;
};

/// Rewrites files of a partition as fewer ones, and stages that as a change of no row. Files with deletion vectors are
/// written without the rows those mark.
/// Source: delta-spark's OptimizeTableCommand.
arrow::Result<OptimizeTotals> StageOptimize(const OptimizeRequest& request, millrace::delta::Transaction* transaction);

}  // namespace millrace::connector::delta_table
