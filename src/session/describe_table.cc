#include "session/describe_table.h"

#include <algorithm>
#include <ctime>

#include "analyzer/expression_resolver.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/json_value.h"
#include "base/version.h"
#include "function/regex.h"
#include "session/sql_command.h"
#include "session/table_commands.h"
#include "sql/parser.h"
#include "types/char_type.h"
#include "types/column_metadata.h"

namespace millrace::session {

using catalog::Table;
using catalog::TableKind;
using catalog::TablePtr;

namespace {

Cell CommentCell(const types::StructField& field) {
  std::optional<std::string> comment = types::CommentOf(field);
  return comment ? Cell(*comment) : Cell(nullptr);
}

std::string KindName(TableKind kind) {
  return kind == TableKind::kView ? "VIEW" : kind == TableKind::kExternal ? "EXTERNAL" : "MANAGED";
}

std::string FormattedTime(int64_t ms, bool utc, const char* format) {
  auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  if (utc) {
    gmtime_r(&seconds, &parts);
  } else {
    localtime_r(&seconds, &parts);
  }
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

// As java.util.Date prints it, in the zone of the machine.
std::string ShownTime(int64_t ms) { return FormattedTime(ms, /*utc=*/false, "%a %b %d %H:%M:%S %Z %Y"); }
std::string JsonTime(int64_t ms) { return FormattedTime(ms, /*utc=*/true, "%Y-%m-%dT%H:%M:%SZ"); }

std::string CreatedBy() { return "Spark " + std::string(SparkVersion()); }

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& one : names) list += (list.empty() ? "" : ", ") + QuoteIdentifier(one);
  return "[" + list + "]";
}

std::string Listed(const sql::Properties& properties, const char* separator = ", ") {
  std::string list;
  for (const auto& [key, value] : properties) {
    list += (list.empty() ? "" : separator) + key + "=" + Redacted(key, value);
  }
  return "[" + list + "]";
}

/// Names and values, in Spark's order.
using Details = std::vector<std::pair<std::string, std::string>>;

Details BucketDetails(const Table& table) {
  if (!table.buckets) return {};
  return {{"Num Buckets", std::to_string(table.buckets->num_buckets)},
          {"Bucket Columns", Listed(table.buckets->columns)},
          {"Sort Columns", Listed(table.buckets->sort_columns)}};
}

Details DetailsOf(const Table& table) {
  bool is_view = table.kind == TableKind::kView;
  bool own_schema = !is_view && KeepsOwnSchema(table.provider);
  Details details = {{"Catalog", catalog::kCatalogName},
                     {"Database", table.database},
                     {"Table", table.name},
                     {"Created Time", ShownTime(table.created_ms)},
                     {"Last Access", "UNKNOWN"},
                     {"Created By", CreatedBy()},
                     {"Type", KindName(table.kind)}};
  auto add = [&](const char* key, std::string value) { details.emplace_back(key, std::move(value)); };
  if (!table.provider.empty()) add("Provider", table.provider);
  for (auto& one : BucketDetails(table)) details.push_back(std::move(one));
  if (table.comment) add("Comment", *table.comment);
  if (is_view) {
    add("View Text", table.view_text);
    add("View Original Text", table.view_text);
    if (table.view_schema_mode != "UNSUPPORTED") add("View Schema Mode", table.view_schema_mode);
    add("View Catalog and Namespace", std::string(catalog::kCatalogName) + "." + table.view_database);
    std::vector<std::string> columns = table.view_columns;
    if (columns.empty()) {
      for (const auto& field : table.schema->fields()) columns.push_back(field.name);
    }
    add("View Query Output Columns", Listed(columns));
  }
  if (!table.properties.empty() && !own_schema) add("Table Properties", Listed(table.properties));
  if (!is_view) add("Location", "file:" + table.location);
  if (!table.options.empty()) add("Storage Properties", Listed(table.options));
  if (own_schema || !table.partition_columns.empty()) add("Partition Provider", "Catalog");
  return details;
}

// A table whose format describes itself is one of Spark's newer interface, which has its own list.
arrow::Result<Details> DeltaDetails(const TableCommands& commands, const Table& table) {
  Details details;
  auto add = [&](const char* key, std::string value) { details.emplace_back(key, std::move(value)); };
  // delta.`/path`, which no catalog knows.
  bool by_path = KeepsOwnSchema(table.database);
  add("Catalog", catalog::kCatalogName);
  add("Namespace", table.database);
  add("Database", table.database);
  add("Table", by_path ? table.location : table.name);
  add("Type", KindName(by_path ? TableKind::kManaged : table.kind));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, commands.DeltaSnapshot(table));
  std::optional<std::string> comment = table.comment;
  if (!comment) comment = snapshot->metadata().description;
  if (comment && !comment->empty()) add("Comment", *comment);
  add("Location", (by_path ? "" : "file:") + table.location);
  add("Provider", "delta");
  if (table.kind == TableKind::kManaged && !by_path) add("Is_managed_location", "true");
  ARROW_ASSIGN_OR_RAISE(sql::Properties properties, commands.PropertiesOf(table));
  add("Table Properties", Listed(properties, ","));
  return details;
}

