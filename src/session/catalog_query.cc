#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "function/function_def.h"
#include "session/function_commands.h"
#include "session/function_names.h"
#include "session/result_rows.h"
#include "session/session.h"
#include "session/sql_command.h"
#include "session/table_commands.h"
#include "spark/connect/catalog.pb.h"
#include "sql/data_type_proto.h"
#include "sql/parser.h"
#include "types/column_metadata.h"

/// spark.catalog: one message a method of pyspark.sql.Catalog.

namespace millrace::session {

namespace {

namespace connect = spark::connect;
using catalog::TableKind;
using catalog::TablePtr;

types::StructField Text(std::string name, bool nullable = true) {
  return {std::move(name), types::String(), nullable, ""};
}
types::StructField Flag(std::string name) { return {std::move(name), types::Boolean(), false, ""}; }

arrow::Result<QueryResult> One(bool value) { return ResultOf(types::Struct({Flag("value")}), {{value}}); }
arrow::Result<QueryResult> One(const std::string& value) { return ResultOf(types::Struct({Text("value")}), {{value}}); }

arrow::Result<QueryResult> Done(const arrow::Status& status) {
  ARROW_RETURN_NOT_OK(status);
  return EmptyResult();
}

types::DataTypePtr TableSchema() {
  return types::Struct({Text("name"),
                        Text("catalog"),
                        {"namespace", types::Array(types::String()), true, ""},
                        Text("description"),
                        Text("tableType"),
                        Flag("isTemporary")});
}

types::DataTypePtr DatabaseSchema() {
  return types::Struct({Text("name"), Text("catalog"), Text("description"), Text("locationUri")});
}

types::DataTypePtr FunctionSchema() {
  return types::Struct({Text("name"),
                        Text("catalog"),
                        {"namespace", types::Array(types::String()), true, ""},
                        Text("description"),
                        Text("className"),
                        Flag("isTemporary")});
}

std::vector<Cell> TableRow(const catalog::Table& table) {
  Cell comment = table.comment ? Cell(*table.comment) : Cell(nullptr);
  std::string kind = table.kind == TableKind::kView       ? "VIEW"
                     : table.kind == TableKind::kExternal ? "EXTERNAL"
                                                          : "MANAGED";
  return {table.name, std::string(catalog::kCatalogName), std::vector<std::string>{table.database}, comment, kind,
          false};
}

std::vector<Cell> TemporaryRow(const std::string& name, bool global) {
  std::vector<std::string> space;
  if (global) space.emplace_back(catalog::kGlobalTempDatabase);
  return {name, nullptr, space, nullptr, std::string("TEMPORARY"), true};
}

std::vector<Cell> FunctionRow(const std::string& name) {
  const function::FunctionDef* def = function::FindFunction(name);
  Cell description = def == nullptr ? Cell(nullptr) : Cell(std::string(def->description));
  return {name, nullptr, nullptr, description, "org.apache.spark.sql.catalyst.expressions." + name, true};
}

std::vector<Cell> FunctionRow(const ShownFunction& function) {
  bool temporary = function.database.empty();
  return {function.name,
          temporary ? Cell(nullptr) : Cell(std::string(catalog::kCatalogName)),
          temporary ? Cell(nullptr) : Cell(std::vector<std::string>{function.database}),
          function.description ? Cell(*function.description) : Cell(nullptr),
          function.class_name,
          temporary};
}

bool IsBuiltIn(const sql::NameParts& name) { return name.size() == 1 && function::FindFunction(name[0]) != nullptr; }

/// Answers one message.
class CatalogQuery {
 public:
  explicit CatalogQuery(Session& session)
      : session_(session), catalog_(session.catalog()), metastore_(catalog_.metastore()), tables_(session) {}

  arrow::Result<QueryResult> Run(const connect::Catalog& message);

 private:
  using NameParts = sql::NameParts;

  // "db.t", or "t" beside a database of its own.
  arrow::Result<NameParts> Name(const std::string& name, const std::string& database = "") const {
    if (!database.empty()) return NameParts{database, name};
    return sql::ParseMultipartIdentifier(name);
  }

  arrow::Result<std::string> Database(const std::string& name) const {
    ARROW_ASSIGN_OR_RAISE(NameParts parts, sql::ParseMultipartIdentifier(name));
    if (EqualsIgnoreCase(parts.back(), catalog::kGlobalTempDatabase)) return std::string(catalog::kGlobalTempDatabase);
    if (!metastore_.HasDatabase(parts.back())) {
      return UserError("SCHEMA_NOT_FOUND", {{"schemaName", catalog::QuotedDatabase(parts.back())}});
    }
    return ToLowerAscii(parts.back());
  }

