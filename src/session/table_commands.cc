#include "session/table_commands.h"

#include <algorithm>
#include <filesystem>

#include "analyzer/name_resolution.h"
#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/missing_source.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "session/delta_table.h"
#include "types/arrow_type.h"
#include "types/char_type.h"
#include "types/column_metadata.h"

namespace millrace::session {

using catalog::Table;
using catalog::TableKind;
using catalog::TablePtr;

namespace {

bool IsSameProvider(std::string_view one, std::string_view other) {
  const connector::SinkDef* sink = connector::FindSink(one);
  return sink != nullptr ? sink == connector::FindSink(other) : EqualsIgnoreCase(one, other);
}

// The class that Spark finds by a provider's name, as its messages tell it.
std::string ClassOfProvider(std::string_view provider) {
  const connector::SinkDef* sink = connector::FindSink(provider);
  std::string name = sink == nullptr ? std::string(provider) : std::string(sink->name);
  if (name == "delta") return "DeltaDataSource";
  if (name == "parquet") return "ParquetDataSourceV2";
  if (name == "csv") return "CSVDataSourceV2";
  if (name == "json") return "JsonDataSourceV2";
  if (name == "orc") return "OrcDataSourceV2";
  if (name == "text") return "TextDataSourceV2";
  if (name == "avro") return "AvroDataSourceV2";
  return name == "xml" ? "XmlFileFormat" : name;
}

types::DataTypePtr Nullable(const types::DataType& schema) {
  std::vector<types::StructField> fields = schema.fields();
  for (types::StructField& field : fields) {
    field.nullable = true;
    field.type = types::AsNullable(field.type);
  }
  return types::Struct(std::move(fields));
}

// Partition columns last, in the order of PARTITIONED BY.
arrow::Result<types::DataTypePtr> PartitionColumnsLast(const std::string& table_name, const types::DataType& schema,
                                                       std::vector<std::string>* partition_columns,
                                                       bool case_sensitive) {
  std::vector<types::StructField> last;
  std::vector<bool> is_partition(schema.fields().size(), false);
  for (std::string& column : *partition_columns) {
    int at = schema.FieldIndex(column, case_sensitive);
    if (at < 0) {
      std::string columns;
      for (const auto& field : schema.fields()) columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(field.name);
      return UserError("COLUMN_NOT_DEFINED_IN_TABLE", {{"colType", "partition"},
                                                       {"colName", QuoteIdentifier(column)},
                                                       {"tableName", table_name},
                                                       {"tableCols", columns}});
    }
    column = schema.fields()[static_cast<size_t>(at)].name;
    is_partition[static_cast<size_t>(at)] = true;
    last.push_back(schema.fields()[static_cast<size_t>(at)]);
  }
  if (!last.empty() && last.size() == schema.fields().size()) return UserError("ALL_PARTITION_COLUMNS_NOT_ALLOWED");
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < is_partition.size(); ++i) {
    if (!is_partition[i]) fields.push_back(schema.fields()[i]);
  }
  fields.insert(fields.end(), last.begin(), last.end());
  return types::Struct(std::move(fields));
}

bool ReadsFrom(const logical::Plan& plan, const std::string& location) {
  bool found = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    if (node.kind() != logical::NodeKind::kSourceScan) return;
    for (const std::string& path : static_cast<const logical::SourceScan&>(node).request()->paths) {
      found = found || AbsolutePath(LocalPath(path)) == location;
    }
  });
  return found;
}

}  // namespace

types::DataTypePtr SchemaOfColumns(const std::vector<sql::ColumnDefinition>& columns) {
  std::vector<types::StructField> fields;
  for (const auto& column : columns) fields.push_back(column.field);
  return types::Struct(std::move(fields));
}

logical::PlanPtr NoRows(const types::DataTypePtr& schema) {
  auto none = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  return std::make_shared<logical::LocalRelation>(analyzer::NewColumns(*schema), std::move(none));
}

