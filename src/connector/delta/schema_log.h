#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "connector/source.h"
#include "delta/snapshot/snapshot.h"

/// The option schemaTrackingLocation: which schema a stream reads with, kept so that the stream goes on over columns
/// that were renamed or dropped. Source: delta-spark's DeltaSourceMetadataTrackingLog and
/// DeltaSourceMetadataEvolutionSupport.

namespace millrace::connector::delta_table {

/// An entry: the definition as of a version. Format: "v1", a line of JSON.
struct TrackedSchema {
  std::string table_id;
  int64_t version = 0;
  std::string data_schema_json;
  std::string partition_schema_json;
  /// The query's directory for the source: logs are not shared.
  std::string source_path;
  millrace::delta::StringMap configuration;
  std::optional<millrace::delta::Protocol> protocol;

  static TrackedSchema Of(const millrace::delta::Metadata& metadata, const millrace::delta::Protocol& protocol,
                          const types::DataType& schema, int64_t version, std::string source_path);
  std::string ToText() const;
  /// Errors: UserError DELTA_STREAMING_SCHEMA_LOG_DESERIALIZE_FAILED.
  static arrow::Result<TrackedSchema> Parse(const std::string& text, const std::string& location);
};

/// Entries 0, 1, …, one a file. Thread: confined.
class SchemaLog {
 public:
  /// Null when the options do not ask for one. Errors: UserError
  /// DELTA_STREAMING_SCHEMA_LOG_INCOMPATIBLE_DELTA_TABLE_ID, …DESERIALIZE_FAILED.
  static arrow::Result<std::unique_ptr<SchemaLog>> Open(const SourceRequest& request,
                                                        const millrace::delta::Snapshot& table);
  /// Where the options say, as analysis knows it. Errors: UserError
  /// DELTA_STREAMING_SCHEMA_LOCATION_NOT_UNDER_CHECKPOINT.
  static arrow::Status CheckLocation(const SourceRequest& request, const std::string& table_path);

  const std::optional<TrackedSchema>& current() const { return current_; }
  /// Adds an entry and makes it the current one. Errors: of the world;
  /// UserError DELTA_STREAMING_SCHEMA_LOCATION_CONFLICT when somebody else did.
  arrow::Status Append(TrackedSchema entry);
  /// That the last change may be gone past: columns renamed, dropped or widened need the user's word, in options or in
  /// the session. Errors: UserError DELTA_STREAMING_CANNOT_CONTINUE_PROCESSING_POST_SCHEMA_EVOLUTION.
  arrow::Status CheckUnblocked(const SourceRequest& request) const;

 private:
  FileSystem* file_system_ = nullptr;
  std::string location_;
  int64_t current_number_ = -1;
  std::optional<TrackedSchema> current_;
  std::optional<TrackedSchema> previous_;
};

/// The table's state with the definition of an entry: what files are read with.
arrow::Result<millrace::delta::SnapshotPtr> WithTrackedSchema(const millrace::delta::SnapshotPtr& table,
                                                              const TrackedSchema& entry);

/// What a stream fails with once, when its schema has moved.
arrow::Status SchemaEvolved(const TrackedSchema& entry);

}  // namespace millrace::connector::delta_table
