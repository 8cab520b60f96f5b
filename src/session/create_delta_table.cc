#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/write_plan.h"
#include "delta/schema/clustering.h"
#include "delta/schema/column_mapping.h"
#include "delta/schema/schema_difference.h"
#include "session/delta_expressions.h"
#include "session/delta_table.h"
#include "session/table_commands.h"
#include "types/column_metadata.h"

/// CREATE TABLE and REPLACE TABLE of Delta tables, by name and by path. The log is the table; the catalog points at it.
/// Source: delta-spark's CreateDeltaTableCommand.

namespace millrace::session {

using catalog::Table;
using catalog::TableKind;
using catalog::TablePtr;

namespace {

JsonValue MetadataOf(const types::StructField& field) {
  return field.metadata_json.empty() ? JsonValue::Object() : ParseJson(field.metadata_json).ValueOr(JsonValue());
}

// Column metadata of Delta for GENERATED …; rows of a new table need no value of a DEFAULT from before.
arrow::Result<types::StructField> DeltaField(const sql::ColumnDefinition& column,
                                             const std::vector<std::string>& partition_columns) {
  types::StructField field = column.field;
  JsonValue metadata = MetadataOf(field);
  std::erase_if(metadata.members(), [](const auto& member) { return member.first == "EXISTS_DEFAULT"; });
  if (column.generated_as) metadata.Set("delta.generationExpression", JsonValue::String(*column.generated_as));
  if (column.identity) {
    if (column.identity->step == 0) return UserError("IDENTITY_COLUMNS_ILLEGAL_STEP");
    if (field.type->id() != types::TypeId::kLong) {
      return UserError("DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE", {{"dataType", field.type->TypeName()}});
    }
    bool partitions = std::any_of(partition_columns.begin(), partition_columns.end(),
                                  [&](const std::string& name) { return EqualsIgnoreCase(name, field.name); });
    if (partitions) {
      return UserError("DELTA_IDENTITY_COLUMNS_PARTITION_NOT_SUPPORTED", {{"colName", field.name}});
    }
    metadata.Set("delta.identity.start", JsonValue::Number(column.identity->start));
    metadata.Set("delta.identity.step", JsonValue::Number(column.identity->step));
    metadata.Set("delta.identity.allowExplicitInsert", JsonValue::Bool(column.identity->by_default));
  }
  field.metadata_json = metadata.members().empty() ? "" : metadata.ToString();
  return field;
}

// Defaults need a feature that is never switched on silently.
arrow::Status CheckDefaultsAllowed(const types::DataType& schema, const sql::Properties& properties) {
  bool has_default = std::any_of(schema.fields().begin(), schema.fields().end(),
                                 [](const types::StructField& field) { return types::DefaultOf(field).has_value(); });
  bool allowed = std::any_of(properties.begin(), properties.end(), [](const auto& property) {
    return EqualsIgnoreCase(property.first, "delta.feature.allowColumnDefaults");
  });
  if (!has_default || allowed) return arrow::Status::OK();
  return UserError("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED", {{"commandType", "CREATE TABLE"}});
}

// A struct's name twice: of a column, or of a field below `prefix`.
arrow::Status CheckNoDuplicates(const types::DataType& type, const sql::NameParts& prefix, bool case_sensitive) {
  switch (type.id()) {
    // Spark leaves the steps into arrays and maps out of the path.
    case types::TypeId::kArray:
      return CheckNoDuplicates(*type.element(), prefix, case_sensitive);
    case types::TypeId::kMap:
      ARROW_RETURN_NOT_OK(CheckNoDuplicates(*type.key(), prefix, case_sensitive));
      return CheckNoDuplicates(*type.value(), prefix, case_sensitive);
    case types::TypeId::kStruct:
      break;
    default:
      return arrow::Status::OK();
  }
  for (size_t i = 0; i < type.fields().size(); ++i) {
    const types::StructField& field = type.fields()[i];
    sql::NameParts path = prefix;
    path.push_back(case_sensitive ? field.name : ToLowerAscii(field.name));
    for (size_t j = 0; j < i; ++j) {
      const std::string& other = type.fields()[j].name;
      if (case_sensitive ? other == field.name : EqualsIgnoreCase(other, field.name)) {
        return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteNameParts(path)}});
      }
    }
    path.back() = field.name;
    ARROW_RETURN_NOT_OK(CheckNoDuplicates(*field.type, path, case_sensitive));
  }
  return arrow::Status::OK();
}