struct Partition {
  std::string directory;  ///< "c=x/d=1"
  std::string values;     ///< "[c=x, d=1]"
  int64_t created_ms = 0;
};

// The one partition that a spec names in full.
// Errors: UserError PARTITIONS_NOT_FOUND, _LEGACY_ERROR_TEMP_1232, INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE.
arrow::Result<Partition> FindPartition(Session& session, const Table& table, const sql::PartitionSpec& spec) {
  bool case_sensitive = session.conf().GetBool("spark.sql.caseSensitive");
  auto same = [&](const std::string& a, const std::string& b) {
    return case_sensitive ? a == b : EqualsIgnoreCase(a, b);
  };
  for (const auto& [name, value] : spec) {
    bool known = std::any_of(table.partition_columns.begin(), table.partition_columns.end(),
                             [&](const std::string& column) { return same(column, name); });
    if (known) continue;
    return UserError("PARTITIONS_NOT_FOUND",
                     {{"partitionList", QuoteIdentifier(name)}, {"tableName", QuoteNameParts(table.FullName())}});
  }
  Partition partition;
  std::string shown;
  for (const std::string& column : table.partition_columns) {
    auto given = std::find_if(spec.begin(), spec.end(), [&](const auto& one) { return same(one.first, column); });
    if (given == spec.end()) {
      std::string named, all;
      for (const auto& one : spec) named += (named.empty() ? "" : ", ") + one.first;
      for (const std::string& one : table.partition_columns) all += (all.empty() ? "" : ", ") + one;
      return UserError(
          "_LEGACY_ERROR_TEMP_1232",
          {{"specKeys", named}, {"partitionColumnNames", all}, {"tableName", QuoteNameParts(table.FullName())}});
    }
    std::string value = given->second.value_or("");
    partition.directory += (partition.directory.empty() ? "" : "/") + column + "=" + value;
    partition.values += (partition.values.empty() ? "[" : ", ") + column + "=" + value;
    shown += (shown.empty() ? "" : ", ") + QuoteIdentifier(column) + " = " + value;
  }
  partition.values += "]";
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> existing, TableCommands(session).Partitions(table));
  if (std::find(existing.begin(), existing.end(), partition.directory) == existing.end()) {
    return UserError("PARTITIONS_NOT_FOUND", {{"partitionList", "PARTITION (" + shown + ")"},
                                              {"tableName", QuoteNameParts({table.database, table.name})}});
  }
  ARROW_ASSIGN_OR_RAISE(auto info, session.engine().file_system->Stat(JoinPath(table.location, partition.directory)));
  if (info) partition.created_ms = info->modified_ms;
  return partition;
}

