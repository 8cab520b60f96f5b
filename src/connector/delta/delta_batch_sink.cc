#include <algorithm>

#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/auto_compact.h"
#include "connector/delta/delta_sink.h"
#include "connector/delta/delta_write.h"
#include "connector/delta/replace_where.h"
#include "connector/delta/write_options.h"
#include "connector/delta/write_plan.h"
#include "delta/schema/clustering.h"
#include "delta/transaction/table_metadata.h"

/// `df.write.format("delta")`. Source: delta-spark's WriteIntoDelta.

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

std::string ModeName(SaveMode mode) {
  switch (mode) {
    case SaveMode::kAppend:
      return "Append";
    case SaveMode::kOverwrite:
      return "Overwrite";
    case SaveMode::kIgnore:
      return "Ignore";
    default:
      return "ErrorIfExists";
  }
}

/// Everything that is known before the rows are.
struct BatchWrite {
  SaveMode mode = SaveMode::kAppend;
  bool defines_table = false;
  std::optional<TableStatement> statement;
  std::vector<std::string> partition_columns;
  WriteOptions options;
  bool overwrites_partitions = false;
  std::shared_ptr<const ReplaceWhere> replace_where;

  bool overwrite() const { return mode == SaveMode::kOverwrite; }
};

std::string ColumnsJson(const std::vector<std::string>& names) {
  JsonValue columns = JsonValue::Array();
  for (const std::string& name : names) columns.elements().push_back(JsonValue::String(name));
  return columns.ToString();
}

void AppendChoices(const BatchWrite& write, std::vector<JsonValue::Member>* parameters) {
  const WriteOptions& options = write.options;
  if (options.replace_where) parameters->emplace_back("predicate", JsonValue::String(*options.replace_where));
  if (options.replace_using) {
    parameters->emplace_back("replaceUsingCols", JsonValue::String("(" + *options.replace_using + ")"));
  }
  if (options.dynamic_overwrite) parameters->emplace_back("isDynamicPartitionOverwrite", JsonValue::Bool(true));
  if (options.overwrite_schema) parameters->emplace_back("canOverwriteSchema", JsonValue::Bool(true));
  if (options.merge_schema) parameters->emplace_back("canMergeSchema", JsonValue::Bool(true));
}

// The definition is told as it became.
delta::Operation StatementOperation(const BatchWrite& write, const delta::Metadata& metadata) {
  const TableStatement& statement = *write.statement;
  delta::Operation operation;
  operation.name = statement.or_create ? "CREATE OR REPLACE TABLE"
                   : statement.replace ? "REPLACE TABLE"
                                       : "CREATE TABLE";
  if (statement.as_select) operation.name += " AS SELECT";
  JsonValue properties = JsonValue::Object();
  for (const auto& [key, value] : metadata.configuration) properties.Set(key, JsonValue::String(value));
  operation.parameters = {
      {"partitionBy", JsonValue::String(ColumnsJson(metadata.partition_columns))},
      {"clusterBy", JsonValue::String(delta::ClusteringText(statement.cluster_columns))},
      {"description", metadata.description ? JsonValue::String(*metadata.description) : JsonValue()},
      {"isManaged", JsonValue::String(statement.is_managed ? "true" : "false")},
      {"properties", JsonValue::String(properties.ToString())}};
  if (statement.replace) AppendChoices(write, &operation.parameters);
  if (statement.is_save_as_table) operation.parameters.emplace_back("isV1SaveAsTableOverwrite", JsonValue::Bool(true));
  operation.user_metadata = write.options.user_metadata;
  return operation;
}

delta::Operation MakeOperation(const BatchWrite& write) {
  delta::Operation operation;
  operation.name = "WRITE";
  operation.user_metadata = write.options.user_metadata;
  auto& parameters = operation.parameters;
  parameters.emplace_back("mode", JsonValue::String(ModeName(write.mode)));
  parameters.emplace_back("partitionBy", JsonValue::String(ColumnsJson(write.partition_columns)));
  AppendChoices(write, &parameters);
  return operation;
}

struct Removed {
  int64_t num_files = 0;
  int64_t num_bytes = 0;
};

arrow::Status Remove(const delta::FileRef& file, delta::Transaction* transaction, Removed* removed) {
  ++removed->num_files;
  removed->num_bytes += file.columns->size_bytes(file.row);
  return transaction->StageRemove(file);
}

arrow::Result<Removed> RemoveAll(delta::Transaction* transaction) {
  Removed removed;
  transaction->ReadWholeTable();
  if (transaction->creates_table()) return removed;
  ARROW_RETURN_NOT_OK(transaction->snapshot()->files().TryForEach(
      [&](const delta::FileRef& file) { return Remove(file, transaction, &removed); }));
  return removed;
}

