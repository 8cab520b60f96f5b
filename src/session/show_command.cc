#include <algorithm>

#include "analyzer/sql_functions.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/sink.h"
#include "function/function_def.h"
#include "function/session_values.h"
#include "session/describe_table.h"
#include "session/function_commands.h"
#include "session/function_names.h"
#include "session/result_rows.h"
#include "session/sql_command.h"
#include "session/table_commands.h"
#include "types/char_type.h"
#include "types/collation.h"
#include "types/column_metadata.h"

namespace millrace::session {

using catalog::Table;
using catalog::TableKind;
using catalog::TablePtr;

namespace {

// As SHOW CREATE TABLE writes a column.
std::string ColumnDdl(const types::StructField& field) {
  std::string text = types::Struct({field})->ToDdl();
  if (field.type->id() != types::TypeId::kString || types::HoldsCollation(*field.type)) return text;
  // Behind the name comes the type: the declared one, and the collation.
  size_t at = types::QuoteIfNeeded(field.name).size() + 1;
  std::string_view plain = "STRING";
  return text.replace(at, plain.size(), ToUpperAscii(types::DeclaredTypeText(field)) + " COLLATE UTF8_BINARY");
}

/// SHOW … of one session.
class ShowRunner {
 public:
  explicit ShowRunner(Session& session) : session_(session), catalog_(session.catalog()) {}

  arrow::Result<QueryResult> Run(const sql::Show& show) {
    using Kind = sql::Show::Kind;
    switch (show.kind) {
      case Kind::kTables:
        return Tables(show, /*views_only=*/false);
      case Kind::kViews:
        return Tables(show, /*views_only=*/true);
      case Kind::kDatabases:
        return Databases(show);
      case Kind::kColumns:
        return Columns(show);
      case Kind::kFunctions:
        return Functions(show);
      case Kind::kPartitions:
        return Partitions(show);
      case Kind::kTableExtended:
        return ShowTableExtended(session_, show);
      case Kind::kTblProperties:
        return TableProperties(show);
      case Kind::kCreateTable:
        return CreateTable(show);
      case Kind::kCatalogs:
        return ResultOf(types::Struct({TextColumn("catalog")}), {{catalog::kCatalogName}});
      case Kind::kCurrentNamespace:
        return ResultOf(types::Struct({TextColumn("catalog"), TextColumn("namespace")}),
                        {{catalog::kCatalogName, catalog_.current_database()}});
    }
    return EmptyResult();
  }

 private:
  arrow::Result<std::string> DatabaseOf(const std::optional<sql::NameParts>& name) const {
    if (!name) return catalog_.current_database();
    std::string database = name->back();
    if (EqualsIgnoreCase(database, catalog::kGlobalTempDatabase)) return std::string(catalog::kGlobalTempDatabase);
    if (!catalog_.metastore().HasDatabase(database)) {
      return UserError("SCHEMA_NOT_FOUND", {{"schemaName", catalog::QuotedDatabase(database)}});
    }
    return ToLowerAscii(database);
  }

  arrow::Result<QueryResult> Tables(const sql::Show& show, bool views_only) const {
    ARROW_ASSIGN_OR_RAISE(std::string database, DatabaseOf(show.name));
    std::vector<std::vector<Cell>> rows;
    auto add = [&](const std::string& space, const std::string& name, bool temporary) {
      if (!show.pattern || MatchesPattern(name, *show.pattern)) rows.push_back({space, name, temporary});
    };
    for (const TablePtr& table : catalog_.metastore().Tables(database)) {
      if (!views_only || table->kind == TableKind::kView) add(database, table->name, false);
    }
    if (database == catalog::kGlobalTempDatabase) {
      for (const std::string& name : catalog_.metastore().GlobalViewNames()) add(database, name, true);
    }
    for (const std::string& name : catalog_.ViewNames()) add("", name, true);
    return ResultOf(types::Struct({TextColumn("namespace"),
                                   TextColumn(views_only ? "viewName" : "tableName"),
                                   {"isTemporary", types::Boolean(), false, ""}}),
                    rows);
  }

  arrow::Result<QueryResult> Databases(const sql::Show& show) const {
    std::vector<std::vector<Cell>> rows;
    for (const std::string& name : catalog_.metastore().DatabaseNames()) {
      if (!show.pattern || MatchesPattern(name, *show.pattern)) rows.push_back({name});
    }
    return ResultOf(types::Struct({TextColumn("namespace")}), rows);
  }

