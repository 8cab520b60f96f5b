#include <algorithm>
#include <cmath>
#include <set>

#include "analyzer/name_resolution.h"
#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/optimize.h"
#include "connector/delta/table_request.h"
#include "connector/delta/write_plan.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/feature/table_feature.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_paths.h"
#include "delta/log/log_segment.h"
#include "delta/transaction/table_metadata.h"
#include "delta/vacuum/vacuum.h"
#include "session/result_rows.h"
#include "session/row_changes.h"
#include "session/table_commands.h"

/// OPTIMIZE, VACUUM and RESTORE.

namespace millrace::session {

namespace {

constexpr int64_t kHourMs = 3600000;

struct OpenedTable {
  std::shared_ptr<delta::Table> table;
  delta::SnapshotPtr snapshot;
};

arrow::Result<OpenedTable> Open(Session& session, const sql::NameParts& name, const std::string& operation) {
  TableCommands tables(session);
  ARROW_ASSIGN_OR_RAISE(catalog::TablePtr table, tables.Find(name));
  if (table->kind == catalog::TableKind::kView || !KeepsOwnSchema(table->provider)) {
    return UserError("DELTA_TABLE_ONLY_OPERATION",
                     {{"tableName", QuoteNameParts(table->FullName())}, {"operation", operation}});
  }
  connector::SinkRequest request;
  request.path = table->location;
  request.context = session.CurrentConnectorContext();
  OpenedTable opened;
  ARROW_ASSIGN_OR_RAISE(opened.table, connector::delta_table::OpenTable(request));
  ARROW_ASSIGN_OR_RAISE(bool exists, opened.table->Exists());
  if (!exists) return UserError("DELTA_MISSING_DELTA_TABLE", {{"tableName", QuoteNameParts(name)}});
  ARROW_ASSIGN_OR_RAISE(opened.snapshot, opened.table->Update());
  return opened;
}

// Commits, and makes the checkpoint that may be due.
arrow::Status Commit(Session& session, const OpenedTable& opened, delta::Transaction& transaction,
                     const delta::Operation& operation) {
  ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction.Commit(operation));
  if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) {
    return delta::ToStatus(*conflict, opened.table->path());
  }
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  (void)delta::MaintainAfterCommit(*opened.table, std::get<delta::Committed>(outcome),
                                   {context.durability, context.clock, context.time_zone});
  session.cache().Invalidate(opened.table->path());
  return arrow::Status::OK();
}

std::string TextList(const std::vector<std::string>& texts) {
  JsonValue list = JsonValue::Array();
  for (const std::string& text : texts) list.elements().push_back(JsonValue::String(text));
  return list.ToString();
}

int64_t Sum(const std::vector<int64_t>& sizes) {
  int64_t sum = 0;
  for (int64_t size : sizes) sum += size;
  return sum;
}

JsonValue SizesJson(const std::vector<int64_t>& sizes) {
  JsonValue json = JsonValue::Object();
  if (!sizes.empty()) {
    json.Set("min", JsonValue::Number(*std::min_element(sizes.begin(), sizes.end())));
    json.Set("max", JsonValue::Number(*std::max_element(sizes.begin(), sizes.end())));
  }
  double average = sizes.empty() ? 0 : static_cast<double>(Sum(sizes)) / static_cast<double>(sizes.size());
  json.Set("avg", JsonValue::Number(average));
  json.Set("totalFiles", JsonValue::Number(static_cast<int64_t>(sizes.size())));
  json.Set("totalSize", JsonValue::Number(Sum(sizes)));
  return json;
}