arrow::Status CheckNoInnerChars(const types::StructField& field) {
  if (types::DeclaredTypeOf(field) == nullptr || types::CharTypeOf(field)) return arrow::Status::OK();
  return UserError("INVALID_SQL_SYNTAX.UNSUPPORTED_SQL_STATEMENT",
                   {{"sqlText", "CHAR and VARCHAR inside of a type of a table of files"}});
}

bool KeepsOwnSchema(std::string_view provider) { return EqualsIgnoreCase(provider, "delta"); }

TableCommands::TableCommands(Session& session, const RunControl& control)
    : session_(session),
      control_(control),
      catalog_(session.catalog()),
      metastore_(session.catalog().metastore()),
      files_(*session.engine().file_system) {}

arrow::Result<catalog::Catalog::TableName> TableCommands::Qualify(const sql::NameParts& name) const {
  std::optional<catalog::Catalog::TableName> qualified = catalog_.QualifyTable(name);
  if (qualified) return *qualified;
  if (name.size() == 3)
    return UserError("CATALOG_NOT_FOUND", {{"catalogName", QuoteIdentifier(name[0])},
                                           {"config", QuoteConf("spark.sql.catalog." + name[0])}});
  std::vector<std::string> database(name.begin(), name.end() - 1);
  return UserError("REQUIRES_SINGLE_PART_NAMESPACE",
                   {{"sessionCatalog", catalog::kCatalogName}, {"identifier", QuoteNameParts(database)}});
}

arrow::Result<TablePtr> TableCommands::Find(const sql::NameParts& name, bool as_relation) const {
  TablePtr table = catalog_.FindTable(name);
  if (table == nullptr) table = FindPathTable(name);
  if (table != nullptr) return table;
  if (as_relation) {
    return UserError("TABLE_OR_VIEW_NOT_FOUND",
                     {{"relationName", QuoteNameParts(name)}, {"searchPath", session_.SearchPath()}});
  }
  // Commands look for tables and temporary views only.
  return UserError(
      "TABLE_OR_VIEW_NOT_FOUND",
      {{"relationName", QuoteNameParts(name)},
       {"searchPath", "[`system`.`session`, " + catalog::QuotedDatabase(catalog_.current_database()) + "]"}});
}

arrow::Result<TablePtr> TableCommands::FindTable(const sql::NameParts& name, const std::string& operation,
                                                 bool no_alternative) const {
  bool temporary = catalog_.FindView(name).has_value();
  TablePtr table = temporary ? nullptr : catalog_.FindTable(name);
  if (temporary || (table != nullptr && table->kind == TableKind::kView)) {
    return UserError(no_alternative ? "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE" : "EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW",
                     {{"viewName", QuoteNameParts(temporary ? name : table->FullName())}, {"operation", operation}});
  }
  return Find(name, operation == "INSERT");
}

arrow::Result<types::DataTypePtr> TableCommands::SchemaOf(const Table& table) const {
  if (table.schema != nullptr) return table.schema;
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr scan,
                        analyzer::ScanTable(session_.MakeAnalyzerContext(), table, Options(), /*streaming=*/false));
  return scan->Schema();
}

arrow::Result<std::string> TableCommands::DatabaseLocation(const std::string& database) const {
  std::optional<catalog::Database> found = metastore_.FindDatabase(database);
  if (!found) return UserError("SCHEMA_NOT_FOUND", {{"schemaName", catalog::QuotedDatabase(database)}});
  return found->location.empty() ? session_.WarehouseDirectory() : found->location;
}

