#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "connector/delta/table_request.h"
#include "connector/delta/write_plan.h"
#include "delta/deletion_vector/deletion_vector.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/alter_table.h"
#include "delta/transaction/transaction.h"
#include "session/result_rows.h"
#include "session/table_commands.h"

/// SHALLOW CLONE: a new Delta table over another's files. Source: delta-spark's CloneTableCommand.

namespace millrace::session {

using catalog::Table;
using catalog::TablePtr;

namespace {

constexpr const char* kOfParquet = "SHALLOW CLONE of a table of Parquet files";

/// What is cloned.
struct CloneSource {
  std::shared_ptr<delta::Table> table;
  delta::SnapshotPtr snapshot;
  /// As the log tells it: delta.`file:/path`, or the table's full name.
  std::string name;
};

// file:/path, percent-encoded: how Hadoop prints the URI of a local file.
std::string HadoopUri(const std::string& path) { return "file:" + FileUri(path).substr(7); }

arrow::Result<CloneSource> OpenSource(Session& session, const Table& table, const sql::CloneTable& clone) {
  if (table.kind == catalog::TableKind::kView || !KeepsOwnSchema(table.provider)) {
    if (table.provider == "parquet") return analyzer::NotSupported(kOfParquet);
    return UserError("DELTA_CLONE_UNSUPPORTED_SOURCE",
                     {{"name", QuoteNameParts(table.FullName())}, {"format", "Unknown"}});
  }
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  connector::SinkRequest request;
  request.path = table.location;
  request.context = &context;
  CloneSource source;
  ARROW_ASSIGN_OR_RAISE(source.table, connector::delta_table::OpenTable(request));
  ARROW_ASSIGN_OR_RAISE(bool exists, source.table->Exists());
  if (!exists) return UserError("DELTA_MISSING_DELTA_TABLE", {{"tableName", QuoteNameParts(clone.source)}});
  ARROW_ASSIGN_OR_RAISE(source.snapshot, source.table->Update());
  std::optional<int64_t> version = clone.version;
  if (version) {
    ARROW_RETURN_NOT_OK(delta::CheckVersionExists(*source.table, *source.snapshot, *version,
                                                  /*must_be_recreatable=*/true, /*allow_beyond_newest=*/false));
  } else if (clone.timestamp) {
    ARROW_ASSIGN_OR_RAISE(int64_t wanted_us,
                          connector::delta_table::ParseTimestampOption(*clone.timestamp, *context.time_zone));
    ARROW_ASSIGN_OR_RAISE(
        auto commit, delta::CommitAtTime(*source.table, *source.snapshot, wanted_us / 1000, {}, *context.time_zone));
    version = commit.version.value;
  }
  if (version) {
    ARROW_ASSIGN_OR_RAISE(source.snapshot, source.table->SnapshotAt(delta::TableVersion(*version)));
  }
  return source;
}

// The definition of the source, by another id, with the properties that the statement changes.
arrow::Result<delta::DefinitionChange> Define(const CloneSource& source, const sql::Properties& properties,
                                              int64_t now_ms) {
  delta::DefinitionChange definition{source.snapshot->metadata(), std::nullopt};
  if (!properties.empty()) {
    Options of_delta;
    delta::StringMap all;
    for (const auto& [key, value] : properties) {
      if (key.starts_with("delta.")) {
        of_delta.Set(key, value);
      } else {
        all[key] = value;
      }
    }
    ARROW_ASSIGN_OR_RAISE(delta::StringMap checked, delta::TableProperties(of_delta));
    all.merge(checked);
    ARROW_ASSIGN_OR_RAISE(delta::Alteration altered, delta::SetProperties(*source.snapshot, all, std::nullopt));
    definition = std::move(altered.definition);
  }
  if (!definition.protocol) definition.protocol = source.snapshot->protocol();
  definition.metadata.id = RandomUuid();
  definition.metadata.created_time_ms = now_ms;
  definition.metadata.name.reset();
  definition.metadata.description.reset();
  return definition;
}

// A file of the source as a file of the clone: it, and what was deleted of it, by absolute paths.
arrow::Result<delta::Add> FileOf(const CloneSource& source, const delta::FileRef& file) {
  delta::Add add = file.columns->ToAdd(file.row);
  add.path = HadoopUri(delta::DataFilePath(source.table->path(), add.path));
  add.data_change = true;
  if (add.deletion_vector && add.deletion_vector->storage_type == 'u') {
    ARROW_ASSIGN_OR_RAISE(std::string path, delta::DeletionVectorPath(source.table->path(), *add.deletion_vector));
    add.deletion_vector->storage_type = 'p';
    add.deletion_vector->path_or_inline = HadoopUri(path);
  }
  return add;
}

delta::Operation Told(const CloneSource& source) {
  delta::Operation operation;
  operation.name = "CLONE";
  operation.is_large = true;
  operation.parameters = {{"source", JsonValue::String(source.name)},
                          {"sourceVersion", JsonValue::Number(source.snapshot->version().value)}};
  const auto& files = source.snapshot->files();
  operation.metrics = {{"sourceTableSize", files.total_size_bytes()},
                       {"sourceNumOfFiles", files.num_files()},
                       {"numRemovedFiles", 0},
                       {"numCopiedFiles", 0},
                       {"removedFilesSize", 0},
                       {"copiedFilesSize", 0}};
  return operation;
}

// One commit; nothing else is written, so that a crash leaves the clone or no clone.
arrow::Status CommitClone(Session& session, const CloneSource& source, const std::shared_ptr<delta::Table>& target,
                          const delta::SnapshotPtr& replaced, const sql::Properties& properties) {
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  ARROW_ASSIGN_OR_RAISE(delta::DefinitionChange definition, Define(source, properties, context.clock->NowMillis()));
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        delta::Transaction::BeginAt(target, replaced, connector::delta_table::SettingsOf(context)));
  transaction->ReadWholeTable();
  transaction->SetMetadata(std::move(definition.metadata));
  transaction->SetProtocol(*std::move(definition.protocol));
  ARROW_RETURN_NOT_OK(source.snapshot->files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(delta::Add add, FileOf(source, file));
    transaction->Stage(std::move(add));
    return arrow::Status::OK();
  }));
  for (const auto& [domain, metadata] : source.snapshot->domain_metadata()) transaction->Stage(metadata);
  ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction->Commit(Told(source)));
  if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) return delta::ToStatus(*conflict, target->path());
  session.cache().Invalidate(target->path());
  return arrow::Status::OK();
}

