#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/deletion_vector/deletion_vector.h"
#include "delta/log/log_paths.h"
#include "delta/schema/clustering.h"
#include "delta/schema/computed_column.h"
#include "delta/transaction/table_metadata.h"
#include "session/delta_table.h"
#include "session/parquet_files.h"
#include "session/result_rows.h"
#include "session/table_commands.h"

/// SHALLOW CLONE: a new Delta table over another's files. Source: delta-spark's CloneTableCommand.

namespace millrace::session {

using catalog::Table;
using catalog::TablePtr;

namespace {

/// What is cloned.
struct CloneSource {
  delta::Metadata metadata;
  delta::Protocol protocol;
  types::DataTypePtr schema;
  /// By absolute paths.
  std::vector<delta::Add> files;
  /// Domains that the clone takes over.
  std::vector<delta::DomainMetadata> domains;
  int64_t size_bytes = 0;
  /// -1 where there are no versions.
  int64_t version = -1;
  /// As the log tells it: delta.`file:/path`, or the table's full name.
  std::string name;
};

// file:/path, percent-encoded: how Hadoop prints the URI of a local file.
std::string HadoopUri(const std::string& path) { return "file:" + FileUri(path).substr(7); }

// A file of a Delta table as a file of its clone: it, and what was deleted of it, by absolute paths. Its rows are
// others than the source's to who tracks them.
arrow::Result<delta::Add> FileOf(const delta::Table& table, const delta::FileRef& file) {
  delta::Add add = file.columns->ToAdd(file.row);
  add.path = HadoopUri(delta::DataFilePath(table.path(), add.path));
  add.data_change = true;
  add.base_row_id.reset();
  add.default_row_commit_version.reset();
  if (add.deletion_vector && add.deletion_vector->storage_type == 'u') {
    ARROW_ASSIGN_OR_RAISE(std::string path, delta::DeletionVectorPath(table.path(), *add.deletion_vector));
    add.deletion_vector->storage_type = 'p';
    add.deletion_vector->path_or_inline = HadoopUri(path);
  }
  return add;
}

arrow::Result<CloneSource> OfDelta(Session& session, const Table& table, const sql::CloneTable& clone) {
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaLocation(session, table.location, clone.source));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr state, StateAt(session, opened, clone.version, clone.timestamp));
  CloneSource source;
  source.metadata = state->metadata();
  source.protocol = state->protocol();
  source.schema = state->schema();
  source.size_bytes = state->files().total_size_bytes();
  source.version = state->version().value;
  ARROW_RETURN_NOT_OK(state->files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(source.files.emplace_back(), FileOf(*opened.table, file));
    return arrow::Status::OK();
  }));
  auto clustering = state->domain_metadata().find(delta::kClusteringDomain);
  if (clustering != state->domain_metadata().end()) source.domains.push_back(clustering->second);
  return source;
}

// Files of Parquet, in a directory or behind a table of the catalog.
arrow::Result<CloneSource> OfParquet(Session& session, const std::string& path, const Table* table) {
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  ParquetFiles files;
  files.path = path;
  std::vector<types::StructField> partitions;
  for (size_t i = 0; table != nullptr && i < table->partition_columns.size(); ++i) {
    int at = table->schema->FieldIndex(table->partition_columns[i], /*case_sensitive=*/false);
    partitions.push_back(table->schema->fields()[static_cast<size_t>(at)]);
  }
  std::vector<std::string> names;
  for (const types::StructField& field : partitions) names.push_back(field.name);
  files.partition_schema = types::Struct(std::move(partitions));
  ARROW_RETURN_NOT_OK(FindParquetFiles(context, &files));
  delta::StringMap properties;
  if (table != nullptr) properties = {table->properties.begin(), table->properties.end()};
  CloneSource source;
  source.schema = files.schema();
  ARROW_ASSIGN_OR_RAISE(delta::TableDefinition definition,
                        delta::DefineTable(source.schema, std::move(names), properties, context.clock->NowMillis()));
  source.metadata = std::move(definition.metadata);
  source.protocol = std::move(definition.protocol);
  // Where no feature asks for more, Delta starts from the oldest protocol, not from a new table's.
  if (source.protocol.min_writer_version == 2) source.protocol.min_writer_version = 1;
  for (const connector::file::ListedFile& file : files.files) {
    ARROW_ASSIGN_OR_RAISE(delta::Add add, FileOfTable(files, file));
    add.path = HadoopUri(file.path);
    source.size_bytes += add.size_bytes;
    source.files.push_back(std::move(add));
  }
  return source;
}