  arrow::Result<QueryResult> Columns(const sql::Show& show) const {
    sql::NameParts name = *show.name;
    if (show.database) {
      if (name.size() > 1 && !EqualsIgnoreCase(name[name.size() - 2], show.database->back())) {
        return UserError("SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE",
                         {{"namespaceA", QuoteIdentifier(show.database->back())},
                          {"namespaceB", QuoteIdentifier(name[name.size() - 2])}});
      }
      name = {show.database->back(), name.back()};
    }
    if (!catalog_.FindView(name)) ARROW_RETURN_NOT_OK(TableCommands(session_).Find(name));
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, session_.TableSchema(name));
    std::vector<std::vector<Cell>> rows;
    for (const auto& field : schema->fields()) rows.push_back({field.name});
    return ResultOf(types::Struct({TextColumn("col_name")}), rows);
  }

  arrow::Result<QueryResult> Functions(const sql::Show& show) const {
    std::vector<std::string> names;
    auto add = [&](const std::string& name, const std::string& shown) {
      if (!show.pattern || MatchesPattern(name, *show.pattern)) names.push_back(shown);
    };
    if (show.scope != "USER") {
      for (const std::string& name : FunctionNames()) add(name, name);
    }
    if (show.scope != "SYSTEM") {
      std::string database = show.name ? show.name->back() : catalog_.current_database();
      for (const ShownFunction& own : UserFunctions(session_, database)) add(own.name, own.shown);
      std::sort(names.begin(), names.end());
    }
    std::vector<std::vector<Cell>> rows;
    for (const std::string& name : names) rows.push_back({name});
    return ResultOf(types::Struct({TextColumn("function")}), rows);
  }

  arrow::Result<QueryResult> Partitions(const sql::Show& show) const {
    TableCommands commands(session_);
    ARROW_ASSIGN_OR_RAISE(TablePtr table, commands.FindTable(*show.name, "SHOW PARTITIONS"));
    if (KeepsOwnSchema(table->provider)) return DeltaPartitions(commands, *table, show.partition);
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> partitions, commands.Partitions(*table));
    std::vector<std::vector<Cell>> rows;
    for (const std::string& partition : partitions) {
      bool wanted = std::all_of(show.partition.begin(), show.partition.end(), [&](const auto& one) {
        std::string text = "/" + one.first + "=" + one.second.value_or("") + "/";
        return ("/" + partition + "/").find(text) != std::string::npos;
      });
      if (wanted) rows.push_back({partition});
    }
    return ResultOf(types::Struct({TextColumn("partition")}), rows);
  }

