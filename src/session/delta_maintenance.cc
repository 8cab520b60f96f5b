#include <unistd.h>

#include <cmath>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/symlink_manifest.h"
#include "connector/delta/write_plan.h"
#include "delta/log/log_paths.h"
#include "delta/log/log_segment.h"
#include "delta/schema/computed_column.h"
#include "delta/vacuum/vacuum.h"
#include "session/delta_table.h"
#include "session/result_rows.h"
#include "session/row_changes.h"

/// VACUUM, GENERATE and RESTORE.

namespace millrace::session {

namespace {

constexpr int64_t kHourMs = 3600000;

// Deletes what nobody needs; a file that is gone already is no failure, nor a directory that is not empty any more.
int64_t DeleteFiles(FileSystem& files, const std::vector<delta::VacuumedFile>& found) {
  int64_t num_deleted = 0;
  for (const delta::VacuumedFile& file : found) {
    if (file.is_directory) {
      num_deleted += ::rmdir(file.path.c_str()) == 0;
      continue;
    }
    // The log names files that are gone.
    auto info = files.Stat(file.path);
    num_deleted += info.ok() && info->has_value() && files.Remove(file.path).ok();
  }
  return num_deleted;
}

}  // namespace

arrow::Result<QueryResult> RunVacuum(Session& session, const sql::VacuumTable& vacuum) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaTable(session, vacuum.table, "VACUUM"));
  const delta::Snapshot& snapshot = *opened.snapshot;
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  int64_t configured_ms = delta::DeletedFileRetentionMs(snapshot.metadata());
  int64_t retention_ms = configured_ms;
  bool checks = session.conf().Get("spark.databricks.delta.retentionDurationCheck.enabled").value_or("true") != "false";
  if (vacuum.retain_hours) {
    if (*vacuum.retain_hours < 0) return UserError("DELTA_VACUUM_RETENTION_PERIOD_NEGATIVE");
    retention_ms = static_cast<int64_t>(std::llround(*vacuum.retain_hours * static_cast<double>(kHourMs)));
    if (checks && retention_ms < configured_ms) {
      return UserError("DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT",
                       {{"configuredRetentionHours", std::to_string(configured_ms / kHourMs)}});
    }
  }
  int64_t cutoff_ms = context.clock->NowMillis() - retention_ms;
  ARROW_ASSIGN_OR_RAISE(delta::VacuumFindings found,
                        vacuum.lite ? delta::FindUnneededFilesOfLog(*opened.table, snapshot, cutoff_ms,
                                                                    *session.MakeEvalContext().time_zone)
                                    : delta::FindUnneededFiles(*opened.table, snapshot, cutoff_ms));
  std::vector<JsonValue> rows;
  if (vacuum.dry_run) {
    for (const delta::VacuumedFile& file : found.files) {
      rows.push_back(JsonValue::Object().Set("path", JsonValue::String("file:" + file.path)));
    }
    return ResultOfJson("path STRING", rows);
  }
  auto tell = [&](delta::Operation operation) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto transaction,
                          delta::Transaction::Begin(opened.table, connector::delta_table::SettingsOf(context)));
    return CommitChange(session, *transaction, operation).status();
  };
  bool logs = session.conf().Get("spark.databricks.delta.vacuum.logging.enabled").value_or("true") != "false";
  if (logs) {
    delta::Operation start;
    start.name = "VACUUM START";
    start.changes_no_data = true;
    start.parameters = {{"retentionCheckEnabled", JsonValue::Bool(checks)},
                        {"defaultRetentionMillis", JsonValue::Number(configured_ms)}};
    if (vacuum.retain_hours) {
      start.parameters.emplace_back("specifiedRetentionMillis", JsonValue::Number(retention_ms));
    }
    start.metrics = {{"numFilesToDelete", static_cast<int64_t>(found.files.size())},
                     {"sizeOfDataToDelete", found.size_bytes}};
    ARROW_RETURN_NOT_OK(tell(std::move(start)));
  }
  int64_t num_deleted = DeleteFiles(*session.engine().file_system, found.files);
  // When the files are gone: what is not written here is looked at again.
  ARROW_RETURN_NOT_OK(delta::WriteLastVacuum(*opened.table, found.last_version));
  if (logs) {
    delta::Operation end;
    end.name = "VACUUM END";
    end.changes_no_data = true;
    end.parameters = {{"status", JsonValue::String("COMPLETED")}};
    end.metrics = {{"numDeletedFiles", num_deleted}, {"numVacuumedDirectories", found.num_directories}};
    ARROW_RETURN_NOT_OK(tell(std::move(end)));
  }
  // As Delta's VacuumCommand: on standard output, beside what the program prints.
  context.print(fmt::format("Deleted {} files and directories in a total of {} directories.\n", num_deleted,
                            found.num_directories));
  rows.push_back(JsonValue::Object().Set("path", JsonValue::String("file:" + opened.table->path())));
  return ResultOfJson("path STRING", rows);
}