// As Spark's prettyJson.
std::string PrettyJson(const JsonValue& value, size_t indent) {
  std::string text, next(indent + 2, ' ');
  if (value.is_array()) {
    for (const JsonValue& one : value.elements()) text += (text.empty() ? " " : ", ") + PrettyJson(one, indent);
    return "[" + text + " ]";
  }
  if (!value.is_object()) return value.ToString();
  if (value.members().empty()) return "{ }";
  for (const auto& [key, member] : value.members()) {
    text += (text.empty() ? "\n" : ",\n") + next + JsonValue::String(key).ToString() + " : " +
            PrettyJson(member, indent + 2);
  }
  return "{" + text + "\n" + std::string(indent, ' ') + "}";
}

// NOT NULL inside of arrays and maps, which nobody would enforce.
arrow::Status CheckNotNullEnforced(const types::DataType& type, const sql::NameParts& path) {
  auto check = [&](const char* part, const types::DataTypePtr& inner) -> arrow::Status {
    if (!inner->Equals(*types::AsNullable(inner))) {
      ARROW_ASSIGN_OR_RAISE(JsonValue json, ParseJson(inner->ToJson()));
      return UserError("DELTA_NESTED_NOT_NULL_CONSTRAINT",
                       {{"nestType", part},
                        {"parent", delta::PathText(path)},
                        {"configKey", "spark.databricks.delta.constraints.allowUnenforcedNotNull.enabled"},
                        {"nestedPrettyJson", PrettyJson(json, 0)}});
    }
    return arrow::Status::OK();
  };
  if (type.id() == types::TypeId::kArray) return check("element", type.element());
  if (type.id() == types::TypeId::kMap) {
    ARROW_RETURN_NOT_OK(check("key", type.key()));
    return check("value", type.value());
  }
  if (type.id() != types::TypeId::kStruct) return arrow::Status::OK();
  for (const types::StructField& field : type.fields()) {
    sql::NameParts below = path;
    below.push_back(field.name);
    ARROW_RETURN_NOT_OK(CheckNotNullEnforced(*field.type, below));
  }
  return arrow::Status::OK();
}

// What Spark sees in the columns and PARTITIONED BY before Delta is asked.
arrow::Status CheckDefinition(const types::DataType& schema, const std::vector<std::string>& partition_columns,
                              bool case_sensitive) {
  ARROW_RETURN_NOT_OK(CheckNoDuplicates(schema, {}, case_sensitive));
  for (size_t i = 0; i < partition_columns.size(); ++i) {
    const std::string& name = partition_columns[i];
    if (schema.FieldIndex(name, case_sensitive) < 0) {
      return UserError("_LEGACY_ERROR_TEMP_3060", {{"i", name}, {"schema", schema.ToTreeString()}});
    }
    for (size_t j = 0; j < i; ++j) {
      const std::string& other = partition_columns[j];
      if (case_sensitive ? other == name : EqualsIgnoreCase(other, name)) {
        return UserError("_LEGACY_ERROR_TEMP_3058",
                         {{"checkType", "in the partitioning"}, {"duplicateColumns", ToLowerAscii(name)}});
      }
    }
  }
  for (const std::string& name : partition_columns) {
    const types::DataType& type = *schema.fields()[static_cast<size_t>(schema.FieldIndex(name, case_sensitive))].type;
    if (type.is_nested() || type.id() == types::TypeId::kVariant) {
      return UserError("INVALID_PARTITION_COLUMN_DATA_TYPE", {{"type", QuoteSqlType(type.Sql())}});
    }
  }
  if (!partition_columns.empty() && partition_columns.size() == schema.fields().size()) {
    return UserError("ALL_PARTITION_COLUMNS_NOT_ALLOWED");
  }
  return arrow::Status::OK();
}