arrow::Result<Table> TableCommands::NewTable(const Save& save, types::DataTypePtr schema) const {
  ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(save.name));
  Table table;
  table.database = name.database;
  table.name = name.name;
  table.provider = ToLowerAscii(save.provider);
  ARROW_ASSIGN_OR_RAISE(std::string base, DatabaseLocation(name.database));
  std::optional<std::string> location = save.location;
  if (!location) location = save.options.Get("path");
  table.kind = location ? TableKind::kExternal : TableKind::kManaged;
  table.location = location ? AbsolutePath(LocalPath(*location)) : JoinPath(base, name.name);
  table.partition_columns = save.partition_columns;
  if (schema != nullptr) {
    bool case_sensitive = session_.conf().GetBool("spark.sql.caseSensitive");
    ARROW_RETURN_NOT_OK(CheckKeptColumns(*schema, case_sensitive));
    ARROW_ASSIGN_OR_RAISE(table.schema, PartitionColumnsLast(QuoteNameParts(table.FullName()), *schema,
                                                             &table.partition_columns, case_sensitive));
  }
  table.buckets = save.buckets;
  ARROW_RETURN_NOT_OK(CheckBuckets(session_, &table));
  for (const auto& [key, entry] : save.options.entries()) {
    if (key != "path") table.options[entry.key] = entry.value;
  }
  table.properties = save.properties;
  table.comment = save.comment;
  table.created_ms = session_.engine().clock->NowMicros() / 1000;
  return table;
}

arrow::Status TableCommands::CheckLocationIsFree(const Table& table) const {
  if (table.kind != TableKind::kManaged || KeepsOwnSchema(table.provider)) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
  if (!found) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> children, files_.List(table.location));
  if (children.empty()) return arrow::Status::OK();
  return UserError("LOCATION_ALREADY_EXISTS",
                   {{"location", "'file:" + table.location + "'"}, {"identifier", QuoteNameParts(table.FullName())}});
}

arrow::Status TableCommands::WriteNew(const Table& table, const Options& options, logical::PlanPtr plan,
                                      connector::SaveMode mode, bool defines_table,
                                      std::optional<connector::TableStatement> statement) {
  const connector::SinkDef* sink = connector::FindSink(table.provider);
  if (sink == nullptr) return connector::MissingSource(table.provider);
  connector::SinkRequest request;
  request.options = options;
  for (const auto& [key, value] : table.options) request.options.Set(key, value);
  request.path = table.location;
  request.partition_columns = table.partition_columns;
  request.save_mode = mode;
  request.defines_table = defines_table;
  request.statement = std::move(statement);
  if (table.buckets) {
    request.bucket_column = kBucketColumn;
    ARROW_ASSIGN_OR_RAISE(plan, InBuckets(session_, std::move(plan), table));
  }
  return session_.WriteRows(std::move(plan), *sink, std::move(request), control_);
}

arrow::Status TableCommands::CreateFrom(const Save& save, logical::PlanPtr plan, bool if_not_exists) {
  if (KeepsOwnSchema(save.provider)) return CreateDelta(save, {true, false, if_not_exists}, nullptr, std::move(plan));
  ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(save.name));
  if (metastore_.FindTable(name.database, name.name) != nullptr) {
    if (if_not_exists) return arrow::Status::OK();
    return UserError("TABLE_OR_VIEW_ALREADY_EXISTS",
                     {{"relationName", QuoteNameParts({catalog::kCatalogName, name.database, name.name})}});
  }
  if (connector::FindSink(save.provider) == nullptr) {
    return connector::MissingSource(save.provider);
  }
  ARROW_ASSIGN_OR_RAISE(Table table, NewTable(save, Nullable(*plan->Schema())));
  ARROW_RETURN_NOT_OK(CheckLocationIsFree(table));
  bool external = table.kind == TableKind::kExternal;
  ARROW_RETURN_NOT_OK(WriteNew(table, save.options, std::move(plan),
                               external ? connector::SaveMode::kOverwrite : connector::SaveMode::kAppend));
  return metastore_.CreateTable(std::move(table));
}