arrow::Result<QueryResult> RunGenerate(Session& session, const sql::GenerateManifest& generate) {
  constexpr const char* kMode = "symlink_format_manifest";
  if (!EqualsIgnoreCase(generate.mode, kMode)) {
    return UserError("DELTA_MODE_NOT_SUPPORTED", {{"mode", generate.mode}, {"supportedModes", kMode}});
  }
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaTable(session, generate.table, "GENERATE"));
  ARROW_RETURN_NOT_OK(connector::delta_table::WriteSymlinkManifests(*opened.snapshot, session.engine().file_system));
  return EmptyResult();
}

namespace {

constexpr const char* kRestoreColumns =
    "table_size_after_restore BIGINT, num_of_files_after_restore BIGINT, num_removed_files BIGINT, "
    "num_restored_files BIGINT, removed_files_size BIGINT, restored_files_size BIGINT";

// Times before the first commit and after the last one, as RESTORE tells them.
arrow::Status AsRestoreError(const arrow::Status& status) {
  const ErrorDetail* detail = GetErrorDetail(status);
  if (IsErrorCondition(status, "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION")) {
    return UserError("DELTA_CANNOT_RESTORE_TIMESTAMP_EARLIER",
                     {{"requestedTimestamp", detail->parameters().at("userTimestamp")},
                      {"earliestTimestamp", detail->parameters().at("commitTs")}});
  }
  if (IsErrorCondition(status, "DELTA_TIMESTAMP_GREATER_THAN_COMMIT")) {
    return UserError("DELTA_CANNOT_RESTORE_TIMESTAMP_GREATER",
                     {{"requestedTimestamp", detail->parameters().at("providedTimestamp")},
                      {"latestTimestamp", detail->parameters().at("lastCommitTimestamp")}});
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status TruncateDeltaTable(Session& session, const catalog::Table& table) {
  int64_t start_ms = session.CurrentConnectorContext()->clock->NowMillis();
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaLocation(session, table.location, table.FullName()));
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, opened));
  transaction->ReadWholeTable();
  int64_t num_files = opened.snapshot->files().num_files();
  ARROW_RETURN_NOT_OK(opened.snapshot->files().TryForEach(
      [&](const delta::FileRef& file) { return transaction->StageRemove(file, delta::RemovedStats::kNumRecords); }));
  if (transaction->IsEmpty()) return arrow::Status::OK();
  delta::Operation operation;
  operation.name = "TRUNCATE";
  operation.metrics = {{"numRemovedFiles", num_files},
                       {"executionTimeMs", session.CurrentConnectorContext()->clock->NowMillis() - start_ms}};
  return CommitChange(session, *transaction, operation).status();
}