  // A column for each the table is partitioned by, not a path.
  arrow::Result<QueryResult> DeltaPartitions(const TableCommands& commands, const catalog::Table& table,
                                             const sql::PartitionSpec& wanted) const {
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, commands.DeltaSnapshot(table));
    const std::vector<std::string>& columns = snapshot->metadata().partition_columns;
    if (columns.empty()) {
      return UserError("DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE",
                       {{"tableName", KeepsOwnSchema(table.database) ? "delta." + QuoteIdentifier(table.location)
                                                                     : std::string(catalog::kCatalogName) + "." +
                                                                           table.database + "." + table.name}});
    }
    spark::connect::Relation rows;
    auto* project = rows.mutable_deduplicate()->mutable_input()->mutable_project();
    rows.mutable_deduplicate()->set_all_columns_as_keys(true);
    for (const std::string& column : columns) {
      project->add_expressions()->mutable_expression_string()->set_expression(QuoteIdentifier(column));
    }
    std::string condition, unknown;
    for (const auto& [name, value] : wanted) {
      bool known = std::find(columns.begin(), columns.end(), name) != columns.end();
      if (!known) unknown += (unknown.empty() ? "" : ", ") + name;
      condition +=
          (condition.empty() ? "" : " AND ") + QuoteIdentifier(name) + " <=> " + QuoteStringLiteral(value.value_or(""));
    }
    if (!unknown.empty()) {
      return UserError("DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_COLUMN", {{"badCols", "[" + unknown + "]"}});
    }
    auto* read = project->mutable_input();
    if (!condition.empty()) {
      auto* filter = read->mutable_filter();
      filter->mutable_condition()->mutable_expression_string()->set_expression(condition);
      read = filter->mutable_input();
    }
    read->mutable_read()->mutable_data_source()->set_format("delta");
    read->mutable_read()->mutable_data_source()->add_paths(table.location);
    return session_.Execute(rows);
  }

  arrow::Result<QueryResult> TableProperties(const sql::Show& show) const {
    if (catalog_.FindTable(*show.name) == nullptr && catalog_.FindView(*show.name)) {
      return ResultOf(types::Struct({TextColumn("key"), TextColumn("value")}), {});
    }
    TableCommands commands(session_);
    ARROW_ASSIGN_OR_RAISE(TablePtr table, commands.Find(*show.name));
    ARROW_ASSIGN_OR_RAISE(sql::Properties properties, commands.PropertiesOf(*table));
    std::vector<std::vector<Cell>> rows;
    if (show.key) {
      auto it = properties.find(*show.key);
      std::string missing = "Table " + table->FullName()[0] + "." + table->database + "." + table->name +
                            " does not have property: " + *show.key;
      rows.push_back({*show.key, it == properties.end() ? missing : Redacted(it->first, it->second)});
    } else {
      for (const auto& [key, value] : properties) {
        rows.push_back({key, Redacted(key, value)});
      }
    }
    return ResultOf(types::Struct({TextColumn("key"), TextColumn("value")}), rows);
  }

  static std::string Lines(const std::vector<std::string>& items) {
    std::string text = "(\n";
    for (size_t i = 0; i < items.size(); ++i) text += "  " + items[i] + (i + 1 < items.size() ? ",\n" : "");
    return text + ")\n";
  }

  static std::string KeyValue(const std::string& key, const std::string& value) {
    return QuoteStringLiteral(key) + " = " + QuoteStringLiteral(value);
  }

  arrow::Result<QueryResult> CreateTable(const sql::Show& show) const {
    if (catalog_.FindView(*show.name)) {
      return UserError("EXPECT_PERMANENT_VIEW_NOT_TEMP",
                       {{"operation", "SHOW CREATE TABLE"}, {"viewName", QuoteNameParts(*show.name)}});
    }
    TableCommands commands(session_);
    ARROW_ASSIGN_OR_RAISE(TablePtr table, commands.Find(*show.name));
    if (table->kind != TableKind::kView && KeepsOwnSchema(table->provider)) {
      return UserError("DELTA_OPERATION_NOT_ALLOWED", {{"operation", "SHOW CREATE TABLE"}});
    }
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, commands.SchemaOf(*table));
    bool is_view = table->kind == TableKind::kView;
    std::string name = std::string(is_view ? "" : "spark_catalog.") + types::QuoteIfNeeded(table->database) + "." +
                       types::QuoteIfNeeded(table->name);
    std::string text = (is_view ? "CREATE VIEW " : "CREATE TABLE ") + name + " ";
    std::vector<std::string> columns;
    for (const auto& field : schema->fields()) {
      if (is_view) {
        std::optional<std::string> comment = types::CommentOf(field);
        columns.push_back(types::QuoteIfNeeded(field.name) +
                          (comment ? " COMMENT " + QuoteStringLiteral(*comment) : ""));
        continue;
      }
      columns.push_back(ColumnDdl(field));
    }
    text += Lines(columns);
    std::vector<std::string> options;
    for (const auto& [key, value] : table->options) options.push_back(KeyValue(key, value));
    if (!is_view) {
      text += "USING " + table->provider + "\n";
      if (!options.empty()) text += "OPTIONS " + Lines(options);
    }
    if (!table->partition_columns.empty()) {
      std::string by;
      for (const std::string& column : table->partition_columns) by += (by.empty() ? "" : ", ") + column;
      text += "PARTITIONED BY (" + by + ")\n";
    }
    auto listed = [](const std::vector<std::string>& names) {
      std::string list;
      for (const std::string& one : names) list += (list.empty() ? "" : ", ") + one;
      return "(" + list + ")";
    };
    if (table->buckets) {
      text += "CLUSTERED BY " + listed(table->buckets->columns) + "\n";
      if (!table->buckets->sort_columns.empty()) text += "SORTED BY " + listed(table->buckets->sort_columns) + "\n";
      text += "INTO " + std::to_string(table->buckets->num_buckets) + " BUCKETS\n";
    }
    // As Spark writes it, which its own parser does not take.
    if (std::vector<std::string> by = ClusteringOf(*table); !by.empty()) {
      text += "PARTITIONED BY (cluster_by" + listed(by) + ")\n";
    }
    if (table->comment) text += "COMMENT " + QuoteStringLiteral(*table->comment) + "\n";
    if (table->kind == TableKind::kExternal) text += "LOCATION 'file:" + table->location + "'\n";
    std::vector<std::string> properties;
    for (const auto& [key, value] : table->properties) {
      properties.push_back(KeyValue(key, value));
    }
    if (!properties.empty()) text += "TBLPROPERTIES " + Lines(properties);
    if (is_view && table->view_schema_mode != "UNSUPPORTED") text += "WITH SCHEMA " + table->view_schema_mode + "\n";
    if (is_view) text += "AS " + table->view_text + "\n";
    return ResultOf(types::Struct({TextColumn("createtab_stmt")}), {{text}});
  }

  Session& session_;
  catalog::Catalog& catalog_;
};