arrow::Status TableCommands::Create(const sql::CreateTable& create) {
  Save save{create.name,       create.provider, create.partition_columns, {},
            create.properties, create.comment,  create.location,          create.buckets};
  bool by_path = FindPathTable(create.name) != nullptr;
  if (by_path) save.provider = create.name[0];
  if (save.provider.empty()) save.provider = session_.conf().Get("spark.sql.sources.default").value_or("parquet");
  if (!create.cluster_columns.empty()) ARROW_RETURN_NOT_OK(SetClustering(create.cluster_columns, &save));
  for (const auto& [key, value] : create.options) save.options.Set(key, value);
  save.is_like = create.is_like;
  bool keeps_options = KeepsOwnSchema(save.provider) && !create.query && !create.replace;
  for (const auto& [key, value] : create.options) {
    // As Spark hands options of a definition to Delta: under both names.
    if (!keeps_options || EqualsIgnoreCase(key, "path")) continue;
    save.properties[key] = value;
    save.properties["option." + key] = value;
  }
  if (create.query && !create.columns.empty()) {
    bool of_partitions = create.columns.size() == create.num_typed_partitions;
    return UserError(
        "_LEGACY_ERROR_TEMP_0035",
        {{"message", of_partitions ? "Partition column types may not be specified in Create Table As Select (CTAS)"
                                   : "Schema may not be specified in a Create Table As Select (CTAS) statement"}});
  }
  for (const sql::PartitionTransform& transform : create.partition_transforms) {
    ARROW_RETURN_NOT_OK(SetPartitionTransform(transform, &save));
  }
  if (!by_path) {
    ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(create.name));
    if (!metastore_.HasDatabase(name.database)) {
      return UserError("SCHEMA_NOT_FOUND", {{"schemaName", catalog::QuotedDatabase(name.database)}});
    }
  }
  if (KeepsOwnSchema(save.provider)) {
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr columns, DeltaSchemaOf(create));
    logical::PlanPtr plan;
    if (create.query) {
      ARROW_ASSIGN_OR_RAISE(plan, session_.Analyze(*create.query));
    }
    return CreateDelta(save, {create.create, create.replace, create.if_not_exists}, std::move(columns),
                       std::move(plan));
  }
  return CreateOfFiles(create, save);
}

arrow::Status TableCommands::CreateOfFiles(const sql::CreateTable& create, const Save& save) {
  ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(create.name));
  std::vector<std::string> full = {catalog::kCatalogName, name.database, name.name};
  TablePtr existing = metastore_.FindTable(name.database, name.name);
  if (create.replace) {
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", QuoteNameParts(full)}, {"operation", "REPLACE TABLE"}});
  }
  if (existing != nullptr) {
    if (create.if_not_exists) return arrow::Status::OK();
    return UserError("TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteNameParts(full)}});
  }
  if (create.external && !create.location) {
    return UserError("_LEGACY_ERROR_TEMP_1069");
  }
  if (connector::FindSink(save.provider) == nullptr && connector::FindSource(save.provider) == nullptr) {
    return connector::MissingSource(save.provider);
  }
  for (const sql::ColumnDefinition& column : create.columns) {
    ARROW_RETURN_NOT_OK(CheckNoInnerChars(column.field));
    if (!column.generated_as && !column.identity) continue;
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", QuoteNameParts(full)},
                      {"operation", column.identity ? "identity column" : "generated columns"}});
  }
  if (create.query) {
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session_.Analyze(*create.query));
    return CreateFrom(save, std::move(plan), create.if_not_exists);
  }
  types::DataTypePtr schema = create.columns.empty() ? nullptr : SchemaOfColumns(create.columns);
  ARROW_ASSIGN_OR_RAISE(Table table, NewTable(save, schema));
  if (schema == nullptr) {
    // The files say what the columns are.
    Table unknown = table;
    ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
    if (!found) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", ShownProvider(table.provider)}});
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr scan, analyzer::ScanTable(session_.MakeAnalyzerContext(), unknown, Options(),
                                                                     /*streaming=*/false));
    table.schema = scan->Schema();
  } else {
    ARROW_RETURN_NOT_OK(CheckLocationIsFree(table));
    ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
    if (!found) ARROW_RETURN_NOT_OK(files_.CreateDirectories(table.location));
  }
  return metastore_.CreateTable(std::move(table));
}

arrow::Status TableCommands::DropFiles(const Table& table) {
  if (table.kind != TableKind::kManaged) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
  return found ? files_.RemoveTree(table.location) : arrow::Status::OK();
}