JsonValue Strings(const std::vector<std::string>& texts) {
  JsonValue list = JsonValue::Array();
  for (const std::string& text : texts) list.elements().push_back(JsonValue::String(text));
  return list;
}

JsonValue PropertiesJson(const sql::Properties& properties) {
  JsonValue object = JsonValue::Object();
  for (const auto& [key, value] : properties) object.Set(key, JsonValue::String(Redacted(key, value)));
  return object;
}

JsonValue ColumnsJson(const types::DataType& schema);

JsonValue TypeJson(const types::DataType& type) {
  using types::TypeId;
  JsonValue object = JsonValue::Object();
  auto name = [&](std::string text) { object.Set("name", JsonValue::String(std::move(text))); };
  switch (type.id()) {
    case TypeId::kString:
      name("string");
      object.Set("collation", JsonValue::String("UTF8_BINARY"));
      break;
    case TypeId::kDecimal:
      name("decimal");
      object.Set("precision", JsonValue::Number(int64_t{type.precision()}));
      object.Set("scale", JsonValue::Number(int64_t{type.scale()}));
      break;
    case TypeId::kTimestamp:
      name("timestamp_ltz");
      break;
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval: {
      // "interval day to second", "interval month".
      std::string text = type.SimpleString().substr(std::string_view("interval ").size());
      size_t to = text.find(" to ");
      name("interval");
      object.Set("start_unit", JsonValue::String(text.substr(0, to)));
      object.Set("end_unit", JsonValue::String(to == std::string::npos ? text : text.substr(to + 4)));
      break;
    }
    case TypeId::kArray:
      name("array");
      object.Set("element_type", TypeJson(*type.element()));
      object.Set("element_nullable", JsonValue::Bool(type.contains_null()));
      break;
    case TypeId::kMap:
      name("map");
      object.Set("key_type", TypeJson(*type.key()));
      object.Set("value_type", TypeJson(*type.value()));
      object.Set("value_nullable", JsonValue::Bool(type.value_contains_null()));
      break;
    case TypeId::kStruct:
      name("struct");
      object.Set("fields", ColumnsJson(type));
      break;
    default:
      name(type.SimpleString());
  }
  return object;
}

JsonValue ColumnsJson(const types::DataType& schema) {
  JsonValue list = JsonValue::Array();
  for (const types::StructField& field : schema.fields()) {
    JsonValue column = JsonValue::Object();
    column.Set("name", JsonValue::String(field.name));
    column.Set("type", TypeJson(*field.type));
    column.Set("nullable", JsonValue::Bool(field.nullable));
    if (auto comment = types::CommentOf(field)) column.Set("comment", JsonValue::String(*comment));
    if (auto value = types::DefaultOf(field)) column.Set("default", JsonValue::String(*value));
    list.elements().push_back(std::move(column));
  }
  return list;
}

