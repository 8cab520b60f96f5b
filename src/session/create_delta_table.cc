#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/write_plan.h"
#include "delta/schema/clustering.h"
#include "delta/schema/schema_difference.h"
#include "session/delta_expressions.h"
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
  if (by_path != nullptr) {
    table = *by_path;
    table.partition_columns = save.partition_columns;
    table.properties = save.properties;
    table.comment = save.comment;
  } else {
    ARROW_ASSIGN_OR_RAISE(table, NewTable(save, schema));
    registered = metastore_.FindTable(table.database, table.name);
    table.partition_columns = save.partition_columns;  // in the case they were written in
    if (registered != nullptr && KeepsOwnSchema(registered->provider) && !save.location && !save.options.Has("path")) {
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
    ARROW_RETURN_NOT_OK(CheckGeneratedColumns(session_, *schema));
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
  bool defines = plan == nullptr;
  if (defines) plan = NoRows(schema != nullptr ? schema : types::Struct({}));
  connector::SaveMode mode = creation.replace ? connector::SaveMode::kOverwrite : connector::SaveMode::kAppend;
  ARROW_RETURN_NOT_OK(WriteNew(table, save.options, std::move(plan), mode, defines, std::move(statement)));
  if (by_path != nullptr) return arrow::Status::OK();
  return metastore_.CreateTable(std::move(table), creation.replace);
}

}  // namespace millrace::session