std::string TableCommands::QuotedDatabaseOf(const sql::NameParts& name) const {
  std::optional<catalog::Catalog::TableName> qualified = catalog_.QualifyTable(name);
  return catalog::QuotedDatabase(qualified ? qualified->database : name[0]);
}

arrow::Status TableCommands::Drop(const sql::DropRelation& drop) {
  bool global = drop.name.size() == 2 && EqualsIgnoreCase(drop.name[0], catalog::kGlobalTempDatabase);
  if ((drop.name.size() == 1 || global) && catalog_.DropView(drop.name.back(), global)) return arrow::Status::OK();
  TablePtr table = catalog_.FindTable(drop.name);
  if (table == nullptr) {
    if (drop.if_exists) return arrow::Status::OK();
    return UserError("TABLE_OR_VIEW_NOT_FOUND", {{"relationName", QuoteNameParts(session_.FullNameOf(drop.name))},
                                                 {"searchPath", "[" + QuotedDatabaseOf(drop.name) + "]"}});
  }
  bool is_view = table->kind == TableKind::kView;
  if (drop.view && !is_view) {
    return UserError("WRONG_COMMAND_FOR_OBJECT_TYPE",
                     {{"operation", "DROP VIEW"},
                      {"requiredType", "VIEW or METRIC_VIEW"},
                      {"objectName", std::string(catalog::kCatalogName) + "." + table->database + "." + table->name},
                      {"foundType", table->kind == TableKind::kExternal ? "EXTERNAL" : "MANAGED"},
                      {"alternative", "DROP TABLE"}});
  }
  // The name first: when we die in between, files without a table are left, not a table without files.
  ARROW_RETURN_NOT_OK(metastore_.DropTable(table->database, table->name));
  return DropFiles(*table);
}

arrow::Status TableCommands::CreateDatabase(const sql::CreateDatabase& create) {
  std::vector<std::string> name = create.name;
  if (name.size() > 1 && EqualsIgnoreCase(name[0], catalog::kCatalogName)) name.erase(name.begin());
  if (name.size() != 1) {
    return UserError("REQUIRES_SINGLE_PART_NAMESPACE",
                     {{"sessionCatalog", catalog::kCatalogName}, {"identifier", QuoteNameParts(create.name)}});
  }
  catalog::Database database;
  database.name = ToLowerAscii(name[0]);
  if (database.name == catalog::kGlobalTempDatabase) {
    return UserError("_LEGACY_ERROR_TEMP_1066", {{"database", catalog::kGlobalTempDatabase}});
  }
  database.comment = create.comment.value_or("");
  database.location = create.location ? AbsolutePath(LocalPath(*create.location))
                                      : JoinPath(session_.WarehouseDirectory(), database.name + ".db");
  database.properties = create.properties;
  return metastore_.CreateDatabase(std::move(database), create.if_not_exists);
}

arrow::Status TableCommands::DropDatabase(const sql::DropDatabase& drop) {
  std::optional<catalog::Database> database = metastore_.FindDatabase(drop.name.back());
  ARROW_ASSIGN_OR_RAISE(std::vector<TablePtr> tables,
                        metastore_.DropDatabase(drop.name.back(), drop.if_exists, drop.cascade));
  for (const TablePtr& table : tables) ARROW_RETURN_NOT_OK(DropFiles(*table));
  if (!database || database->location.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(database->location));
  if (!found) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto children, files_.List(database->location));
  return children.empty() || drop.cascade ? files_.RemoveTree(database->location) : arrow::Status::OK();
}