// What Spark sees in CLUSTER BY before Delta is asked.
arrow::Status CheckClustering(const types::DataType& schema, const std::vector<sql::NameParts>& columns,
                              bool case_sensitive) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const types::DataType* type = &schema;
    for (const std::string& part : columns[i]) {
      int index = type->id() == types::TypeId::kStruct ? type->FieldIndex(part, case_sensitive) : -1;
      if (index < 0) {
        return UserError("UNSUPPORTED_FEATURE.PARTITION_WITH_NESTED_COLUMN_IS_UNSUPPORTED",
                         {{"cols", QuoteNameParts(columns[i])}});
      }
      type = type->fields()[static_cast<size_t>(index)].type.get();
    }
    for (size_t j = 0; j < i; ++j) {
      std::string name = QuoteNameParts(columns[i]), other = QuoteNameParts(columns[j]);
      if (case_sensitive ? name == other : EqualsIgnoreCase(name, other)) {
        return UserError("DELTA_DUPLICATE_COLUMNS_FOUND.CLUSTER_BY", {{"duplicateCols", name}});
      }
    }
  }
  return arrow::Status::OK();
}

// The columns as a statement may say them: what column mapping adds is left out.
types::DataTypePtr ShownSchema(const types::DataTypePtr& schema) {
  std::vector<types::StructField> fields = delta::WithoutInternalMetadata(schema)->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    JsonValue whole = MetadataOf(schema->fields()[i]), shown = MetadataOf(fields[i]);
    for (const auto& [key, value] : whole.members()) {
      bool said = key == "delta.generationExpression" || key == "delta.identity.start" ||
                  key == "delta.identity.step" || key == "delta.identity.allowExplicitInsert";
      if (said) shown.Set(key, value);
    }
    fields[i].metadata_json = shown.members().empty() ? "" : shown.ToString();
  }
  return types::Struct(std::move(fields));
}

std::string Lines(const std::vector<std::string>& lines, const char* between) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : between) + line;
  return text;
}

bool IsOfColumnMapping(const std::string& key) { return key.starts_with("delta.columnMapping."); }

std::string PropertyLines(const std::map<std::string, std::string, std::less<>>& properties) {
  std::string text;
  for (const auto& [key, value] : properties) text += (text.empty() ? "" : "\n") + key + "=" + value;
  return text;
}

// A statement for a table that is there must say the same as it, or nothing.
arrow::Status CheckSameDefinition(const delta::Snapshot& existing, const Table& table, const types::DataTypePtr& schema,
                                  const std::vector<sql::NameParts>& cluster_columns, const std::string& path) {
  if (schema != nullptr && !schema->fields().empty()) {
    types::DataTypePtr shown = ShownSchema(existing.schema());
    std::vector<std::string> differences = delta::SchemaDifferences(*shown, *schema);
    if (!differences.empty()) {
      for (std::string& difference : differences) {
        for (size_t at = 0; (at = difference.find('\n', at)) != std::string::npos; at += 3)
          difference.insert(at + 1, "  ");
      }
      return UserError("DELTA_CREATE_TABLE_SCHEME_MISMATCH",
                       {{"path", path},
                        {"specifiedSchema", schema->ToTreeString()},
                        {"existingSchema", shown->ToTreeString()},
                        {"schemaDifferences", "- " + Lines(differences, "\n- ")}});
    }
    if (table.partition_columns != existing.metadata().partition_columns) {
      return UserError("DELTA_CREATE_TABLE_WITH_DIFFERENT_PARTITIONING",
                       {{"path", path},
                        {"specifiedColumns", Lines(table.partition_columns, ", ")},
                        {"existingColumns", Lines(existing.metadata().partition_columns, ", ")}});
    }
  }
  if (schema != nullptr && !schema->fields().empty()) {
    auto listed = [](const std::vector<delta::ColumnPath>& columns) {
      std::vector<std::string> names;
      for (const delta::ColumnPath& column : columns) names.push_back(delta::PathText(column));
      return Lines(names, ", ");
    };
    std::string asked = listed(cluster_columns);
    std::string there = listed(delta::ClusteringColumns(existing).value_or(std::vector<delta::ColumnPath>()));
    if (asked != there) {
      return UserError("DELTA_CREATE_TABLE_WITH_DIFFERENT_CLUSTERING",
                       {{"path", path}, {"specifiedColumns", asked}, {"existingColumns", there}});
    }
  }
  if (table.properties.empty()) return arrow::Status::OK();
  delta::StringMap asked, there = existing.metadata().configuration;
  for (const auto& [key, value] : table.properties) asked[key] = value;
  for (delta::StringMap* properties : {&asked, &there}) {
    std::erase_if(*properties, [](const auto& property) {
      return IsOfColumnMapping(property.first) || property.first.starts_with("delta.feature.") ||
             property.first == "delta.minReaderVersion" || property.first == "delta.minWriterVersion";
    });
  }
  if (asked == there) return arrow::Status::OK();
  return UserError(
      "DELTA_CREATE_TABLE_WITH_DIFFERENT_PROPERTY",
      {{"path", path}, {"specifiedProperties", PropertyLines(asked)}, {"existingProperties", PropertyLines(there)}});
}

}  // namespace