constexpr const char* kOptimizeColumns =
    "path STRING, metrics STRUCT<numFilesAdded: BIGINT, numFilesRemoved: BIGINT, filesAdded: STRUCT<min: BIGINT, max: "
    "BIGINT, avg: DOUBLE, totalFiles: BIGINT, totalSize: BIGINT>, filesRemoved: STRUCT<min: BIGINT, max: BIGINT, avg: "
    "DOUBLE, totalFiles: BIGINT, totalSize: BIGINT>, partitionsOptimized: BIGINT, zOrderStats: STRUCT<strategyName: "
    "STRING, inputCubeFiles: STRUCT<num: BIGINT, size: BIGINT>, inputOtherFiles: STRUCT<num: BIGINT, size: BIGINT>, "
    "inputNumCubes: BIGINT, mergedFiles: STRUCT<num: BIGINT, size: BIGINT>, numOutputCubes: BIGINT, mergedNumCubes: "
    "BIGINT>, clusteringStats: STRUCT<inputZCubeFiles: STRUCT<numFiles: BIGINT, size: BIGINT>, inputOtherFiles: "
    "STRUCT<numFiles: BIGINT, size: BIGINT>, inputNumZCubes: BIGINT, mergedFiles: STRUCT<numFiles: BIGINT, size: "
    "BIGINT>, numOutputZCubes: BIGINT>, numBins: BIGINT, numBatches: BIGINT, totalConsideredFiles: BIGINT, "
    "totalFilesSkipped: BIGINT, preserveInsertionOrder: BOOLEAN, numFilesSkippedToReduceWriteAmplification: BIGINT, "
    "numBytesSkippedToReduceWriteAmplification: BIGINT, startTimeMs: BIGINT, endTimeMs: BIGINT, "
    "totalClusterParallelism: BIGINT, totalScheduledTasks: BIGINT, autoCompactParallelismStats: "
    "STRUCT<maxClusterActiveParallelism: BIGINT, minClusterActiveParallelism: BIGINT, maxSessionActiveParallelism: "
    "BIGINT, minSessionActiveParallelism: BIGINT>, deletionVectorStats: STRUCT<numDeletionVectorsRemoved: BIGINT, "
    "numDeletionVectorRowsRemoved: BIGINT>, numTableColumns: BIGINT, numTableColumnsWithStats: BIGINT>";

int64_t Percentile(const std::vector<int64_t>& sorted, int percent) {
  if (sorted.empty()) return 0;
  return sorted[sorted.size() * static_cast<size_t>(percent) / 100];
}

std::vector<std::pair<std::string, int64_t>> OptimizeMetrics(const connector::delta_table::OptimizeTotals& totals) {
  std::vector<int64_t> sorted = totals.added;
  std::sort(sorted.begin(), sorted.end());
  return {{"numRemovedFiles", static_cast<int64_t>(totals.removed.size())},
          {"numRemovedBytes", Sum(totals.removed)},
          {"p25FileSize", Percentile(sorted, 25)},
          {"numDeletionVectorsRemoved", totals.num_vectors_removed},
          {"minFileSize", sorted.empty() ? 0 : sorted.front()},
          {"p75FileSize", Percentile(sorted, 75)},
          {"p50FileSize", Percentile(sorted, 50)},
          {"numAddedBytes", Sum(totals.added)},
          {"numAddedFiles", static_cast<int64_t>(totals.added.size())},
          {"maxFileSize", sorted.empty() ? 0 : sorted.back()}};
}

arrow::Result<std::vector<int>> ZOrderColumns(const delta::Snapshot& snapshot,
                                              const std::vector<sql::NameParts>& names) {
  std::vector<int> columns;
  for (const sql::NameParts& name : names) {
    int at = name.size() == 1 ? snapshot.schema()->FieldIndex(name[0], /*case_sensitive=*/false) : -1;
    std::string shown = name[0];
    for (size_t i = 1; i < name.size(); ++i) shown += "." + name[i];
    if (at < 0) return UserError("DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST", {{"columnName", shown}});
    const auto& partitions = snapshot.partition_columns();
    if (std::find(partitions.begin(), partitions.end(), at) != partitions.end()) {
      return UserError("DELTA_ZORDERING_ON_PARTITION_COLUMN", {{"colName", shown}});
    }
    if (snapshot.schema()->fields()[static_cast<size_t>(at)].type->is_nested()) {
      return analyzer::NotSupported("OPTIMIZE ZORDER BY a column of nested type");
    }
    columns.push_back(at);
  }
  return columns;
}

// The conditions as one, on partition columns only.
arrow::Result<connector::RowExpressionsPtr> PartitionFilter(Session& session, const delta::Snapshot& snapshot,
                                                            const std::vector<std::string>& where) {
  std::string all;
  for (const std::string& one : where) all += (all.empty() ? "(" : " AND (") + one + ")";
  ARROW_ASSIGN_OR_RAISE(auto compiled, session.CurrentConnectorContext()->compile(snapshot.schema(), {all}));
  const auto& partitions = snapshot.partition_columns();
  for (int column : compiled->InputColumns(0)) {
    if (std::find(partitions.begin(), partitions.end(), column) != partitions.end()) continue;
    std::string names;
    for (const std::string& name : snapshot.metadata().partition_columns) names += (names.empty() ? "" : ", ") + name;
    return UserError(
        "DELTA_NON_PARTITION_COLUMN_REFERENCE",
        {{"columnName", snapshot.schema()->fields()[static_cast<size_t>(column)].name}, {"columnList", names}});
  }
  return compiled;
}