arrow::Status TableCommands::InsertInto(const Table& table, logical::PlanPtr plan, const InsertRequest& request) {
  if (KeepsOwnSchema(table.provider)) return InsertIntoDelta(table, std::move(plan), request);
  if (!request.condition.empty()) {
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", QuoteNameParts(table.FullName())}, {"operation", "overwrite by filter"}});
  }
  InsertTarget target;
  target.table_name = QuoteNameParts(table.FullName());
  ARROW_ASSIGN_OR_RAISE(target.schema, SchemaOf(table));
  bool case_sensitive = session_.conf().GetBool("spark.sql.caseSensitive");
  for (const auto& [name, value] : request.partition) {
    bool known = std::any_of(table.partition_columns.begin(), table.partition_columns.end(), [&](const auto& column) {
      return case_sensitive ? column == name : EqualsIgnoreCase(column, name);
    });
    if (!known) {
      return UserError("PARTITIONS_NOT_FOUND",
                       {{"partitionList", QuoteIdentifier(name)}, {"tableName", target.table_name}});
    }
  }
  if (request.overwrite && ReadsFrom(*plan, table.location)) {
    return UserError("UNSUPPORTED_OVERWRITE.TABLE", {{"table", target.table_name}});
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr aligned,
                        AlignInsertColumns(session_.MakeAnalyzerContext(), std::move(plan), target, request.partition,
                                           request.columns, request.by_name));
  Options options = request.options;
  bool fixed = std::any_of(request.partition.begin(), request.partition.end(), [](const auto& p) { return p.second; });
  // PARTITION (p = 1) replaces that partition only.
  if (request.overwrite && (fixed || request.dynamic)) options.Set("partitionOverwriteMode", "dynamic");
  return WriteNew(table, options, std::move(aligned),
                  request.overwrite ? connector::SaveMode::kOverwrite : connector::SaveMode::kAppend);
}

static arrow::Status CannotInsert(const Table& table, const char* operation) {
  bool by_path = KeepsOwnSchema(table.database);
  std::string name =
      by_path ? "`delta`." + QuoteIdentifier("file:" + table.location) : QuoteNameParts(table.FullName());
  return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION", {{"tableName", name}, {"operation", operation}});
}

arrow::Status TableCommands::Insert(const sql::Insert& insert) {
  ARROW_ASSIGN_OR_RAISE(TablePtr table, FindTable(insert.table, "INSERT"));
  // Spark plans these for catalogs that are not its own; Delta has them as options of a write only.
  if (insert.replaces_matches) return CannotInsert(*table, "INSERT INTO ... REPLACE ON/USING");
  if (insert.evolves_schema && !KeepsOwnSchema(table->provider)) {
    return CannotInsert(*table, "INSERT WITH SCHEMA EVOLUTION");
  }
  Table target = *table;
  if (KeepsOwnSchema(target.provider)) {
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, DeltaSnapshot(target));
    target.schema = snapshot->schema();
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session_.AnalyzeInsert(insert, target));
  InsertRequest request{insert.overwrite, false, insert.by_name, insert.columns, insert.partition, {}, {}};
  request.condition = insert.replace_where;
  if (insert.evolves_schema) request.options.Set("mergeSchema", "true");
  return InsertInto(*table, std::move(plan), request);
}

arrow::Status TableCommands::InsertDirectory(const sql::InsertDirectory& insert) {
  const connector::SinkDef* sink = connector::FindSink(insert.provider);
  if (sink == nullptr) return connector::MissingSource(insert.provider);
  connector::SinkRequest request;
  for (const auto& [key, value] : insert.options) request.options.Set(key, value);
  request.path = insert.path.empty() ? request.options.GetOr("path", "") : insert.path;
  request.save_mode = connector::SaveMode::kOverwrite;
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session_.Analyze(insert.query));
  return session_.WriteRows(std::move(plan), *sink, std::move(request), control_);
}