arrow::Result<std::string> TableJson(Session& session, const Table& table, const types::DataType& schema,
                                     const sql::PartitionSpec& spec) {
  JsonValue object = JsonValue::Object();
  auto text = [&](const char* key, std::string value) { object.Set(key, JsonValue::String(std::move(value))); };
  text("table_name", table.name);
  text("catalog_name", catalog::kCatalogName);
  object.Set("namespace", Strings({table.database}));
  text("schema_name", table.database);
  object.Set("columns", ColumnsJson(schema));
  auto buckets = [&] {
    if (!table.buckets) return;
    object.Set("num_buckets", JsonValue::Number(int64_t{table.buckets->num_buckets}));
    object.Set("bucket_columns", Strings(table.buckets->columns));
    object.Set("sort_columns", Strings(table.buckets->sort_columns));
  };
  if (spec.empty()) buckets();
  std::string location = "file:" + table.location;
  int64_t created_ms = table.created_ms;
  if (!spec.empty()) {
    ARROW_ASSIGN_OR_RAISE(Partition partition, FindPartition(session, table, spec));
    JsonValue values = JsonValue::Object();
    for (const auto& [name, value] : spec) values.Set(name, JsonValue::String(value.value_or("")));
    object.Set("partition_values", std::move(values));
    location += "/" + partition.directory;
    created_ms = partition.created_ms;
  }
  text("location", location);
  if (!table.options.empty()) object.Set("storage_properties", PropertiesJson(table.options));
  text("created_time", JsonTime(created_ms));
  text("last_access", "UNKNOWN");
  text("created_by", CreatedBy());
  text("type", KindName(table.kind));
  if (!table.provider.empty()) text("provider", table.provider);
  if (!spec.empty()) buckets();
  if (table.comment) text("comment", *table.comment);
  if (!table.properties.empty()) object.Set("table_properties", PropertiesJson(table.properties));
  if (!table.partition_columns.empty()) {
    text("partition_provider", "Catalog");
    object.Set("partition_columns", Strings(table.partition_columns));
  }
  text("collation", "UTF8_BINARY");
  return object.ToString();
}

Details PartitionDetails(const Table& table, const Partition& partition) {
  Details details = {{"Partition Values", partition.values},
                     {"Location", "file:" + table.location + "/" + partition.directory}};
  if (!table.options.empty()) details.emplace_back("Storage Properties", Listed(table.options));
  details.emplace_back("Created Time", ShownTime(partition.created_ms));
  details.emplace_back("Last Access", "UNKNOWN");
  return details;
}

/// The rows of DESCRIBE, one part after the other.
class DescribeRows {
 public:
  explicit DescribeRows(const types::DataType& schema) : schema_(schema) {
    for (const auto& field : schema.fields()) rows_.push_back(DescribeField(field));
  }

  void Add(const std::string& key, const std::string& value) { rows_.push_back({key, value, std::string()}); }

  void Columns(const char* title, const std::vector<std::string>& columns) {
    if (columns.empty()) return;
    Add(title, "");
    rows_.push_back({std::string("# col_name"), std::string("data_type"), std::string("comment")});
    for (const std::string& column : columns) {
      int at = schema_.FieldIndex(column, false);
      if (at >= 0) rows_.push_back(DescribeField(schema_.fields()[static_cast<size_t>(at)]));
    }
  }

  void Section(const char* title, const Details& details) {
    Add("", "");
    Add(title, "");
    for (const auto& [key, value] : details) Add(key, value);
  }

  void Defaults() {
    bool first = true;
    for (const types::StructField& field : schema_.fields()) {
      std::optional<std::string> value = types::DefaultOf(field);
      if (!value) continue;
      if (first) Section("# Column Default Values", {});
      first = false;
      rows_.push_back({field.name, field.type->SimpleString(), *value});
    }
  }

  arrow::Result<QueryResult> Result() { return ResultOf(DescribeSchema(), rows_); }