arrow::Result<QueryResult> SizesOf(const delta::Snapshot& source) {
  JsonValue row = JsonValue::Object();
  row.Set("source_table_size", JsonValue::Number(source.files().total_size_bytes()))
      .Set("source_num_of_files", JsonValue::Number(source.files().num_files()))
      .Set("num_removed_files", JsonValue::Number(int64_t{0}))
      .Set("num_copied_files", JsonValue::Number(int64_t{0}))
      .Set("removed_files_size", JsonValue::Number(int64_t{0}))
      .Set("copied_files_size", JsonValue::Number(int64_t{0}));
  return ResultOfJson(
      "source_table_size BIGINT, source_num_of_files BIGINT, num_removed_files BIGINT, num_copied_files BIGINT, "
      "removed_files_size BIGINT, copied_files_size BIGINT",
      {row});
}

}  // namespace

arrow::Result<QueryResult> TableCommands::CloneDelta(const sql::CloneTable& clone) {
  TablePtr by_path = FindPathTable(clone.target.name);
  TablePtr registered;
  Table table;
  if (by_path != nullptr) {
    table = *by_path;
  } else {
    Save save;
    save.name = clone.target.name;
    save.provider = "delta";
    save.location = clone.target.location;
    ARROW_ASSIGN_OR_RAISE(table, NewTable(save, nullptr));
    registered = metastore_.FindTable(table.database, table.name);
    if (registered != nullptr && !clone.target.location) {
      table.location = registered->location;
      table.kind = registered->kind;
    }
    table.schema = nullptr;
  }
  if (registered != nullptr && !clone.target.replace) {
    if (clone.target.if_not_exists) return EmptyResult();
    return UserError("DELTA_TABLE_ALREADY_EXISTS", {{"tableName", QuoteNameParts(registered->FullName())}});
  }
  bool of_parquet = clone.source.size() == 2 && EqualsIgnoreCase(clone.source[0], "parquet");
  if (of_parquet) return analyzer::NotSupported(kOfParquet);
  ARROW_ASSIGN_OR_RAISE(TablePtr found, Find(clone.source, /*as_relation=*/true));
  ARROW_ASSIGN_OR_RAISE(CloneSource source, OpenSource(session_, *found, clone));
  bool of_path = FindPathTable(clone.source) != nullptr;
  source.name = of_path ? "delta.`file:" + found->location + "`"
                        : std::string(catalog::kCatalogName) + "." + found->database + "." + found->name;
  connector::SinkRequest where;
  where.path = table.location;
  where.context = session_.CurrentConnectorContext();
  ARROW_ASSIGN_OR_RAISE(auto target, connector::delta_table::OpenTable(where));
  ARROW_ASSIGN_OR_RAISE(bool has_log, target->Exists());
  delta::SnapshotPtr replaced;
  if (has_log && clone.target.replace) {
    ARROW_ASSIGN_OR_RAISE(replaced, target->Update());
    if (replaced->files().num_files() > 0) return UserError("DELTA_UNSUPPORTED_NON_EMPTY_CLONE");
  } else if (by_path != nullptr && has_log) {
    return UserError("DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION",
                     {{"tableId", QuoteNameParts({"delta", table.location})}, {"tableLocation", table.location}});
  } else {
    ARROW_RETURN_NOT_OK(CheckDeltaLocation(table, nullptr, /*as_select=*/true));
  }
  ARROW_RETURN_NOT_OK(CommitClone(session_, source, target, replaced, clone.target.properties));
  if (by_path == nullptr) ARROW_RETURN_NOT_OK(metastore_.CreateTable(std::move(table), clone.target.replace));
  return SizesOf(*source.snapshot);
}

}  // namespace millrace::session