arrow::Result<QueryResult> RunRestore(Session& session, const sql::RestoreTable& restore) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaTable(session, restore.table, "RESTORE"));
  const delta::Snapshot& latest = *opened.snapshot;
  auto state = StateAt(session, opened, restore.version, restore.timestamp);
  if (restore.version && IsErrorCondition(state.status(), "DELTA_VERSION_NOT_FOUND")) {
    ARROW_ASSIGN_OR_RAISE(auto listing,
                          delta::LogListing::Read(*opened.table->file_system(), opened.table->log_path()));
    return UserError("DELTA_CANNOT_RESTORE_TABLE_VERSION",
                     {{"version", std::to_string(*restore.version)},
                      {"startVersion", listing.oldest_recreatable().value_or(delta::TableVersion(0)).ToString()},
                      {"endVersion", latest.version().ToString()}});
  }
  if (restore.timestamp) ARROW_RETURN_NOT_OK(AsRestoreError(state.status()));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr target, state);
  if (target->version() == latest.version()) return ResultOfJson(kRestoreColumns, {});
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, opened));
  transaction->ReadWholeTable();
  auto keys_of = [](const delta::Snapshot& snapshot) {
    delta::FileKeySet keys;
    snapshot.files().ForEach([&](const delta::FileRef& file) {
      auto vector = file.columns->deletion_vector(file.row);
      keys.Insert(file.columns->path(file.row), vector ? vector->UniqueId() : std::string());
    });
    return keys;
  };
  delta::FileKeySet now = keys_of(latest), then = keys_of(*target);
  int64_t num_restored = 0, restored_bytes = 0, num_removed = 0, removed_bytes = 0;
  std::string missing;
  ARROW_RETURN_NOT_OK(target->files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
    if (now.Contains(*file.columns, file.row)) return arrow::Status::OK();
    delta::Add add = file.columns->ToAdd(file.row);
    std::string path = delta::DataFilePath(opened.table->path(), add.path);
    ARROW_ASSIGN_OR_RAISE(auto info, opened.table->file_system()->Stat(path));
    if (!info) missing += (missing.empty() ? "" : "\n") + path;
    ++num_restored;
    restored_bytes += add.size_bytes;
    add.data_change = true;
    transaction->Stage(std::move(add));
    return arrow::Status::OK();
  }));
  if (!missing.empty()) {
    return arrow::Status::Invalid("Not all files from version ", target->version().value,
                                  " are available in file system. Missed files (top 100 files): ", missing);
  }
  ARROW_RETURN_NOT_OK(latest.files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
    if (then.Contains(*file.columns, file.row)) return arrow::Status::OK();
    ++num_removed;
    removed_bytes += file.columns->size_bytes(file.row);
    return transaction->StageRemove(file, delta::RemovedStats::kAll);
  }));
  delta::Metadata definition = target->metadata();
  types::DataTypePtr schema = delta::WithIdentityMarksOf(target->schema(), *latest.schema());
  if (schema->ToJson() != target->schema()->ToJson()) definition.schema_string = schema->ToJson();
  // Both are said whether they change or not, as by every commit that delta-spark takes for a large one.
  transaction->SetMetadata(std::move(definition));
  transaction->SetProtocol(latest.protocol());
  delta::Operation operation;
  operation.name = "RESTORE";
  operation.parameters = {{"version", restore.version ? JsonValue::Number(*restore.version) : JsonValue()},
                          {"timestamp", restore.timestamp ? JsonValue::String(*restore.timestamp) : JsonValue()}};
  int64_t num_files = target->files().num_files(), num_bytes = target->files().total_size_bytes();
  operation.metrics = {{"numRestoredFiles", num_restored},    {"removedFilesSize", removed_bytes},
                       {"numRemovedFiles", num_removed},      {"restoredFilesSize", restored_bytes},
                       {"numOfFilesAfterRestore", num_files}, {"tableSizeAfterRestore", num_bytes}};
  ARROW_RETURN_NOT_OK(CommitChange(session, *transaction, operation));
  JsonValue row = JsonValue::Object();
  row.Set("table_size_after_restore", JsonValue::Number(num_bytes))
      .Set("num_of_files_after_restore", JsonValue::Number(num_files))
      .Set("num_removed_files", JsonValue::Number(num_removed))
      .Set("num_restored_files", JsonValue::Number(num_restored))
      .Set("removed_files_size", JsonValue::Number(removed_bytes))
      .Set("restored_files_size", JsonValue::Number(restored_bytes));
  return ResultOfJson(kRestoreColumns, {row});
}

}  // namespace millrace::session
