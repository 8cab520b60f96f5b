#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/delta/data_files.h"
#include "connector/delta/write_options.h"
#include "connector/sink.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

struct WritePlanRequest {
  const SinkRequest* sink = nullptr;
  const WriteOptions* options = nullptr;
  /// The write replaces the table's rows: the schema may be replaced with them.
  bool overwrite = false;
  /// Rows of other types are cast where Spark casts implicitly: streams.
  bool casts = false;
  /// The rows are the table's own, written anew: identity columns keep their values.
  bool copies = false;
  std::vector<RowCheck> more_checks;
  /// What another plan of the same commit has settled about the definition; null: this one settles it.
  const struct WritePlan* definition = nullptr;
  std::shared_ptr<DurableDirectories> durable_directories;
};

/// What a write does to the table's definition, and how its rows become files. Immutable.
struct WritePlan {
  /// What the plan was made for; null for "no table". A later snapshot with the same definition can use it too.
  millrace::delta::SnapshotPtr snapshot;
  /// Set where the definition changes.
  std::optional<millrace::delta::Metadata> metadata;
  std::optional<millrace::delta::Protocol> protocol;
  std::shared_ptr<const DataFilePlan> files;

  bool Fits(const millrace::delta::SnapshotPtr& newer) const;
};

/// Compares the rows' schema and partitioning with the table's and settles what becomes of them.
/// Errors: UserError DELTA_METADATA_MISMATCH, DELTA_FAILED_TO_MERGE_FIELDS, DELTA_PARTITION_COLUMN_NOT_FOUND, …
/// Source: delta-spark's ImplicitMetadataOperation.
arrow::Result<std::shared_ptr<const WritePlan>> MakeWritePlan(const millrace::delta::SnapshotPtr& snapshot,
                                                              const std::string& table_path,
                                                              const WritePlanRequest& request);

/// Settings of commits for this context.
millrace::delta::TransactionSettings SettingsOf(const ConnectorContext& context);
/// The table behind a path of a sink; KeyError-free. Errors: UserError for no path.
arrow::Result<std::shared_ptr<millrace::delta::Table>> OpenTable(const SinkRequest& request);

}  // namespace millrace::connector::delta_table