int64_t BytesSetting(Session& session, const char* key, int64_t fallback) {
  auto text = session.conf().Get(key);
  if (!text) return fallback;
  int64_t value = std::strtoll(text->c_str(), nullptr, 10);
  return value > 0 ? value : fallback;
}

// Deletes what nobody needs; a file that is gone already is no failure.
int64_t DeleteFiles(FileSystem& files, const std::vector<delta::VacuumedFile>& found) {
  int64_t num_deleted = 0;
  for (const delta::VacuumedFile& file : found) num_deleted += files.Remove(file.path).ok();
  return num_deleted;
}

}  // namespace

arrow::Result<QueryResult> RunOptimize(Session& session, const sql::OptimizeTable& optimize) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, Open(session, optimize.table, "OPTIMIZE"));
  const delta::Snapshot& snapshot = *opened.snapshot;
  if (delta::Supports(snapshot.protocol(), "clustering")) {
    return analyzer::NotSupported("OPTIMIZE of a clustered table");
  }
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  int64_t start_ms = context.clock->NowMillis();
  connector::delta_table::OptimizeRequest request;
  request.table = opened.table;
  request.snapshot = opened.snapshot;
  request.context = &context;
  request.min_file_bytes = BytesSetting(session, "spark.databricks.delta.optimize.minFileSize", request.min_file_bytes);
  request.max_file_bytes = BytesSetting(session, "spark.databricks.delta.optimize.maxFileSize", request.max_file_bytes);
  if (!optimize.where.empty()) {
    ARROW_ASSIGN_OR_RAISE(request.partitions, PartitionFilter(session, snapshot, optimize.where));
  }
  ARROW_ASSIGN_OR_RAISE(request.zorder_by, ZOrderColumns(snapshot, optimize.zorder_by));
  ARROW_ASSIGN_OR_RAISE(auto transaction, delta::Transaction::BeginAt(opened.table, opened.snapshot,
                                                                      connector::delta_table::SettingsOf(context)));
  ARROW_ASSIGN_OR_RAISE(auto totals, connector::delta_table::StageOptimize(request, transaction.get()));
  std::vector<std::string> zorder;
  for (int column : request.zorder_by) zorder.push_back(snapshot.schema()->fields()[static_cast<size_t>(column)].name);
  if (!totals.removed.empty()) {
    delta::Operation operation;
    operation.name = "OPTIMIZE";
    operation.parameters = {{"predicate", JsonValue::String(TextList(optimize.where))},
                            {"zOrderBy", JsonValue::String(TextList(zorder))},
                            {"clusterBy", JsonValue::String("[]")},
                            {"auto", JsonValue::Bool(false)}};
    operation.metrics = OptimizeMetrics(totals);
    ARROW_RETURN_NOT_OK(Commit(session, opened, *transaction, operation));
  }
  auto number = [](int64_t value) { return JsonValue::Number(value); };
  JsonValue metrics = JsonValue::Object();
  metrics.Set("numFilesAdded", number(static_cast<int64_t>(totals.added.size())))
      .Set("numFilesRemoved", number(static_cast<int64_t>(totals.removed.size())))
      .Set("filesAdded", SizesJson(totals.added))
      .Set("filesRemoved", SizesJson(totals.removed))
      .Set("partitionsOptimized", number(snapshot.partition_columns().empty() ? 0 : totals.num_partitions))
      .Set("numBins", number(totals.num_bins))
      .Set("numBatches", number(totals.num_bins > 0 ? 1 : 0))
      .Set("totalConsideredFiles", number(totals.num_considered))
      .Set("totalFilesSkipped", number(totals.num_skipped))
      .Set("preserveInsertionOrder", JsonValue::Bool(zorder.empty()))
      .Set("numFilesSkippedToReduceWriteAmplification", number(0))
      .Set("numBytesSkippedToReduceWriteAmplification", number(0))
      .Set("startTimeMs", number(start_ms))
      .Set("endTimeMs", number(context.clock->NowMillis()))
      .Set("totalClusterParallelism", number(context.parallelism))
      .Set("totalScheduledTasks", number(0))
      .Set("deletionVectorStats", JsonValue::Object()
                                      .Set("numDeletionVectorsRemoved", number(totals.num_vectors_removed))
                                      .Set("numDeletionVectorRowsRemoved", number(totals.num_vector_rows_removed)))
      .Set("numTableColumns", number(static_cast<int64_t>(snapshot.schema()->fields().size())))
      .Set("numTableColumnsWithStats",
           number(static_cast<int64_t>(std::min<size_t>(32, snapshot.schema()->fields().size()))));
  JsonValue row = JsonValue::Object();
  row.Set("path", JsonValue::String("file:" + opened.table->path())).Set("metrics", std::move(metrics));
  return ResultOfJson(kOptimizeColumns, {row});
}