// The definition of the source, by another id, with the properties that the statement changes.
arrow::Result<delta::DefinitionChange> Define(const CloneSource& source, const delta::SnapshotPtr& replaced,
                                              const sql::Properties& properties, int64_t now_ms) {
  delta::Metadata proposed = source.metadata;
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
  for (auto& [key, value] : all) proposed.configuration[key] = std::move(value);
  // Ids that files of the source carry are not the clone's.
  for (const char* key :
       {"delta.rowTracking.materializedRowIdColumnName", "delta.rowTracking.materializedRowCommitVersionColumnName"}) {
    proposed.configuration.erase(key);
  }
  ARROW_ASSIGN_OR_RAISE(delta::DefinitionChange definition,
                        delta::UpdateDefinition(source.metadata, source.protocol, std::move(proposed), source.schema,
                                                delta::SchemaReplacement::kNone));
  if (!definition.protocol) definition.protocol = source.protocol;
  definition.metadata.id = replaced == nullptr ? RandomUuid() : replaced->metadata().id;
  if (replaced != nullptr) {
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, definition.metadata.ParseSchema());
    definition.metadata.schema_string = delta::WithIdentityMarksOf(schema, *replaced->schema())->ToJson();
  }
  definition.metadata.created_time_ms = now_ms;
  definition.metadata.name.reset();
  definition.metadata.description.reset();
  return definition;
}

delta::Operation Told(const CloneSource& source) {
  delta::Operation operation;
  operation.name = "CLONE";
  operation.is_large = true;
  operation.parameters = {{"source", JsonValue::String(source.name)},
                          {"sourceVersion", JsonValue::Number(source.version)}};
  operation.metrics = {{"sourceTableSize", source.size_bytes},
                       {"sourceNumOfFiles", static_cast<int64_t>(source.files.size())},
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
  ARROW_ASSIGN_OR_RAISE(delta::DefinitionChange definition,
                        Define(source, replaced, properties, context.clock->NowMillis()));
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, {target, replaced}));
  transaction->ReadWholeTable();
  transaction->SetMetadata(std::move(definition.metadata));
  transaction->SetProtocol(*std::move(definition.protocol));
  for (const delta::Add& file : source.files) transaction->Stage(file);
  for (const delta::DomainMetadata& domain : source.domains) transaction->Stage(domain);
  return CommitChange(session, *transaction, Told(source)).status();
}

arrow::Result<QueryResult> SizesOf(const CloneSource& source) {
  JsonValue row = JsonValue::Object();
  row.Set("source_table_size", JsonValue::Number(source.size_bytes))
      .Set("source_num_of_files", JsonValue::Number(static_cast<int64_t>(source.files.size())))
      .Set("num_removed_files", JsonValue::Number(int64_t{0}))
      .Set("num_copied_files", JsonValue::Number(int64_t{0}))
      .Set("removed_files_size", JsonValue::Number(int64_t{0}))
      .Set("copied_files_size", JsonValue::Number(int64_t{0}));
  return ResultOfJson(
      "source_table_size BIGINT, source_num_of_files BIGINT, num_removed_files BIGINT, num_copied_files BIGINT, "
      "removed_files_size BIGINT, copied_files_size BIGINT",
      {row});
}

arrow::Result<CloneSource> OpenCloneSource(Session& session, const sql::CloneTable& clone) {
  bool parquet_path = clone.source.size() == 2 && EqualsIgnoreCase(clone.source[0], "parquet") &&
                      clone.source[1].find('/') != std::string::npos;
  if (parquet_path) {
    std::string path = AbsolutePath(LocalPath(clone.source[1]));
    ARROW_ASSIGN_OR_RAISE(auto found, session.CurrentConnectorContext()->file_system->Stat(path));
    if (!found) return UserError("PATH_NOT_FOUND", {{"path", HadoopUri(path)}});
    ARROW_ASSIGN_OR_RAISE(CloneSource source, OfParquet(session, path, nullptr));
    source.name = "parquet.`" + HadoopUri(path) + "`";
    return source;
  }
  TableCommands tables(session);
  ARROW_ASSIGN_OR_RAISE(TablePtr table, tables.Find(clone.source, /*as_relation=*/true));
  bool is_view = table->kind == catalog::TableKind::kView;
  std::string full_name = std::string(catalog::kCatalogName) + "." + table->database + "." + table->name;
  if (!is_view && KeepsOwnSchema(table->provider)) {
    ARROW_ASSIGN_OR_RAISE(CloneSource source, OfDelta(session, *table, clone));
    source.name = KeepsOwnSchema(table->database) ? "delta.`file:" + table->location + "`" : full_name;
    return source;
  }
  if (!is_view && table->provider == "parquet") {
    ARROW_ASSIGN_OR_RAISE(CloneSource source, OfParquet(session, table->location, table.get()));
    source.name = full_name;
    return source;
  }
  return UserError("DELTA_CLONE_UNSUPPORTED_SOURCE",
                   {{"name", QuoteNameParts(table->FullName())}, {"format", "Unknown"}});
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
  ARROW_ASSIGN_OR_RAISE(CloneSource source, OpenCloneSource(session_, clone));
  ARROW_ASSIGN_OR_RAISE(auto target, DeltaTableAt(session_, table.location));
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
  return SizesOf(source);
}

}  // namespace millrace::session
