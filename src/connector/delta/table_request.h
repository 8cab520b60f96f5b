#pragma once

#include <memory>
#include <optional>
#include <string>

#include "connector/source.h"
#include "delta/table.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

/// Which table a request is about, and at which point in time.
struct TableRequest {
  std::shared_ptr<delta::Table> table;
  /// At most one is set: options versionAsOf and timestampAsOf, or `path@v12`, `path@20240131235959000`.
  std::optional<int64_t> version_as_of;
  std::optional<int64_t> timestamp_as_of_us;

  bool is_time_travel() const { return version_as_of || timestamp_as_of_us; }
};

/// Errors: UserError DELTA_ONEOF_IN_TIMETRAVEL, DELTA_UNSUPPORTED_TIME_TRAVEL_MULTIPLE_FORMATS,
/// DELTA_TIME_TRAVEL_INVALID_BEGIN_VALUE, DELTA_TIMESTAMP_INVALID; `'path' is not specified`.
arrow::Result<TableRequest> ParseTableRequest(const SourceRequest& request);

/// That an older state may still be looked at (spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFile-
/// RetentionDuration says no otherwise). Errors: those of delta::CheckWithinRetention.
arrow::Status CheckRetention(const millrace::delta::Snapshot& state, const millrace::delta::Snapshot& newest,
                             const ConnectorContext& context);

/// The state a request reads. Errors: as delta::Table; DELTA_VERSION_NOT_FOUND, DELTA_TIMESTAMP_….
arrow::Result<delta::SnapshotPtr> OpenSnapshot(const TableRequest& table, const ConnectorContext& context);

/// "true" for readChangeFeed (or readChangeData). Errors: Invalid.
arrow::Result<bool> IsChangeFeed(const Options& options);

/// What users see of the table's schema: without the protocol's metadata.
types::DataTypePtr ReadSchema(const delta::Snapshot& snapshot);
/// With the three columns of a change feed behind.
types::DataTypePtr ChangeFeedSchema(const types::DataTypePtr& schema);

/// Whether data of `existing` can be read with `read`: it has all columns, of the same types. What may not be NULL in
/// `existing` may not become so; with `forbid_tightening` it is what may be NULL that must stay so.
/// Source: Delta's SchemaUtils.isReadCompatible.
bool IsReadCompatible(const types::DataType& existing, const types::DataType& read, bool forbid_tightening,
                      bool allow_missing_columns = false);

/// A text of an option as microseconds since 1970. Errors: UserError DELTA_TIMESTAMP_INVALID.
arrow::Result<int64_t> ParseTimestampOption(const std::string& text, const types::TimeZone& zone);

}  // namespace millrace::connector::delta_table