arrow::Status TableCommands::SaveAsTable(const Save& save, connector::SaveMode mode, logical::PlanPtr plan) {
  TablePtr table = catalog_.FindTable(save.name);
  if (table == nullptr) {
    return CreateFrom(save, std::move(plan), /*if_not_exists=*/mode == connector::SaveMode::kIgnore);
  }
  if (table->kind == TableKind::kView) {
    return UserError("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
                     {{"viewName", QuoteNameParts(table->FullName())}, {"operation", "SAVE AS TABLE"}});
  }
  switch (mode) {
    case connector::SaveMode::kErrorIfExists:
      return UserError("TABLE_OR_VIEW_ALREADY_EXISTS",
                       {{"relationName", QuoteNameParts(KeepsOwnSchema(save.provider)
                                                            ? std::vector<std::string>{table->database, table->name}
                                                            : table->FullName())}});
    case connector::SaveMode::kIgnore:
      return arrow::Status::OK();
    case connector::SaveMode::kAppend: {
      if (!IsSameProvider(save.provider, table->provider)) {
        return UserError("_LEGACY_ERROR_TEMP_1159",
                         {{"tableName", std::string(catalog::kCatalogName) + "." + table->database + "." + table->name},
                          {"existingProvider", ClassOfProvider(table->provider)},
                          {"specifiedProvider", ClassOfProvider(save.provider)}});
      }
      if (KeepsOwnSchema(table->provider)) return AppendToDelta(*table, save, std::move(plan));
      if (save.buckets != table->buckets) {
        return UserError("_LEGACY_ERROR_TEMP_1164",
                         {{"tableName", std::string(catalog::kCatalogName) + "." + table->database + "." + table->name},
                          {"specifiedBucketString", ShownBuckets(save.buckets)},
                          {"existingBucketString", ShownBuckets(table->buckets)}});
      }
      InsertRequest request;
      request.by_name = true;
      ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, SchemaOf(*table));
      if (schema->fields().size() != plan->output().size()) {
        return UserError("_LEGACY_ERROR_TEMP_1161", {{"tableName", table->name},
                                                     {"existingTableSchema", schema->CatalogString()},
                                                     {"querySchema", plan->Schema()->CatalogString()}});
      }
      return InsertInto(*table, std::move(plan), request);
    }
    case connector::SaveMode::kOverwrite:
      break;
  }
  if (KeepsOwnSchema(table->provider) && KeepsOwnSchema(save.provider)) {
    Table same = *table;
    same.partition_columns = save.partition_columns;
    connector::TableStatement statement;
    statement.replace = statement.or_create = statement.as_select = statement.is_save_as_table = true;
    statement.is_managed = table->kind == TableKind::kManaged;
    statement.cluster_columns = save.cluster_columns;
    return WriteNew(same, save.options, std::move(plan), mode, /*defines_table=*/false, std::move(statement));
  }
  if (ReadsFrom(*plan, table->location)) {
    return UserError("UNSUPPORTED_OVERWRITE.TABLE", {{"table", QuoteNameParts(table->FullName())}});
  }
  ARROW_RETURN_NOT_OK(metastore_.DropTable(table->database, table->name));
  ARROW_RETURN_NOT_OK(DropFiles(*table));
  return CreateFrom(save, std::move(plan), /*if_not_exists=*/false);
}

arrow::Status TableCommands::Truncate(const sql::TruncateTable& truncate) {
  ARROW_ASSIGN_OR_RAISE(TablePtr table, FindTable(truncate.name, "TRUNCATE TABLE"));
  if (KeepsOwnSchema(table->provider)) {
    if (!truncate.partition.empty()) return UserError("DELTA_TRUNCATE_TABLE_PARTITION_NOT_SUPPORTED");
    return TruncateDeltaTable(session_, *table);
  }
  if (table->kind == TableKind::kExternal) {
    return UserError("_LEGACY_ERROR_TEMP_1266", {{"tableIdentWithDB", QuoteNameParts(table->FullName())}});
  }
  if (truncate.partition.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table->location));
    if (found) ARROW_RETURN_NOT_OK(files_.RemoveTree(table->location));
    return files_.CreateDirectories(table->location);
  }
  sql::AlterTable drop{};
  drop.kind = sql::AlterTable::Kind::kDropPartitions;
  drop.partitions = {truncate.partition};
  drop.if_exists = true;
  return AlterPartitions(*table, drop);
}

std::string ShownProvider(std::string_view provider) {
  if (provider == "parquet") return "Parquet";
  if (provider == "text") return "Text";
  if (provider == "avro") return "Avro";
  return ToUpperAscii(provider);
}

}  // namespace millrace::session