 private:
  const types::DataType& schema_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace

types::DataTypePtr DescribeSchema() {
  return types::Struct({TextColumn("col_name", false, "name of the column"),
                        TextColumn("data_type", false, "data type of the column"),
                        TextColumn("comment", true, "comment of the column")});
}

std::string Redacted(const std::string& key, const std::string& value) {
  constexpr std::string_view kSecret = "(?i)secret|password|token|access[.]?key|url";
  auto regex = function::Regex::Cached(kSecret);
  bool secret = regex.ok() && ((*regex)->Contains(key) || (*regex)->Contains(value));
  return secret ? "*********(redacted)" : value;
}

std::vector<Cell> DescribeField(const types::StructField& field) {
  // A user's class goes by its name here, by what it is stored as elsewhere.
  std::string type = field.type->user_class() != nullptr ? field.type->TypeName() : types::DeclaredTypeText(field);
  return {field.name, std::move(type), CommentCell(field)};
}

arrow::Result<QueryResult> DescribeTable(Session& session, const sql::Describe& describe) {
  TablePtr table;
  bool temporary = session.catalog().FindView(describe.name).has_value();
  TableCommands commands(session);
  if (!temporary) {
    arrow::Result<TablePtr> found = commands.Find(describe.name);
    if (found.ok()) table = *std::move(found);
  }
  // A view is described by what it was made with, whatever has become of its tables.
  types::DataTypePtr schema = table != nullptr && table->kind == TableKind::kView ? table->schema : nullptr;
  if (schema == nullptr) {
    arrow::Result<types::DataTypePtr> found = session.TableSchema(describe.name);
    // Such a table cannot be read, but what it has can be told.
    bool no_columns = IsErrorCondition(found.status(), "DELTA_READ_TABLE_WITHOUT_COLUMNS");
    if (no_columns) found = types::Struct({});
    ARROW_ASSIGN_OR_RAISE(schema, std::move(found));
  }
  bool is_view = temporary || (table != nullptr && table->kind == TableKind::kView);
  if (is_view && !describe.partition.empty()) {
    if (temporary) {
      return UserError("FORBIDDEN_OPERATION", {{"statement", "DESC PARTITION"},
                                               {"objectType", "TEMPORARY VIEW"},
                                               {"objectName", QuoteIdentifier(describe.name.back())}});
    }
    return UserError(
        "FORBIDDEN_OPERATION",
        {{"statement", "DESC PARTITION"}, {"objectType", "VIEW"}, {"objectName", QuoteIdentifier(table->name)}});
  }
  bool own_schema = table != nullptr && !is_view && KeepsOwnSchema(table->provider);
  if (describe.as_json) {
    if (own_schema) return UserError("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", {{"cmd", "DESCRIBE TABLE AS JSON"}});
    if (is_view || table == nullptr) return analyzer::NotSupported("DESCRIBE AS JSON of a view");
    ARROW_ASSIGN_OR_RAISE(std::string json, TableJson(session, *table, *schema, describe.partition));
    return ResultOf(types::Struct({TextColumn("json_metadata", false, "JSON metadata of the table")}), {{json}});
  }
  if (own_schema) {
    // Delta tells what it keeps.
    std::vector<types::StructField> fields = schema->fields();
    for (types::StructField& field : fields) types::SetCharType(std::nullopt, &field);
    schema = types::Struct(std::move(fields));
  }
  DescribeRows rows(*schema);
  if (table == nullptr) return rows.Result();
  std::vector<std::string> partition_columns = table->partition_columns;
  if (own_schema) {
    arrow::Result<delta::SnapshotPtr> snapshot = commands.DeltaSnapshot(*table);
    if (snapshot.ok()) partition_columns = (*snapshot)->metadata().partition_columns;
  }
  rows.Columns("# Partition Information", partition_columns);
  rows.Columns("# Clustering Information", ClusteringOf(*table));
  if (!describe.partition.empty()) {
    ARROW_ASSIGN_OR_RAISE(Partition partition, FindPartition(session, *table, describe.partition));
    if (describe.extended) {
      Details details = {{"Database", table->database}, {"Table", table->name}};
      for (auto& one : PartitionDetails(*table, partition)) details.push_back(std::move(one));
      rows.Section("# Detailed Partition Information", details);
      Details storage = BucketDetails(*table);
      storage.emplace_back("Location", "file:" + table->location);
      if (!table->options.empty()) storage.emplace_back("Storage Properties", Listed(table->options));
      rows.Section("# Storage Information", storage);
    }
  } else if (describe.extended && own_schema) {
    ARROW_ASSIGN_OR_RAISE(Details details, DeltaDetails(commands, *table));
    rows.Section("# Detailed Table Information", details);
  } else if (describe.extended) {
    rows.Section("# Detailed Table Information", DetailsOf(*table));
  }
  if (describe.extended || !own_schema) rows.Defaults();
  return rows.Result();
}

arrow::Result<QueryResult> DescribeColumn(Session& session, const sql::Describe& describe) {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, session.TableSchema(describe.name));
  std::string shown;
  for (const std::string& part : describe.column) shown += (shown.empty() ? "" : ".") + part;
  int at = schema->FieldIndex(describe.column[0], session.conf().GetBool("spark.sql.caseSensitive"));
  if (at < 0)
    return UserError("COLUMN_NOT_FOUND", {{"colName", QuoteNameParts(describe.column)},
                                          {"caseSensitiveConfig", QuoteConf("spark.sql.caseSensitive")}});
  if (describe.column.size() > 1) {
    return UserError("_LEGACY_ERROR_TEMP_1060", {{"command", "DESC TABLE COLUMN"}, {"column", shown}});
  }
  const types::StructField& field = schema->fields()[static_cast<size_t>(at)];
  std::vector<std::vector<Cell>> rows = {
      {std::string("col_name"), field.name},
      {std::string("data_type"), types::DeclaredTypeText(field)},
      {std::string("comment"), types::CommentOf(field).value_or("NULL")},
  };
  TablePtr table = session.catalog().FindView(describe.name) ? nullptr : session.catalog().FindTable(describe.name);
  bool own_schema = table != nullptr && table->kind != TableKind::kView && KeepsOwnSchema(table->provider);
  if (describe.extended && !own_schema) {
    for (const char* name : {"min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"}) {
      rows.push_back({std::string(name), std::string("NULL")});
    }
  }
  return ResultOf(types::Struct({TextColumn("info_name", false, "name of the column info"),
                                 TextColumn("info_value", false, "value of the column info")}),
                  rows);
}