arrow::Result<types::DataTypePtr> DeltaSchemaOf(const sql::CreateTable& create) {
  if (create.columns.empty()) return nullptr;
  std::vector<types::StructField> fields;
  for (const sql::ColumnDefinition& column : create.columns) {
    ARROW_ASSIGN_OR_RAISE(types::StructField field, DeltaField(column, create.partition_columns));
    fields.push_back(std::move(field));
  }
  return types::Struct(std::move(fields));
}

arrow::Status TableCommands::TakeDefinition(const Table& source, const sql::NameParts& name, sql::CreateTable* out) {
  types::DataTypePtr schema;
  if (source.kind != catalog::TableKind::kView && KeepsOwnSchema(source.provider)) {
    ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenDeltaLocation(session_, source.location, name));
    const delta::Metadata& metadata = opened.snapshot->metadata();
    const delta::Protocol& protocol = opened.snapshot->protocol();
    schema = delta::WithoutFieldMetadata(opened.snapshot->schema(), delta::kMappingKeys);
    out->partition_columns = metadata.partition_columns;
    out->comment = metadata.description;
    for (const auto& [key, value] : metadata.configuration) {
      // What the new table draws for itself.
      bool own = key == "delta.columnMapping.maxColumnId" || key.starts_with("delta.rowTracking.materialized");
      if (!own) out->properties[key] = value;
    }
    out->properties["delta.minReaderVersion"] = std::to_string(protocol.min_reader_version);
    out->properties["delta.minWriterVersion"] = std::to_string(protocol.min_writer_version);
    for (const auto* features : {&protocol.reader_features, &protocol.writer_features}) {
      if (!*features) continue;
      // The columns to cluster by are not taken over, but the feature is.
      for (const std::string& feature : **features) out->properties["delta.feature." + feature] = "supported";
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(schema, SchemaOf(source));
    out->partition_columns = source.partition_columns;
    out->comment = source.comment;
    if (source.kind != catalog::TableKind::kView) out->properties = source.properties;
  }
  for (const types::StructField& field : schema->fields()) out->columns.push_back({field});
  return arrow::Status::OK();
}

