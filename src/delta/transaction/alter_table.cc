#include "delta/transaction/alter_table.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/schema/clustering.h"
#include "delta/schema/computed_column.h"
#include "delta/schema/schema_difference.h"
#include "delta/schema/type_widening.h"
#include "delta/transaction/protocol_upgrade.h"
#include "delta/transaction/schema_merge.h"

namespace millrace::delta {

using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

constexpr std::string_view kConstraintPrefix = "delta.constraints.";

JsonValue MetadataOf(const StructField& field) {
  if (field.metadata_json.empty()) return JsonValue::Object();
  auto parsed = ParseJson(field.metadata_json);
  return parsed.ok() && parsed->is_object() ? *std::move(parsed) : JsonValue::Object();
}

std::string PlaceText(const ColumnPlace& place) { return place.first ? "FIRST" : "AFTER " + place.after; }

Operation Named(const char* name, std::vector<JsonValue::Member> parameters) {
  Operation operation;
  operation.name = name;
  operation.parameters = std::move(parameters);
  return operation;
}

ColumnMappingMode ModeOf(const Snapshot& table) {
  return ColumnMappingModeOf(table.metadata()).ValueOr(ColumnMappingMode::kNone);
}

arrow::Result<Alteration> Settle(const Snapshot& table, Metadata proposed, const DataTypePtr& schema,
                                 Operation operation) {
  ARROW_ASSIGN_OR_RAISE(
      DefinitionChange change,
      UpdateDefinition(table.metadata(), table.protocol(), std::move(proposed), schema, SchemaReplacement::kNone));
  return Alteration{std::move(change), std::move(operation)};
}

std::string MappingAdvice() {
  return "\nPlease enable Column Mapping on your Delta table with mapping mode 'name'.\nYou can use one of the "
         "following "
         "commands.\n\nALTER TABLE table_name SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')\n\nNote, if your "
         "table is not on the required protocol version it will be upgraded.\nColumn mapping requires at least "
         "protocol "
         "(2, 5)\n";
}

// What constraints and generated columns say of a column that is to change.
arrow::Status CheckUnused(const Snapshot& table, const ColumnPath& column, const UsesColumn& uses) {
  std::string constraints, generated;
  for (const auto& [key, sql] : table.metadata().configuration) {
    if (!ToLowerAscii(key).starts_with(kConstraintPrefix) || !uses(sql, column)) continue;
    constraints += (constraints.empty() ? "" : "\n") + key + " -> " + sql;
  }
  if (!constraints.empty()) {
    return UserError("DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE",
                     {{"columnName", PathText(column)}, {"constraints", constraints}});
  }
  for (const StructField& field : table.schema()->fields()) {
    std::string sql = GenerationExpression(field);
    if (!sql.empty() && uses(sql, column)) generated += (generated.empty() ? "" : "\n") + field.name + " -> " + sql;
  }
  if (generated.empty()) return arrow::Status::OK();
  return UserError("DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE",
                   {{"columnName", PathText(column)}, {"generatedColumns", generated}});
}

arrow::Status NotChangeable(const ColumnPath& column, const StructField& from, const StructField& to) {
  auto text = [](const StructField& field) { return field.type->Sql() + (field.nullable ? "" : " NOT NULL"); };
  return UserError("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                   {{"fieldPath", PathText(column)}, {"oldField", text(from)}, {"newField", text(to)}});
}

bool WidensTypes(const Snapshot& table) { return BooleanProperty(table.metadata(), "delta.enableTypeWidening", false); }

arrow::Status CheckChange(const Snapshot& table, const ColumnPath& column, const StructField& from,
                          const StructField& to, const std::string& table_name, const UsesColumn& uses) {
  bool same_type = from.type->Equals(*to.type);
  if (!same_type && from.type->is_nested()) {
    const char* condition = from.type->id() == TypeId::kStruct  ? "DELTA_CANNOT_UPDATE_STRUCT_FIELD"
                            : from.type->id() == TypeId::kArray ? "DELTA_CANNOT_UPDATE_ARRAY_FIELD"
                                                                : "DELTA_CANNOT_UPDATE_MAP_FIELD";
    return UserError(condition, {{"tableName", table_name}, {"fieldName", PathText(column)}});
  }
  ARROW_ASSIGN_OR_RAISE(auto why, WhyNotReplaced(*from.type, *to.type, column,
                                                 ModeOf(table) != ColumnMappingMode::kNone, WidensTypes(table)));
  if (why) return NotChangeable(column, from, to);
  if (from.name != to.name && ModeOf(table) == ColumnMappingMode::kNone) {
    return UserError("DELTA_UNSUPPORTED_RENAME_COLUMN", {{"advice", MappingAdvice()}});
  }
  if (!same_type) ARROW_RETURN_NOT_OK(CheckUnused(table, column, uses));
  return from.nullable && !to.nullable ? NotChangeable(column, from, to) : arrow::Status::OK();
}

StructField Changed(StructField field, const ColumnChange& change) {
  if (change.new_name) field.name = *change.new_name;
  if (change.type != nullptr) {
    field.type = change.type;
    types::SetCharType(change.char_type, &field);
  }
  if (change.nullable) field.nullable = *change.nullable;
  if (!change.comment && !change.default_sql) return field;
  JsonValue metadata = MetadataOf(field);
  if (change.comment) metadata.Set("comment", JsonValue::String(*change.comment));
  if (change.default_sql) {
    std::erase_if(metadata.members(),
                  [](const JsonValue::Member& member) { return member.first == "CURRENT_DEFAULT"; });
    if (!change.default_sql->empty()) metadata.Set("CURRENT_DEFAULT", JsonValue::String(*change.default_sql));
  }
  field.metadata_json = metadata.members().empty() ? "" : metadata.ToString();
  return field;
}

arrow::Status MoveField(std::vector<StructField>* fields, size_t from, const ColumnPlace& place) {
  StructField moved = (*fields)[from];
  if (!place.first && EqualsIgnoreCase(place.after, moved.name)) return arrow::Status::OK();
  std::vector<StructField> rest = *fields;
  rest.erase(rest.begin() + static_cast<ptrdiff_t>(from));
  size_t to = 0;
  if (!place.first) {
    auto after = std::find_if(rest.begin(), rest.end(),
                              [&](const StructField& field) { return EqualsIgnoreCase(field.name, place.after); });
    if (after == rest.end()) {
      return UserError("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA",
                       {{"columnName", place.after}, {"tableSchema", types::Struct(*fields)->ToTreeString()}});
    }
    to = static_cast<size_t>(after - rest.begin()) + 1;
  }
  rest.insert(rest.begin() + static_cast<ptrdiff_t>(to), std::move(moved));
  *fields = std::move(rest);
  return arrow::Status::OK();
}

arrow::Result<DataTypePtr> ChangeOne(const Snapshot& table, const DataTypePtr& schema, const ColumnChange& change,
                                     const std::string& table_name, const UsesColumn& uses, StructField* out) {
  ARROW_ASSIGN_OR_RAISE(std::vector<int> position, FindColumn(*schema, change.column));
  StructField before = FieldAt(*schema, position);
  *out = Changed(before, change);
  bool is_identity = IsIdentityColumn(before);
  if (is_identity && (change.type != nullptr || change.nullable || change.default_sql)) {
    return UserError("DELTA_IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED");
  }
  if (change.new_name) ARROW_RETURN_NOT_OK(CheckUnused(table, change.column, uses));
  ARROW_RETURN_NOT_OK(CheckChange(table, change.column, before, *out, table_name, uses));
  auto index = static_cast<size_t>(position.back());
  position.pop_back();
  if (change.comment) {
    std::vector<int> above = position;
    DataTypePtr parent = above.empty() ? schema : FieldAt(*schema, above).type;
    if (parent->id() != TypeId::kStruct) {
      return UserError("DELTA_UNSUPPORTED_COMMENT_MAP_ARRAY", {{"fieldPath", PathText(change.column)}});
    }
  }
  arrow::Status moved;
  DataTypePtr changed = EditAt(schema, position, [&](std::vector<StructField>* fields) {
    (*fields)[index] = *out;
    if (change.place) moved = MoveField(fields, index, *change.place);
  });
  ARROW_RETURN_NOT_OK(moved);
  return changed;
}

// Spark's catalogString of `type` with the field at `path`, from `at` on, declared as `text`.
std::string TextWith(const types::DataType& type, const ColumnPath& path, size_t at, const std::string& text) {
  if (at == path.size()) return text;
  switch (type.id()) {
    case TypeId::kArray:
      return "array<" + TextWith(*type.element(), path, at + 1, text) + ">";
    case TypeId::kMap: {
      bool in_key = EqualsIgnoreCase(path[at], "key");
      std::string key = in_key ? TextWith(*type.key(), path, at + 1, text) : type.key()->CatalogString();
      return "map<" + key + "," +
             (in_key ? type.value()->CatalogString() : TextWith(*type.value(), path, at + 1, text)) + ">";
    }
    default: {
      std::string fields;
      for (const StructField& field : type.fields()) {
        bool here = EqualsIgnoreCase(field.name, path[at]);
        fields += (fields.empty() ? "" : ",") + types::QuoteIfNeeded(field.name) + ":" +
                  (here ? TextWith(*field.type, path, at + 1, text) : field.type->CatalogString());
      }
      return "struct<" + fields + ">";
    }
  }
}

// CHAR and VARCHAR inside of a column stand in the column's metadata, of what came last, as in Spark.
DataTypePtr WithInnerChars(const DataTypePtr& schema, const ColumnPath& path, const std::string& text) {
  std::vector<StructField> fields = schema->fields();
  for (StructField& field : fields) {
    if (EqualsIgnoreCase(field.name, path[0])) types::SetDeclaredType(TextWith(*field.type, path, 1, text), &field);
  }
  return types::Struct(std::move(fields));
}

}  // namespace

JsonValue FieldJson(const ColumnPath& parent, const StructField& field) {
  ColumnPath path = parent;
  path.push_back(field.name);
  return JsonValue::Object({{"name", JsonValue::String(PathText(path))},
                            {"type", JsonValue::String(TypeWord(*field.type))},
                            {"nullable", JsonValue::Bool(field.nullable)},
                            {"metadata", MetadataOf(field)}});
}

arrow::Result<Alteration> SetProperties(const Snapshot& table, const StringMap& properties,
                                        const std::optional<std::string>& comment, bool of_sql) {
  Metadata proposed = table.metadata();
  JsonValue told = JsonValue::Object();
  if (comment) {
    proposed.description = *comment;
    told.Set("comment", JsonValue::String(*comment));
  }
  for (const auto& [key, value] : properties) {
    if (ToLowerAscii(key).starts_with(kConstraintPrefix)) return UserError("DELTA_ADD_CONSTRAINTS");
    if (key == "delta.feature.clustering") {
      return UserError("DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED", {{"tableFeature", "clustering"}});
    }
    proposed.configuration[key] = value;
    told.Set(of_sql && key.starts_with("delta.feature.") ? ToLowerAscii(key) : key, JsonValue::String(value));
  }
  if (BooleanProperty(proposed, "delta.enableRowTracking", false) &&
      BooleanProperty(proposed, "delta.rowTrackingSuspended", false)) {
    return UserError("DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION",
                     {{"property1", "delta.enableRowTracking"}, {"property2", "delta.rowTrackingSuspended"}});
  }
  return Settle(table, std::move(proposed), table.schema(),
                Named("SET TBLPROPERTIES", {{"properties", JsonValue::String(told.ToString())}}));
}

arrow::Result<Alteration> UnsetProperties(const Snapshot& table, const std::vector<std::string>& keys) {
  Metadata proposed = table.metadata();
  JsonValue told = JsonValue::Array();
  for (const std::string& key : keys) {
    if (key == "comment") proposed.description.reset();
    std::erase_if(proposed.configuration, [&](const auto& property) {
      return property.first == key ||
             (ToLowerAscii(key).starts_with("delta.") && EqualsIgnoreCase(property.first, key));
    });
    told.elements().push_back(JsonValue::String(key));
  }
  return Settle(table, std::move(proposed), table.schema(),
                Named("UNSET TBLPROPERTIES",
                      {{"properties", JsonValue::String(told.ToString())}, {"ifExists", JsonValue::Bool(true)}}));
}

arrow::Result<Alteration> AddColumns(const Snapshot& table, const std::vector<NewColumn>& columns) {
  DataTypePtr schema = table.schema();
  JsonValue told = JsonValue::Array();
  for (const NewColumn& column : columns) {
    if (!column.field.nullable || !column.field.type->Equals(*types::AsNullable(column.field.type))) {
      return UserError("DELTA_OPERATION_NOT_ALLOWED", {{"operation", "NOT NULL in ALTER TABLE ADD COLUMNS"}});
    }
    // CHAR and VARCHAR are told as they were declared.
    StructField declared = column.field;
    types::SetCharType(std::nullopt, &declared);
    bool inner = !column.parent.empty() && types::CharTypeOf(column.field);
    ARROW_ASSIGN_OR_RAISE(schema, AddColumn(schema, column.parent, inner ? declared : column.field, column.place));
    if (inner) {
      ColumnPath path = column.parent;
      path.push_back(column.field.name);
      schema = WithInnerChars(schema, path, types::DeclaredTypeText(column.field));
    }
    JsonValue field = FieldJson(column.parent, declared);
    if (types::CharTypeOf(column.field)) field.Set("type", JsonValue::String(types::DeclaredTypeText(column.field)));
    JsonValue one = JsonValue::Object({{"column", std::move(field)}});
    if (column.place) one.Set("position", JsonValue::String(PlaceText(*column.place)));
    told.elements().push_back(std::move(one));
  }
  ARROW_RETURN_NOT_OK(CheckNoDuplicateColumns(*schema, "ADDING_COLUMNS"));
  return Settle(table, table.metadata(), schema,
                Named("ADD COLUMNS", {{"columns", JsonValue::String(told.ToString())}}));
}

arrow::Result<Alteration> DropColumns(const Snapshot& table, const std::vector<ColumnPath>& columns,
                                      const UsesColumn& uses) {
  if (ModeOf(table) == ColumnMappingMode::kNone) {
    return UserError("DELTA_UNSUPPORTED_DROP_COLUMN", {{"advice", MappingAdvice()}});
  }
  DataTypePtr schema = table.schema();
  JsonValue told = JsonValue::Array();
  for (const ColumnPath& column : columns) {
    ARROW_ASSIGN_OR_RAISE(schema, DropColumn(schema, column));
    told.elements().push_back(JsonValue::String(PathText(column)));
  }
  std::string clustering;
  for (const ColumnPath& column : ClusteringColumns(table).value_or(std::vector<ColumnPath>())) {
    bool drops = std::any_of(columns.begin(), columns.end(), [&](const ColumnPath& dropped) {
      return dropped.size() <= column.size() &&
             std::equal(dropped.begin(), dropped.end(), column.begin(), EqualsIgnoreCase);
    });
    if (drops) clustering += (clustering.empty() ? "" : ",") + PathText(column);
  }
  if (!clustering.empty()) {
    return UserError("DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN", {{"columnList", clustering}});
  }
  std::string partitions;
  for (const std::string& name : table.metadata().partition_columns) {
    bool drops = std::any_of(columns.begin(), columns.end(),
                             [&](const ColumnPath& column) { return column.size() == 1 && column[0] == name; });
    if (drops) partitions += (partitions.empty() ? "" : ",") + name;
  }
  if (!partitions.empty()) {
    return UserError("DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN", {{"columnList", partitions}});
  }
  for (const ColumnPath& column : columns) ARROW_RETURN_NOT_OK(CheckUnused(table, column, uses));
  return Settle(table, table.metadata(), schema,
                Named("DROP COLUMNS", {{"columns", JsonValue::String(told.ToString())}}));
}

arrow::Result<Alteration> ChangeColumns(const Snapshot& table, const std::vector<ColumnChange>& changes,
                                        const std::string& table_name, const UsesColumn& uses) {
  DataTypePtr schema = table.schema();
  Metadata proposed = table.metadata();
  JsonValue told = JsonValue::Array();
  for (const ColumnChange& change : changes) {
    StructField field;
    ARROW_ASSIGN_OR_RAISE(schema, ChangeOne(table, schema, change, table_name, uses, &field));
    ColumnPath parent = change.column;
    parent.pop_back();
    told.elements().push_back(FieldJson(parent, field));
    if (change.place) told.elements().back().Set("position", JsonValue::String(PlaceText(*change.place)));
    if (!change.new_name) continue;
    for (std::string& column : proposed.partition_columns) {
      if (parent.empty() && column == change.column[0]) column = *change.new_name;
    }
  }
  Operation operation;
  if (changes.size() > 1) {
    operation = Named("CHANGE COLUMNS", {{"columns", JsonValue::String(told.ToString())}});
  } else if (changes[0].new_name) {
    ColumnPath renamed = changes[0].column;
    renamed.back() = *changes[0].new_name;
    operation = Named("RENAME COLUMN", {{"oldColumnPath", JsonValue::String(PathText(changes[0].column))},
                                        {"newColumnPath", JsonValue::String(PathText(renamed))}});
  } else {
    JsonValue& one = told.elements()[0];
    std::erase_if(one.members(), [](const JsonValue::Member& member) { return member.first == "position"; });
    operation = Named("CHANGE COLUMN", {{"column", JsonValue::String(one.ToString())}});
    if (changes[0].place) {
      operation.parameters.emplace_back("position", JsonValue::String(PlaceText(*changes[0].place)));
    }
  }
  return Settle(table, std::move(proposed), WithTypeChanges(schema, table.schema()), std::move(operation));
}

arrow::Result<Alteration> ReplaceColumns(const Snapshot& table, const std::vector<StructField>& columns) {
  JsonValue told = JsonValue::Array();
  for (const StructField& field : columns) told.elements().push_back(FieldJson({}, field));
  DataTypePtr asked = types::Struct(columns);
  bool drops = ModeOf(table) != ColumnMappingMode::kNone;
  arrow::Result<std::optional<std::string>> refusal =
      WhyNotReplaced(*table.schema(), *asked, {}, drops, WidensTypes(table));
  bool ambiguous = IsErrorCondition(refusal.status(), "DELTA_AMBIGUOUS_DATA_TYPE_CHANGE");
  if (!ambiguous) ARROW_RETURN_NOT_OK(refusal);
  std::optional<std::string> why = ambiguous ? refusal.status().message() : *refusal;
  if (why) {
    return UserError(
        "DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP",
        {{"details", *why}, {"oldSchema", table.schema()->ToTreeString()}, {"newSchema", asked->ToTreeString()}});
  }
  DataTypePtr schema = WithTypeChanges(CarryOver(table.schema(), asked), table.schema());
  ARROW_RETURN_NOT_OK(CheckNoDuplicateColumns(*schema, "REPLACING_COLUMNS"));
  return Settle(table, table.metadata(), schema,
                Named("REPLACE COLUMNS", {{"columns", JsonValue::String(told.ToString())}}));
}

arrow::Result<Alteration> ClusterBy(const Snapshot& table, const std::vector<ColumnPath>& columns) {
  if (!table.partition_columns().empty()) {
    return UserError("DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED");
  }
  auto before = ClusteringColumns(table);
  Alteration altered;
  altered.definition.metadata = table.metadata();
  ARROW_ASSIGN_OR_RAISE(altered.clustering, ClusteringDomain(table.schema(), table.metadata(), columns));
  // A table that is no clustered one becomes it.
  if (!before) altered.definition.protocol = WithFeature(table.protocol(), "clustering");
  auto listed = [](const std::vector<ColumnPath>& paths) {
    std::string text;
    for (const ColumnPath& path : paths) text += (text.empty() ? "" : ",") + PathText(path);
    return JsonValue::String(text);
  };
  altered.operation = Named("CLUSTER BY", {{"oldClusteringColumns", listed(before.value_or(std::vector<ColumnPath>()))},
                                           {"newClusteringColumns", listed(columns)}});
  return altered;
}

arrow::Result<Alteration> SyncIdentity(const Snapshot& table, const std::vector<int>& position,
                                       std::optional<int64_t> outermost) {
  constexpr const char* kMark = "delta.identity.highWaterMark";
  StructField field = FieldAt(*table.schema(), position);
  JsonValue metadata = MetadataOf(field);
  auto number = [&](const char* key) -> std::optional<int64_t> {
    const JsonValue* value = metadata.Find(key);
    return value == nullptr ? std::nullopt : std::optional<int64_t>(value->AsInt64());
  };
  int64_t start = number("delta.identity.start").value_or(1), step = IdentityStep(field);
  std::optional<int64_t> mark = number(kMark);
  auto before = [&](int64_t a, int64_t b) { return step > 0 ? a < b : a > b; };
  bool is_bad = mark && before(*mark, start);
  if (outermost && (is_bad || !before(*outermost, start))) {
    // Values of users need not be ones that the column would give.
    int64_t steps = (*outermost - start) / step;
    if ((*outermost - start) % step != 0 && !before(*outermost, start)) ++steps;
    int64_t next = start + step * steps;
    if (mark && before(next, *mark)) next = *mark;
    metadata.Set(kMark, JsonValue::Number(next));
  }
  StructField synced = field;
  synced.metadata_json = metadata.ToString();
  auto index = static_cast<size_t>(position.back());
  std::vector<int> parent(position.begin(), position.end() - 1);
  DataTypePtr schema =
      EditAt(table.schema(), parent, [&](std::vector<StructField>* fields) { (*fields)[index] = synced; });
  ARROW_ASSIGN_OR_RAISE(
      Alteration altered,
      Settle(table, table.metadata(), schema,
             Named("CHANGE COLUMN", {{"column", JsonValue::String(FieldJson({}, field).ToString())}})));
  altered.operation.tags["delta.identity.schemaUpdate"] = "true";
  altered.reads_rows = true;
  return altered;
}

arrow::Result<Alteration> AddConstraint(const Snapshot& table, const std::string& name, const std::string& sql) {
  std::string key = std::string(kConstraintPrefix) + ToLowerAscii(name);
  if (auto before = table.metadata().Property(key)) {
    return UserError("DELTA_CONSTRAINT_ALREADY_EXISTS", {{"constraintName", name}, {"oldConstraint", *before}});
  }
  Metadata proposed = table.metadata();
  proposed.configuration[key] = sql;
  ARROW_ASSIGN_OR_RAISE(
      Alteration altered,
      Settle(table, std::move(proposed), table.schema(),
             Named("ADD CONSTRAINT", {{"name", JsonValue::String(name)}, {"expr", JsonValue::String(sql)}})));
  altered.reads_rows = true;
  return altered;
}

arrow::Result<Alteration> DropConstraint(const Snapshot& table, const std::string& name, bool if_exists,
                                         const std::string& table_name) {
  std::string key = std::string(kConstraintPrefix) + ToLowerAscii(name);
  auto before = table.metadata().Property(key);
  if (!before && !if_exists) {
    return UserError("DELTA_CONSTRAINT_DOES_NOT_EXIST",
                     {{"constraintName", name},
                      {"tableName", table_name},
                      {"config", "spark.databricks.delta.constraints.assumesDropIfExists.enabled"},
                      {"confValue", "true"}});
  }
  Metadata proposed = table.metadata();
  proposed.configuration.erase(key);
  std::vector<JsonValue::Member> parameters = {{"name", JsonValue::String(name)}};
  if (before) parameters.emplace_back("expr", JsonValue::String(*before));
  parameters.emplace_back("existed", JsonValue::String(before ? "true" : "false"));
  return Settle(table, std::move(proposed), table.schema(), Named("DROP CONSTRAINT", std::move(parameters)));
}

}  // namespace millrace::delta