arrow::Result<QueryResult> ShowTableExtended(Session& session, const sql::Show& show) {
  catalog::Catalog& names = session.catalog();
  std::string database = show.name ? ToLowerAscii(show.name->back()) : names.current_database();
  if (!names.metastore().HasDatabase(database)) {
    return UserError("SCHEMA_NOT_FOUND", {{"schemaName", catalog::QuotedDatabase(database)}});
  }
  std::vector<std::vector<Cell>> rows;
  auto lines = [](const Details& details) {
    std::string text;
    for (const auto& [key, value] : details) text += key + ": " + value + "\n";
    return text;
  };
  if (!show.partition.empty()) {
    ARROW_ASSIGN_OR_RAISE(TablePtr table,
                          TableCommands(session).FindTable({database, *show.pattern}, "SHOW TABLE EXTENDED"));
    ARROW_ASSIGN_OR_RAISE(Partition partition, FindPartition(session, *table, show.partition));
    rows.push_back({database, table->name, false, lines(PartitionDetails(*table, partition))});
  } else {
    for (const TablePtr& table : names.metastore().Tables(database)) {
      if (!MatchesPattern(table->name, *show.pattern)) continue;
      std::string text = lines(DetailsOf(*table));
      if (table->kind == TableKind::kView || !KeepsOwnSchema(table->provider)) {
        if (!table->partition_columns.empty()) text += "Partition Columns: " + Listed(table->partition_columns) + "\n";
        ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, session.TableSchema({database, table->name}));
        text += "Schema: " + schema->ToTreeString() + "\n";
      }
      rows.push_back({database, table->name, false, std::move(text)});
    }
    for (const std::string& view : names.ViewNames()) {
      if (MatchesPattern(view, *show.pattern)) return analyzer::NotSupported("SHOW TABLE EXTENDED of a temporary view");
    }
  }
  return ResultOf(types::Struct({TextColumn("namespace"),
                                 TextColumn("tableName"),
                                 {"isTemporary", types::Boolean(), false, ""},
                                 TextColumn("information")}),
                  rows);
}

}  // namespace millrace::session