arrow::Result<QueryResult> DescribeFunction(Session& session, const sql::Describe& describe) {
  if (auto own = analyzer::FindSqlFunction(session.MakeAnalyzerContext(), describe.name)) {
    std::vector<std::vector<Cell>> lines;
    for (std::string& line : DescribeSqlFunction(*own, describe.extended)) lines.push_back({std::move(line)});
    return ResultOf(types::Struct({TextColumn("function_desc")}), lines);
  }
  const function::FunctionDef* def = function::FindFunction(describe.name.back());
  if (auto own = def == nullptr ? FindUserFunction(session, describe.name) : std::nullopt) {
    std::vector<std::vector<Cell>> lines = {{"Function: spark_catalog.session." + own->name},
                                            {"Class: " + own->class_name},
                                            {"Usage: " + *own->description}};
    if (describe.extended) lines.push_back({"Extended Usage:\n    No example/argument for " + own->name + ".\n"});
    return ResultOf(types::Struct({TextColumn("function_desc")}), lines);
  }
  if (def == nullptr) {
    return UserError("UNRESOLVED_ROUTINE",
                     {{"routineName", QuoteNameParts(describe.name)},
                      {"searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]"}});
  }
  std::vector<std::vector<Cell>> rows = {{"Function: " + ToLowerAscii(describe.name.back())},
                                         {"Usage: " + std::string(def->description)}};
  if (describe.extended) rows.push_back({"Extended Usage: " + std::string(def->example)});
  return ResultOf(types::Struct({TextColumn("function_desc")}), rows);
}

arrow::Result<QueryResult> DescribeDatabase(Session& session, const sql::Describe& describe) {
  std::optional<catalog::Database> database = session.catalog().metastore().FindDatabase(describe.name.back());
  if (!database) {
    return UserError("SCHEMA_NOT_FOUND", {{"schemaName", catalog::QuotedDatabase(describe.name.back())}});
  }
  std::string location = database->location.empty() ? session.WarehouseDirectory() : database->location;
  std::vector<std::vector<Cell>> rows = {
      {std::string("Catalog Name"), std::string(catalog::kCatalogName)},
      {std::string("Namespace Name"), database->name},
      {std::string("Comment"), database->comment},
      {std::string("Location"), "file:" + location},
      {std::string("Owner"), function::UserName()},
  };
  if (describe.extended) {
    std::string properties;
    for (const auto& [key, value] : database->properties) {
      properties += (properties.empty() ? "(" : ", (") + key + "," + value + ")";
    }
    rows.push_back({std::string("Properties"), properties.empty() ? "" : "(" + properties + ")"});
  }
  return ResultOf(types::Struct({TextColumn("info_name", false, "name of the namespace info"),
                                 TextColumn("info_value", true, "value of the namespace info")}),
                  rows);
}

bool MatchesOne(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    for (size_t i = 0; i <= name.size(); ++i) {
      if (MatchesOne(name.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  return !name.empty() && (pattern[0] == '.' || ToLowerAscii(pattern[0]) == ToLowerAscii(name[0])) &&
         MatchesOne(name.substr(1), pattern.substr(1));
}

}  // namespace

bool MatchesPattern(const std::string& name, const std::string& pattern) {
  std::string_view rest = TrimAscii(pattern);
  while (true) {
    size_t bar = rest.find('|');
    if (MatchesOne(name, rest.substr(0, bar))) return true;
    if (bar == std::string_view::npos) return false;
    rest.remove_prefix(bar + 1);
  }
}

arrow::Result<QueryResult> RunShow(Session& session, const sql::Show& show) { return ShowRunner(session).Run(show); }

arrow::Result<QueryResult> RunDescribe(Session& session, const sql::Describe& describe) {
  using Kind = sql::Describe::Kind;
  switch (describe.kind) {
    case Kind::kTable:
      return DescribeTable(session, describe);
    case Kind::kColumn:
      return DescribeColumn(session, describe);
    case Kind::kFunction:
      return DescribeFunction(session, describe);
    case Kind::kDatabase:
      return DescribeDatabase(session, describe);
    case Kind::kQuery:
      break;
  }
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, session.Schema(*describe.query));
  std::vector<std::vector<Cell>> rows;
  for (const auto& field : schema->fields()) rows.push_back(DescribeField(field));
  return ResultOf(DescribeSchema(), rows);
}

}  // namespace millrace::session