  std::vector<Cell> DatabaseRow(const std::string& name) const {
    std::optional<catalog::Database> database = metastore_.FindDatabase(name);
    if (!database) return {name, std::string(catalog::kCatalogName), nullptr, nullptr};
    std::string location = database->location.empty() ? session_.WarehouseDirectory() : database->location;
    return {name, std::string(catalog::kCatalogName), database->comment, "file:" + location};
  }

  arrow::Result<QueryResult> ListTables(const std::string& database, const std::optional<std::string>& pattern,
                                        bool views_only) const {
    std::vector<std::vector<Cell>> rows;
    auto wanted = [&](const std::string& name) { return !pattern || MatchesPattern(name, *pattern); };
    for (const TablePtr& table : metastore_.Tables(database)) {
      if (wanted(table->name) && (!views_only || table->kind == TableKind::kView)) rows.push_back(TableRow(*table));
    }
    if (database == catalog::kGlobalTempDatabase) {
      for (const std::string& name : metastore_.GlobalViewNames()) {
        if (wanted(name)) rows.push_back(TemporaryRow(name, true));
      }
    }
    for (const std::string& name : catalog_.ViewNames()) {
      if (wanted(name)) rows.push_back(TemporaryRow(name, false));
    }
    return ResultOf(TableSchema(), rows);
  }

  arrow::Result<QueryResult> GetTable(const NameParts& name) const {
    bool global = name.size() == 2 && EqualsIgnoreCase(name[0], catalog::kGlobalTempDatabase);
    if (catalog_.FindView(name)) return ResultOf(TableSchema(), {TemporaryRow(ToLowerAscii(name.back()), global)});
    ARROW_ASSIGN_OR_RAISE(TablePtr table, tables_.Find(name));
    return ResultOf(TableSchema(), {TableRow(*table)});
  }

  arrow::Result<QueryResult> ListColumns(const NameParts& name) const {
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, session_.TableSchema(name));
    TablePtr table = catalog_.FindView(name) ? nullptr : catalog_.FindTable(name);
    std::vector<std::vector<Cell>> rows;
    std::vector<std::string> clustering = table == nullptr ? std::vector<std::string>() : ClusteringOf(*table);
    auto has = [](const std::vector<std::string>& names, const std::string& column) {
      return std::any_of(names.begin(), names.end(), [&](const auto& one) { return EqualsIgnoreCase(one, column); });
    };
    for (const auto& field : schema->fields()) {
      bool bucket = table != nullptr && table->buckets && has(table->buckets->columns, field.name);
      bool partition = table != nullptr && std::find(table->partition_columns.begin(), table->partition_columns.end(),
                                                     field.name) != table->partition_columns.end();
      std::optional<std::string> comment = types::CommentOf(field);
      rows.push_back({field.name, comment ? Cell(*comment) : Cell(nullptr), field.type->SimpleString(), field.nullable,
                      partition, bucket, has(clustering, field.name)});
    }
    return ResultOf(types::Struct({Text("name"), Text("description"), Text("dataType"), Flag("nullable"),
                                   Flag("isPartition"), Flag("isBucket"), Flag("isCluster")}),
                    rows);
  }

  arrow::Result<QueryResult> ListFunctions(const std::string& database, const std::optional<std::string>& pattern) {
    std::vector<std::vector<Cell>> rows;
    for (const std::string& name : FunctionNames()) {
      if (!pattern || MatchesPattern(name, *pattern)) rows.push_back(FunctionRow(name));
    }
    for (const ShownFunction& own : UserFunctions(session_, database)) {
      if (!pattern || MatchesPattern(own.name, *pattern)) rows.push_back(FunctionRow(own));
    }
    return ResultOf(FunctionSchema(), rows);
  }

  template <typename Message>
  arrow::Result<QueryResult> CreateTable(const Message& message, const std::string& description) {
    sql::CreateTable create;
    ARROW_ASSIGN_OR_RAISE(create.name, Name(message.table_name()));
    if (message.has_source()) create.provider = message.source();
    for (const auto& [key, value] : message.options()) create.options[key] = value;
    if (message.has_path()) create.location = message.path();
    if (!description.empty()) create.comment = description;
    if (message.has_schema()) {
      ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, sql::DataTypeFromProto(message.schema()));
      for (const auto& field : schema->fields()) create.columns.push_back({field});
    }
    return Done(tables_.Create(create));
  }