// The partitions that get rows.
arrow::Result<Removed> RemovePartitions(const std::vector<AddedFile>& files, delta::Transaction* transaction) {
  Removed removed;
  std::vector<delta::PartitionValues> written;
  for (const AddedFile& file : files) {
    if (std::find(written.begin(), written.end(), file.add.partition_values) == written.end()) {
      written.push_back(file.add.partition_values);
    }
  }
  auto is_written = [written](const delta::PartitionValues& values) {
    for (const delta::PartitionValues& candidate : written) {
      bool same = true;
      for (const auto& [column, value] : candidate.entries()) {
        const auto* other = values.Find(column);
        same = same && other != nullptr && *other == value;
      }
      if (same) return true;
    }
    return false;
  };
  transaction->ReadPartitions(is_written);
  if (transaction->creates_table()) return removed;
  ARROW_RETURN_NOT_OK(transaction->snapshot()->files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
    if (!is_written(file.columns->ToAdd(file.row).partition_values)) return arrow::Status::OK();
    return Remove(file, transaction, &removed);
  }));
  return removed;
}

arrow::Result<delta::Operation> FinishBatch(const BatchWrite& write, delta::Transaction* transaction,
                                            const std::vector<AddedFile>& files, const WrittenTotals& totals) {
  if (write.defines_table) {
    if (write.overwrite() && !transaction->creates_table()) ARROW_RETURN_NOT_OK(RemoveAll(transaction).status());
    return StatementOperation(write, transaction->metadata());
  }
  delta::Operation operation = write.statement && write.replace_where == nullptr
                                   ? StatementOperation(write, transaction->metadata())
                                   : MakeOperation(write);
  auto& metrics = operation.metrics;
  if (write.replace_where != nullptr) {
    ARROW_ASSIGN_OR_RAISE(ReplacedRows replaced, write.replace_where->Replace(transaction, files));
    metrics.emplace_back("numFiles", totals.num_files + replaced.num_added_files);
    metrics.emplace_back("numRemovedFiles", replaced.num_removed_files);
    metrics.emplace_back("numRemovedBytes", replaced.num_removed_bytes);
    metrics.emplace_back("numCopiedRows", replaced.num_copied_rows);
    metrics.emplace_back("numAddedChangeFiles", replaced.num_change_files);
    if (replaced.num_deleted_rows) metrics.emplace_back("numDeletedRows", *replaced.num_deleted_rows);
    metrics.emplace_back("numOutputRows", totals.num_rows + replaced.num_copied_rows);
    metrics.emplace_back("numOutputBytes", totals.num_bytes + replaced.num_added_bytes);
    return operation;
  }
  // Spark's writer leaves one file even where no rows came, and counts it.
  metrics.emplace_back("numFiles", std::max<int64_t>(totals.num_files, 1));
  if (write.options.replace_where && !write.overwrite()) {
    metrics.emplace_back("numCopiedRows", 0);
    metrics.emplace_back("numAddedChangeFiles", 0);
  }
  if (write.overwrite()) {
    ARROW_ASSIGN_OR_RAISE(Removed removed,
                          write.overwrites_partitions ? RemovePartitions(files, transaction) : RemoveAll(transaction));
    metrics.emplace_back("numRemovedFiles", removed.num_files);
    metrics.emplace_back("numRemovedBytes", removed.num_bytes);
  }
  metrics.emplace_back("numOutputRows", totals.num_rows);
  metrics.emplace_back("numOutputBytes", totals.num_bytes);
  return operation;
}

arrow::Status CheckOverwrite(const delta::SnapshotPtr& snapshot, const BatchWrite& write) {
  const WriteOptions& options = write.options;
  if (snapshot != nullptr && write.overwrite() &&
      delta::BooleanProperty(snapshot->metadata(), "delta.appendOnly", false)) {
    return UserError("DELTA_CANNOT_MODIFY_APPEND_ONLY",
                     {{"table_name", snapshot->metadata().name.value_or("null")}, {"config", "delta.appendOnly"}});
  }
  if (!options.replace_where) return arrow::Status::OK();
  if (!write.overwrite()) return arrow::Status::OK();  // it says nothing there
  if (options.overwrite_mode_in_options && options.dynamic_overwrite) {
    return UserError("DELTA_REPLACE_WHERE_WITH_DYNAMIC_PARTITION_OVERWRITE");
  }
  return arrow::Status::OK();
}