arrow::Status TableCommands::CreateLike(const sql::CreateTableLike& create) {
  ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(create.name));
  bool by_path = FindPathTable(create.name) != nullptr;
  if (!by_path && !create.if_not_exists && metastore_.FindTable(name.database, name.name) != nullptr) {
    return UserError("TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteNameParts({name.database, name.name})}});
  }
  ARROW_ASSIGN_OR_RAISE(TablePtr source, Find(create.source));
  sql::CreateTable table;
  table.name = create.name;
  table.if_not_exists = create.if_not_exists;
  table.provider = !create.provider.empty() ? create.provider : source->provider;
  table.location = create.location;
  if (KeepsOwnSchema(table.provider)) {
    table.is_like = true;
    ARROW_RETURN_NOT_OK(TakeDefinition(*source, create.source, &table));
    for (const auto& [key, value] : create.properties) table.properties[key] = value;
    return Create(table);
  }
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, SchemaOf(*source));
  for (const auto& field : schema->fields()) table.columns.push_back({field});
  table.partition_columns = source->partition_columns;
  table.buckets = source->buckets;
  table.options = source->options;
  table.properties = create.properties;
  return Create(table);
}

arrow::Status TableCommands::CheckDeltaLocation(const Table& table, const types::DataTypePtr& schema,
                                                bool as_select) const {
  ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
  if (!found) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> children, files_.List(table.location));
  if (children.empty()) return arrow::Status::OK();
  if (schema == nullptr && !as_select && table.kind == TableKind::kExternal) {
    return UserError("DELTA_CREATE_EXTERNAL_TABLE_WITHOUT_TXN_LOG",
                     {{"tableName", QuoteNameParts({table.database, table.name})},
                      {"path", "file:" + table.location},
                      {"logPath", "file:" + table.location + "/_delta_log"},
                      {"docLink", "https://docs.delta.io/latest/index.html"}});
  }
  return UserError(
      "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION",
      {{"tableId", QuoteNameParts({table.database, table.name})}, {"tableLocation", "file:" + table.location}});
}

arrow::Status TableCommands::ReplaceFrom(const Save& save, logical::PlanPtr plan, bool or_create) {
  return CreateDelta(save, {or_create, /*replace=*/true, false}, nullptr, std::move(plan));
}