  arrow::Result<QueryResult> ListPartitions(const NameParts& name) const {
    ARROW_ASSIGN_OR_RAISE(TablePtr table, tables_.FindTable(name, "SHOW PARTITIONS"));
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> partitions, tables_.Partitions(*table));
    std::vector<std::vector<Cell>> rows;
    for (const std::string& partition : partitions) rows.push_back({partition});
    return ResultOf(types::Struct({Text("partition")}), rows);
  }

  arrow::Result<QueryResult> Cache(const std::string& text, bool cached) {
    ARROW_ASSIGN_OR_RAISE(NameParts name, Name(text));
    if (!catalog_.FindView(name)) ARROW_RETURN_NOT_OK(tables_.Find(name));
    ARROW_RETURN_NOT_OK(session_.SetCached(name, cached));
    return EmptyResult();
  }

  Session& session_;
  catalog::Catalog& catalog_;
  catalog::Metastore& metastore_;
  TableCommands tables_;
};

template <typename Message>
std::optional<std::string> PatternOf(const Message& message) {
  return message.has_pattern() ? std::optional(message.pattern()) : std::nullopt;
}

arrow::Result<QueryResult> CatalogQuery::Run(const connect::Catalog& message) {
  switch (message.cat_type_case()) {
    case connect::Catalog::kCurrentCatalog:
      return One(std::string(catalog::kCatalogName));
    case connect::Catalog::kSetCurrentCatalog: {
      const std::string& name = message.set_current_catalog().catalog_name();
      if (EqualsIgnoreCase(name, catalog::kCatalogName)) return EmptyResult();
      return UserError("CATALOG_NOT_FOUND",
                       {{"catalogName", QuoteIdentifier(name)}, {"config", QuoteConf("spark.sql.catalog." + name)}});
    }
    case connect::Catalog::kListCatalogs: {
      std::vector<std::vector<Cell>> rows;
      std::optional<std::string> pattern = PatternOf(message.list_catalogs());
      if (!pattern || MatchesPattern(catalog::kCatalogName, *pattern)) {
        rows.push_back({std::string(catalog::kCatalogName), nullptr});
      }
      return ResultOf(types::Struct({Text("name"), Text("description")}), rows);
    }
    case connect::Catalog::kCurrentDatabase:
      return One(catalog_.current_database());
    case connect::Catalog::kSetCurrentDatabase: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.set_current_database().db_name()));
      return Done(catalog_.SetCurrentDatabase(name.back()));
    }
    case connect::Catalog::kListDatabases: {
      std::vector<std::vector<Cell>> rows;
      std::optional<std::string> pattern = PatternOf(message.list_databases());
      for (const std::string& name : metastore_.DatabaseNames()) {
        if (!pattern || MatchesPattern(name, *pattern)) rows.push_back(DatabaseRow(name));
      }
      return ResultOf(DatabaseSchema(), rows);
    }
    case connect::Catalog::kGetDatabase: {
      ARROW_ASSIGN_OR_RAISE(std::string name, Database(message.get_database().db_name()));
      return ResultOf(DatabaseSchema(), {DatabaseRow(name)});
    }
    case connect::Catalog::kDatabaseExists: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.database_exists().db_name()));
      return One(metastore_.HasDatabase(name.back()));
    }
    case connect::Catalog::kCreateDatabase: {
      const auto& create = message.create_database();
      sql::CreateDatabase database;
      ARROW_ASSIGN_OR_RAISE(database.name, Name(create.db_name()));
      database.if_not_exists = create.if_not_exists();
      for (const auto& [key, value] : create.properties()) database.properties[key] = value;
      return Done(tables_.CreateDatabase(database));
    }
    case connect::Catalog::kDropDatabase: {
      const auto& drop = message.drop_database();
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(drop.db_name()));
      return Done(tables_.DropDatabase({name, drop.if_exists(), drop.cascade()}));
    }
    case connect::Catalog::kListTables: {
      std::string database = catalog_.current_database();
      if (message.list_tables().has_db_name()) {
        ARROW_ASSIGN_OR_RAISE(database, Database(message.list_tables().db_name()));
      }
      return ListTables(database, PatternOf(message.list_tables()), false);
    }
    case connect::Catalog::kListViews: {
      std::string database = catalog_.current_database();
      if (message.list_views().has_db_name()) {
        ARROW_ASSIGN_OR_RAISE(database, Database(message.list_views().db_name()));
      }
      return ListTables(database, PatternOf(message.list_views()), true);
    }
    case connect::Catalog::kGetTable: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.get_table().table_name(), message.get_table().db_name()));
      return GetTable(name);
    }
    case connect::Catalog::kTableExists: {
      ARROW_ASSIGN_OR_RAISE(NameParts name,
                            Name(message.table_exists().table_name(), message.table_exists().db_name()));
      return One(catalog_.FindView(name).has_value() || catalog_.FindTable(name) != nullptr);
    }
    case connect::Catalog::kListColumns: {
      ARROW_ASSIGN_OR_RAISE(NameParts name,
                            Name(message.list_columns().table_name(), message.list_columns().db_name()));
      return ListColumns(name);
    }
    case connect::Catalog::kListFunctions: {
      std::string database = catalog_.current_database();
      if (message.list_functions().has_db_name()) {
        ARROW_ASSIGN_OR_RAISE(database, Database(message.list_functions().db_name()));
      }
      return ListFunctions(database, PatternOf(message.list_functions()));
    }
    case connect::Catalog::kGetFunction: {
      ARROW_ASSIGN_OR_RAISE(NameParts name,
                            Name(message.get_function().function_name(), message.get_function().db_name()));
      if (IsBuiltIn(name)) return ResultOf(FunctionSchema(), {FunctionRow(ToLowerAscii(name[0]))});
      if (auto own = FindUserFunction(session_, name)) return ResultOf(FunctionSchema(), {FunctionRow(*own)});
      return UserError("UNRESOLVED_ROUTINE",
                       {{"routineName", QuoteNameParts(name)}, {"searchPath", session_.SearchPath()}});
    }
    case connect::Catalog::kFunctionExists: {
      ARROW_ASSIGN_OR_RAISE(NameParts name,
                            Name(message.function_exists().function_name(), message.function_exists().db_name()));
      return One(IsBuiltIn(name) || FindUserFunction(session_, name).has_value());
    }
    case connect::Catalog::kCreateTable:
      return CreateTable(message.create_table(), message.create_table().description());
    case connect::Catalog::kCreateExternalTable:
      return CreateTable(message.create_external_table(), "");
    case connect::Catalog::kDropTable: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.drop_table().table_name()));
      return Done(tables_.Drop({false, name, message.drop_table().if_exists()}));
    }
    case connect::Catalog::kDropView: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.drop_view().view_name()));
      return Done(tables_.Drop({true, name, message.drop_view().if_exists()}));
    }
    case connect::Catalog::kDropTempView:
      return One(catalog_.DropView(message.drop_temp_view().view_name(), false));
    case connect::Catalog::kDropGlobalTempView:
      return One(catalog_.DropView(message.drop_global_temp_view().view_name(), true));
    case connect::Catalog::kIsCached: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.is_cached().table_name()));
      if (!catalog_.FindView(name)) ARROW_RETURN_NOT_OK(tables_.Find(name));
      ARROW_ASSIGN_OR_RAISE(bool cached, session_.IsCached(name));
      return One(cached);
    }
    case connect::Catalog::kCacheTable:
      return Cache(message.cache_table().table_name(), true);
    case connect::Catalog::kUncacheTable:
      return Cache(message.uncache_table().table_name(), false);
    case connect::Catalog::kClearCache:
      session_.ClearCache();
      return EmptyResult();
    case connect::Catalog::kRefreshTable: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.refresh_table().table_name()));
      if (catalog_.FindView(name)) return EmptyResult();
      ARROW_ASSIGN_OR_RAISE(TablePtr table, tables_.Find(name));
      if (!table->location.empty()) session_.cache().Invalidate(table->location);
      return EmptyResult();
    }
    case connect::Catalog::kRefreshByPath:
      session_.cache().Invalidate(message.refresh_by_path().path());
      return EmptyResult();
    case connect::Catalog::kRecoverPartitions: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.recover_partitions().table_name()));
      ARROW_ASSIGN_OR_RAISE(TablePtr table, tables_.FindTable(name, "recoverPartitions()"));
      return Done(tables_.Partitions(*table).status());
    }
    case connect::Catalog::kListPartitions: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.list_partitions().table_name()));
      return ListPartitions(name);
    }
    case connect::Catalog::kGetTableProperties: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.get_table_properties().table_name()));
      sql::Show show{};
      show.kind = sql::Show::Kind::kTblProperties;
      show.name = name;
      ARROW_ASSIGN_OR_RAISE(QueryResult result, RunShow(session_, show));
      return result;
    }
    case connect::Catalog::kGetCreateTableString: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.get_create_table_string().table_name()));
      sql::Show show{};
      show.kind = sql::Show::Kind::kCreateTable;
      show.name = name;
      return RunShow(session_, show);
    }
    case connect::Catalog::kTruncateTable: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.truncate_table().table_name()));
      return Done(tables_.Truncate({name, {}}));
    }
    case connect::Catalog::kAnalyzeTable: {
      ARROW_ASSIGN_OR_RAISE(NameParts name, Name(message.analyze_table().table_name()));
      return Done(tables_.Find(name).status());
    }
    case connect::Catalog::CAT_TYPE_NOT_SET:
      break;
  }
  return analyzer::NotSupported("an empty catalog message");
}

}  // namespace

arrow::Result<QueryResult> Session::ExecuteCatalog(const connect::Catalog& message) {
  return CatalogQuery(*this).Run(message);
}

}  // namespace millrace::session