arrow::Result<QueryResult> RunVacuum(Session& session, const sql::VacuumTable& vacuum) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, Open(session, vacuum.table, "VACUUM"));
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
  ARROW_ASSIGN_OR_RAISE(delta::VacuumFindings found, delta::FindUnneededFiles(*opened.table, snapshot, cutoff_ms));
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
    return Commit(session, opened, *transaction, operation);
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

arrow::Result<QueryResult> RunRestore(Session& session, const sql::RestoreTable& restore) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, Open(session, restore.table, "RESTORE"));
  const delta::Snapshot& latest = *opened.snapshot;
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  int64_t version = 0;
  if (restore.version) {
    version = *restore.version;
    auto exists = delta::CheckVersionExists(*opened.table, latest, version, /*must_be_recreatable=*/true,
                                            /*allow_beyond_newest=*/false);
    if (!exists.ok() && IsErrorCondition(exists.status(), "DELTA_VERSION_NOT_FOUND")) {
      ARROW_ASSIGN_OR_RAISE(auto listing,
                            delta::LogListing::Read(*opened.table->file_system(), opened.table->log_path()));
      return UserError("DELTA_CANNOT_RESTORE_TABLE_VERSION",
                       {{"version", std::to_string(version)},
                        {"startVersion", listing.oldest_recreatable().value_or(delta::TableVersion(0)).ToString()},
                        {"endVersion", latest.version().ToString()}});
    }
    ARROW_RETURN_NOT_OK(exists);
  } else {
    ARROW_ASSIGN_OR_RAISE(int64_t wanted_us, connector::delta_table::ParseTimestampOption(
                                                 restore.timestamp.value_or(""), *context.time_zone));
    delta::CommitSearch search;
    ARROW_ASSIGN_OR_RAISE(auto commit,
                          delta::CommitAtTime(*opened.table, latest, wanted_us / 1000, search, *context.time_zone));
    version = commit.version.value;
  }
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr target, opened.table->SnapshotAt(delta::TableVersion(version)));
  ARROW_ASSIGN_OR_RAISE(auto transaction, delta::Transaction::BeginAt(opened.table, opened.snapshot,
                                                                      connector::delta_table::SettingsOf(context)));
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
    return arrow::Status::Invalid("Not all files from version ", version,
                                  " are available in file system. Missed files (top 100 files): ", missing);
  }
  ARROW_RETURN_NOT_OK(latest.files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
    if (then.Contains(*file.columns, file.row)) return arrow::Status::OK();
    ++num_removed;
    removed_bytes += file.columns->size_bytes(file.row);
    return transaction->StageRemove(file);
  }));
  const delta::Metadata& a = latest.metadata();
  const delta::Metadata& b = target->metadata();
  bool other_definition = a.schema_string != b.schema_string || a.partition_columns != b.partition_columns ||
                          a.configuration != b.configuration || a.name != b.name || a.description != b.description;
  if (other_definition) transaction->SetMetadata(b);
  delta::Operation operation;
  operation.name = "RESTORE";
  operation.parameters = {{"version", restore.version ? JsonValue::Number(version) : JsonValue()},
                          {"timestamp", restore.timestamp ? JsonValue::String(*restore.timestamp) : JsonValue()}};
  int64_t num_files = target->files().num_files(), num_bytes = target->files().total_size_bytes();
  operation.metrics = {{"numRestoredFiles", num_restored},    {"removedFilesSize", removed_bytes},
                       {"numRemovedFiles", num_removed},      {"restoredFilesSize", restored_bytes},
                       {"numOfFilesAfterRestore", num_files}, {"tableSizeAfterRestore", num_bytes}};
  ARROW_RETURN_NOT_OK(Commit(session, opened, *transaction, operation));
  JsonValue row = JsonValue::Object();
  row.Set("table_size_after_restore", JsonValue::Number(num_bytes))
      .Set("num_of_files_after_restore", JsonValue::Number(num_files))
      .Set("num_removed_files", JsonValue::Number(num_removed))
      .Set("num_restored_files", JsonValue::Number(num_restored))
      .Set("removed_files_size", JsonValue::Number(removed_bytes))
      .Set("restored_files_size", JsonValue::Number(restored_bytes));
  return ResultOfJson(
      "table_size_after_restore BIGINT, num_of_files_after_restore BIGINT, num_removed_files BIGINT, "
      "num_restored_files BIGINT, removed_files_size BIGINT, restored_files_size BIGINT",
      {row});
}

}  // namespace millrace::session