// A table that is made, or made anew, is clustered as the statement says, or by nothing.
arrow::Status StageClustering(const BatchWrite& write, const delta::Metadata& metadata,
                              delta::Transaction* transaction) {
  bool replaces_schema = write.overwrite() && write.options.overwrite_schema && !write.options.replace_where;
  bool replaces_table = write.statement && write.statement->replace && !write.statement->is_save_as_table;
  bool defines = transaction->creates_table() || replaces_schema || replaces_table;
  static const std::vector<delta::ColumnPath> kNone;
  const auto& columns = write.statement ? write.statement->cluster_columns : kNone;
  bool was_clustered =
      !transaction->creates_table() && transaction->snapshot()->domain_metadata().count(delta::kClusteringDomain) > 0;
  if (!defines || (columns.empty() && !was_clustered)) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, metadata.ParseSchema());
  ARROW_ASSIGN_OR_RAISE(delta::DomainMetadata domain, delta::ClusteringDomain(schema, metadata, columns));
  transaction->Stage(std::move(domain));
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<Write>> OpenDeltaWrite(const SinkRequest& request) {
  BatchWrite write;
  write.mode = request.save_mode;
  write.defines_table = request.defines_table;
  write.statement = request.statement;
  write.partition_columns = request.partition_columns;
  ARROW_ASSIGN_OR_RAISE(write.options, WriteOptions::Parse(request));
  ARROW_ASSIGN_OR_RAISE(auto table, OpenTable(request));
  delta::TransactionSettings settings = SettingsOf(*request.context);
  if (!write.overwrite()) settings.detail = delta::SnapshotDetail::kTotals;
  ARROW_ASSIGN_OR_RAISE(auto transaction, delta::Transaction::Begin(table, settings));
  const delta::SnapshotPtr& snapshot = transaction->snapshot();
  if (IsTargetRead(request)) transaction->ReadWholeTable();
  if (write.options.txn_app_id) {
    auto version = transaction->TxnVersion(*write.options.txn_app_id);
    if (version && *version >= write.options.txn_version) return nullptr;
  }
  if (snapshot != nullptr && write.mode == SaveMode::kIgnore) return nullptr;
  if (snapshot != nullptr && write.mode == SaveMode::kErrorIfExists) {
    return UserError("DELTA_PATH_EXISTS", {{"path", "file:" + table->path()}});
  }
  ARROW_RETURN_NOT_OK(CheckOverwrite(snapshot, write));
  if (snapshot == nullptr && write.overwrite() && write.options.replace_using) {
    return UserError("DELTA_PATH_DOES_NOT_EXIST", {{"path", "file:" + table->path()}});
  }

  WritePlanRequest planning;
  planning.sink = &request;
  planning.options = &write.options;
  planning.overwrite = write.overwrite();
  // Appends pass the option over, as in Spark.
  bool replaces = write.overwrite() && write.options.replace_where && snapshot != nullptr;
  if (replaces) ARROW_RETURN_NOT_OK(ReplaceWhere::Check(*write.options.replace_where, *snapshot, *request.context));
  bool checks_rows = request.context->conf("spark.databricks.delta.replaceWhere.constraintCheck.enabled") != "false";
  if (replaces && checks_rows) {
    const std::string& condition = *write.options.replace_where;
    planning.more_checks.push_back({"EXPRESSION(" + condition + ")", condition, /*is_replace_where=*/true});
  }
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeWritePlan(snapshot, table->path(), planning));
  const delta::Metadata& metadata = plan->metadata ? *plan->metadata : snapshot->metadata();
  write.overwrites_partitions = write.overwrite() && write.options.dynamic_overwrite && !write.options.replace_where &&
                                !metadata.partition_columns.empty();
  if (write.overwrites_partitions && write.options.overwrite_schema) {
    return UserError("DELTA_OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE");
  }
  bool replaces_keys = write.overwrite() && write.options.replace_using && snapshot != nullptr;
  if (replaces || replaces_keys) {
    SinkRequest as_it_is = request;
    as_it_is.schema = snapshot->schema();
    as_it_is.partition_columns.clear();
    WritePlanRequest copying;
    copying.sink = &as_it_is;
    copying.options = &write.options;
    copying.copies = true;
    ARROW_ASSIGN_OR_RAISE(auto copies, MakeWritePlan(snapshot, table->path(), copying));
    const WriteOptions& options = write.options;
    ARROW_ASSIGN_OR_RAISE(
        write.replace_where,
        replaces ? ReplaceWhere::Make(*options.replace_where, snapshot, copies->files, *request.context)
                 : ReplaceWhere::Using(options.replace_using_columns, snapshot, copies->files, *request.context));
  }
  if (plan->metadata) transaction->SetMetadata(*plan->metadata);
  if (plan->protocol) transaction->SetProtocol(*plan->protocol);
  ARROW_RETURN_NOT_OK(StageClustering(write, metadata, transaction.get()));
  if (write.options.txn_app_id) transaction->SetTxn(*write.options.txn_app_id, write.options.txn_version);
  bool data_change = write.options.data_change;
  transaction->set_data_change(data_change);
  bool joins = write.options.optimize_write.value_or(
      delta::BooleanProperty(metadata, "delta.autoOptimize.optimizeWrite", false));
  // As Spark: people count the files that a program of theirs writes.
  HeldRows held = joins ? HeldRows::kJoined : HeldRows::kByTask;
  const ConnectorContext* context = request.context;
  return std::make_unique<DeltaWrite>(
      std::move(transaction), plan->files, data_change,
      [write = std::move(write)](delta::Transaction* staged, const std::vector<AddedFile>& files,
                                 const WrittenTotals& totals) { return FinishBatch(write, staged, files, totals); },
      [table, context](const delta::Committed& committed) {
        FollowWrite(table, committed, *context);
        return arrow::Status::OK();
      },
      held);
}

}  // namespace millrace::connector::delta_table