arrow::Status TableCommands::CreateDelta(const Save& save, const DeltaCreation& creation, types::DataTypePtr schema,
                                         logical::PlanPtr plan) {
  TablePtr by_path = FindPathTable(save.name);
  TablePtr registered;
  Table table;
  bool case_sensitive = session_.MakeEvalContext().case_sensitive;
  types::DataTypePtr columns = schema;
  if (columns == nullptr && plan != nullptr) columns = plan->Schema();
  if (columns != nullptr) {
    ARROW_RETURN_NOT_OK(CheckDefinition(*columns, save.partition_columns, case_sensitive));
    ARROW_RETURN_NOT_OK(CheckClustering(*columns, save.cluster_columns, case_sensitive));
  }
  if (save.buckets) {
    std::vector<std::string> name = save.name;
    if (by_path == nullptr) {
      ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName found, Qualify(save.name));
      name = {catalog::kCatalogName, found.database, found.name};
    }
    return UserError("DELTA_OPERATION_NOT_ALLOWED_DETAIL",
                     {{"operation", "Bucketing"}, {"tableName", QuoteNameParts(name)}});
  }
  if (by_path != nullptr && save.location && *save.location != by_path->location) {
    bool allowed = session_.conf().GetBool("spark.databricks.delta.legacy.allowAmbiguousPathsInCreateTable");
    if (!allowed) {
      return UserError("DELTA_AMBIGUOUS_PATHS_IN_CREATE_TABLE",
                       {{"identifier", by_path->location},
                        {"location", save.location->starts_with("/") ? "file:" + *save.location : *save.location},
                        {"config", "spark.databricks.delta.legacy.allowAmbiguousPathsInCreateTable"}});
    }
  }
  if (by_path != nullptr) {
    table = *by_path;
    table.partition_columns = save.partition_columns;
    table.properties = save.properties;
    table.comment = save.comment;
  } else {
    ARROW_ASSIGN_OR_RAISE(table, NewTable(save, schema));
    registered = metastore_.FindTable(table.database, table.name);
    table.partition_columns = save.partition_columns;  // in the case they were written in
    if (registered != nullptr && KeepsOwnSchema(registered->provider)) {
      bool elsewhere = (save.location || save.options.Has("path")) && table.location != registered->location;
      if (elsewhere && creation.replace) {
        return UserError("DELTA_TABLE_LOCATION_MISMATCH",
                         {{"tableName", QuoteNameParts({table.database, table.name})},
                          {"existingTableLocation", QuoteIdentifier("file:" + registered->location)},
                          {"tableLocation", QuoteIdentifier("file:" + table.location)}});
      }
      table.location = registered->location;
      table.kind = registered->kind;
    }
    table.schema = nullptr;
  }
  connector::SinkRequest where;
  where.path = table.location;
  where.context = session_.CurrentConnectorContext();
  ARROW_ASSIGN_OR_RAISE(auto opened, connector::delta_table::OpenTable(where));
  ARROW_ASSIGN_OR_RAISE(bool has_log, opened->Exists());
  bool exists = registered != nullptr || (by_path != nullptr && has_log);
  sql::NameParts shown_name = {table.database, table.name};
  if (exists && !creation.replace) {
    if (creation.if_not_exists) return arrow::Status::OK();
    return UserError("TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteNameParts(shown_name)}});
  }
  if (!exists && !creation.create) {
    return UserError("TABLE_OR_VIEW_NOT_FOUND",
                     {{"relationName", QuoteNameParts(shown_name)},
                      {"searchPath", "[" + QuoteNameParts({catalog::kCatalogName, table.database}) + "]"}});
  }
  bool replaces = creation.replace && (registered != nullptr || !creation.create || plan != nullptr);
  if (plan == nullptr && has_log && !replaces) {
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, opened->Update());
    std::string path = by_path != nullptr ? table.location : "file:" + table.location;
    bool was_clustered = delta::ClusteringColumns(*snapshot).has_value();
    if (creation.replace && was_clustered && !table.partition_columns.empty()) {
      return UserError("DELTA_CLUSTERING_REPLACE_TABLE_WITH_PARTITIONED_TABLE");
    }
    ARROW_RETURN_NOT_OK(CheckSameDefinition(*snapshot, table, schema, save.cluster_columns, path));
    return by_path != nullptr ? arrow::Status::OK() : metastore_.CreateTable(std::move(table), creation.replace);
  }
  if (!replaces) ARROW_RETURN_NOT_OK(CheckDeltaLocation(table, schema, plan != nullptr));
  if (plan == nullptr && schema == nullptr && creation.replace) return UserError("DELTA_SCHEMA_NOT_PROVIDED");
  if (schema != nullptr) {
    bool unenforced = session_.conf().GetBool("spark.databricks.delta.constraints.allowUnenforcedNotNull.enabled");
    if (!unenforced) ARROW_RETURN_NOT_OK(CheckNotNullEnforced(*schema, {}));
    ARROW_RETURN_NOT_OK(CheckGeneratedColumns(session_, *schema));
    ARROW_RETURN_NOT_OK(CheckColumnDefaults(session_, *schema));
    ARROW_RETURN_NOT_OK(CheckDefaultsAllowed(*schema, table.properties));
  }
  connector::TableStatement statement;
  statement.replace = creation.replace;
  statement.or_create = creation.replace && creation.create;
  statement.as_select = plan != nullptr;
  statement.is_managed = table.kind == TableKind::kManaged;
  statement.comment = save.comment;
  statement.properties = table.properties;
  statement.cluster_columns = save.cluster_columns;
  statement.is_like = save.is_like;
  bool defines = plan == nullptr;
  if (defines) plan = NoRows(schema != nullptr ? schema : types::Struct({}));
  connector::SaveMode mode = creation.replace ? connector::SaveMode::kOverwrite : connector::SaveMode::kAppend;
  ARROW_RETURN_NOT_OK(WriteNew(table, save.options, std::move(plan), mode, defines, std::move(statement)));
  if (by_path != nullptr) return arrow::Status::OK();
  return metastore_.CreateTable(std::move(table), creation.replace);
}

}  // namespace millrace::session
