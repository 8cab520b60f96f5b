#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "connector/delta/write_plan.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/computed_column.h"
#include "delta/schema/type_widening.h"
#include "delta/transaction/alter_table.h"
#include "delta/transaction/transaction.h"
#include "session/delta_expressions.h"
#include "session/delta_features.h"
#include "session/table_commands.h"

/// ALTER TABLE of Delta tables: one commit each.

namespace millrace::session {

using catalog::Table;
using catalog::TablePtr;

std::string DeclaredSql(const types::DataType& type, const std::optional<types::CharType>& declared) {
  if (!declared) return type.Sql();
  return (declared->padded ? "CHAR(" : "VARCHAR(") + std::to_string(declared->length) + ")";
}

namespace {

using Kind = sql::AlterTable::Kind;

std::optional<delta::ColumnPlace> ToPlace(const std::optional<sql::ColumnPosition>& position) {
  if (!position) return std::nullopt;
  return delta::ColumnPlace{position->first, position->after};
}

/// As messages of delta-spark name the table.
std::string NameInMessages(const Table& table) {
  if (KeepsOwnSchema(table.database)) return "delta.`file:" + table.location + "`";
  return std::string(catalog::kCatalogName) + "." + table.database + "." + table.name;
}

/// What the analyzer finds wrong with a column before Delta is asked.
arrow::Status CheckColumnsExist(const delta::Snapshot& table, const std::vector<sql::NameParts>& columns) {
  for (const sql::NameParts& column : columns) {
    if (delta::FindColumn(*table.schema(), column).ok()) continue;
    std::string fields;
    for (const types::StructField& field : table.schema()->fields()) {
      fields += (fields.empty() ? "" : ", ") + QuoteIdentifier(field.name);
    }
    return UserError("UNRESOLVED_COLUMN.WITH_SUGGESTION",
                     {{"objectName", QuoteNameParts(column)}, {"proposal", fields}});
  }
  return arrow::Status::OK();
}

// Spark finds wrong with a column to be added what it sees before Delta does.
arrow::Status CheckAddedColumns(const delta::Snapshot& table, const std::vector<sql::ColumnDefinition>& columns) {
  std::vector<std::string> added;
  for (const sql::ColumnDefinition& column : columns) {
    types::DataTypePtr parent = table.schema();
    if (!column.parent.empty()) {
      ARROW_RETURN_NOT_OK(CheckColumnsExist(table, {{column.parent[0]}}));
      auto position = delta::FindColumn(*table.schema(), column.parent);
      // A field that is not there, of a struct that is.
      if (column.parent.size() > 1 && !position.ok()) {
        auto above = delta::FindColumn(*table.schema(), {column.parent.begin(), column.parent.end() - 1});
        bool in_struct = above.ok() && delta::FieldAt(*table.schema(), *above).type->id() == types::TypeId::kStruct;
        if (in_struct) ARROW_RETURN_NOT_OK(CheckColumnsExist(table, {column.parent}));
      }
      parent = position.ok() ? delta::FieldAt(*table.schema(), *position).type : types::Null();
      if (parent->id() != types::TypeId::kStruct) {
        sql::NameParts whole = column.parent;
        whole.push_back(column.field.name);
        return UserError("INVALID_FIELD_NAME",
                         {{"fieldName", QuoteNameParts(whole)}, {"path", QuoteNameParts(column.parent)}});
      }
    }
    std::string fields;
    for (const types::StructField& field : parent->fields()) fields += (fields.empty() ? "" : ", ") + field.name;
    sql::NameParts whole = column.parent;
    whole.push_back(column.field.name);
    if (parent->FieldIndex(column.field.name, /*case_sensitive=*/false) >= 0) {
      // Spark tells the whole table's columns.
      std::string whole_table = QuoteSqlType(delta::WithoutInternalMetadata(table.schema())->Sql());
      return UserError("FIELD_ALREADY_EXISTS",
                       {{"op", "add"}, {"fieldNames", QuoteNameParts(whole)}, {"struct", whole_table}});
    }
    bool misplaced = column.position && !column.position->first &&
                     parent->FieldIndex(column.position->after, /*case_sensitive=*/false) < 0;
    if (misplaced) {
      return UserError("FIELD_NOT_FOUND", {{"fieldName", QuoteIdentifier(column.field.name)}, {"fields", fields}});
    }
    std::string lower = ToLowerAscii(QuoteNameParts(whole));
    if (std::find(added.begin(), added.end(), lower) != added.end()) {
      return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(ToLowerAscii(column.field.name))}});
    }
    added.push_back(std::move(lower));
  }
  return arrow::Status::OK();
}

arrow::Status CheckNewNameIsFree(const delta::Snapshot& table, const delta::ColumnPath& column,
                                 const std::string& new_name) {
  ARROW_ASSIGN_OR_RAISE(std::vector<int> position, delta::FindColumn(*table.schema(), column));
  position.pop_back();
  types::DataTypePtr parent = delta::WithoutInternalMetadata(table.schema());
  std::string columns = QuoteSqlType(parent->Sql());
  if (!position.empty()) parent = delta::FieldAt(*parent, position).type;
  bool same_but_for_case = EqualsIgnoreCase(column.back(), new_name);
  if (parent->id() != types::TypeId::kStruct || same_but_for_case ||
      parent->FieldIndex(new_name, /*case_sensitive=*/false) < 0) {
    return arrow::Status::OK();
  }
  sql::NameParts whole(column.begin(), column.end());
  whole.back() = new_name;
  return UserError("FIELD_ALREADY_EXISTS",
                   {{"op", "rename"}, {"fieldNames", QuoteNameParts(whole)}, {"struct", columns}});
}

// Spark's Cast.canUpCast of atomic types.
bool UpCasts(const types::DataType& from, const types::DataType& to) {
  if (to.id() == types::TypeId::kString) return true;
  bool plain_numbers = from.is_numeric() && to.is_numeric() && from.id() != types::TypeId::kDecimal &&
                       to.id() != types::TypeId::kDecimal;
  if (plain_numbers) return from.id() <= to.id();
  if (from.is_datetime() && to.is_datetime()) return to.id() != types::TypeId::kDate;
  return delta::CanWiden(from, to);
}

// Texts may become longer, and lose their length; what is padded stays as long as it is.
bool CharsFit(const std::optional<types::CharType>& from, const std::optional<types::CharType>& to) {
  if (!to) return true;
  return from && (to->padded ? from->padded && from->length == to->length : from->length <= to->length);
}

bool SameChars(const std::optional<types::CharType>& a, const std::optional<types::CharType>& b) {
  return a.has_value() == b.has_value() && (!a || (a->padded == b->padded && a->length == b->length));
}

// The same of a change.
arrow::Status CheckChange(const types::StructField& field, const sql::ColumnChange& change, const Table& table) {
  std::optional<types::CharType> declared = types::CharTypeOf(field);
  bool fits = change.type == nullptr || change.type->Equals(*field.type) || field.type->is_nested() ||
              UpCasts(*field.type, *change.type);
  if (!fits || (change.type != nullptr && !CharsFit(declared, change.char_type))) {
    return UserError("NOT_SUPPORTED_CHANGE_COLUMN",
                     {{"table", QuoteNameParts(table.FullName())},
                      {"originName", QuoteNameParts(change.column)},
                      {"originType", QuoteSqlType(DeclaredSql(*field.type, declared))},
                      {"newName", QuoteNameParts(change.column)},
                      {"newType", QuoteSqlType(DeclaredSql(*change.type, change.char_type))}});
  }
  if (change.nullable && !*change.nullable && field.nullable) {
    return UserError("_LEGACY_ERROR_TEMP_2330", {{"fieldName", delta::PathText(change.column)}});
  }
  return arrow::Status::OK();
}

// Properties that are clauses of their own.
arrow::Status CheckNotReserved(const std::string& key) {
  const char* advice = key == "location"   ? "please use the LOCATION clause to specify it"
                       : key == "provider" ? "please use the USING clause to specify it"
                       : key == "owner"    ? "it will be set to the current user"
                                           : nullptr;
  if (advice == nullptr) return arrow::Status::OK();
  return UserError("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", {{"property", key}, {"msg", advice}});
}

arrow::Result<delta::Alteration> SetProperties(const delta::Snapshot& table, const sql::Properties& properties) {
  Options of_delta;
  delta::StringMap all;
  std::optional<std::string> comment;
  for (const auto& [key, value] : properties) {
    ARROW_RETURN_NOT_OK(CheckNotReserved(key));
    if (ToLowerAscii(key).starts_with("delta.")) {
      of_delta.Set(key, value);
    } else if (key == "comment") {
      comment = value;
    } else {
      all[key] = value;
    }
  }
  auto checked = delta::TableProperties(of_delta);
  if (!checked.ok() && GetErrorDetail(checked.status()) == nullptr) {
    std::string message = checked.status().message();
    constexpr std::string_view kRequirement = "requirement failed: ";
    if (message.starts_with(kRequirement)) message.erase(0, kRequirement.size());
    return UserError("UNSUPPORTED_TABLE_CHANGE", {{"message", message}});
  }
  ARROW_RETURN_NOT_OK(checked);
  all.merge(*checked);
  ARROW_ASSIGN_OR_RAISE(delta::Alteration altered, delta::SetProperties(table, all, comment));
  // Writers that began before need not begin again for this alone.
  auto tracks = all.find("delta.enableRowTracking");
  if (all.size() == 1 && !comment && tracks != all.end() && EqualsIgnoreCase(tracks->second, "true")) {
    altered.operation.tags["rowTrackingEnablementOnly"] = "true";
  }
  return altered;
}

arrow::Result<delta::Alteration> AddColumns(const delta::Snapshot& table, const sql::AlterTable& alter) {
  ARROW_RETURN_NOT_OK(CheckAddedColumns(table, alter.columns));
  std::vector<delta::NewColumn> columns;
  for (const sql::ColumnDefinition& column : alter.columns) {
    if (column.generated_as || column.identity) {
      return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                       {{"tableName", "`delta`"}, {"operation", "ADD COLUMN with a generated column"}});
    }
    columns.push_back({column.parent, column.field, ToPlace(column.position)});
  }
  return delta::AddColumns(table, columns);
}

// None when nothing is to change.
arrow::Result<std::optional<delta::Alteration>> ChangeColumns(Session& session, const delta::Snapshot& table,
                                                              const Table& named, const sql::AlterTable& alter) {
  std::vector<delta::ColumnChange> changes;
  for (const sql::ColumnChange& change : alter.changes) {
    ARROW_RETURN_NOT_OK(CheckColumnsExist(table, {change.column}));
    ARROW_ASSIGN_OR_RAISE(std::vector<int> position, delta::FindColumn(*table.schema(), change.column));
    types::StructField field = delta::FieldAt(*table.schema(), position);
    ARROW_RETURN_NOT_OK(CheckChange(field, change, named));
    if (change.default_text && !change.default_text->empty()) {
      ARROW_RETURN_NOT_OK(CheckColumnDefault(session, table, change.column, *change.default_text));
    }
    bool same_type = change.type == nullptr ||
                     (change.type->Equals(*field.type) && SameChars(types::CharTypeOf(field), change.char_type));
    bool nothing = same_type && !change.nullable && !change.comment && !change.position && !change.default_text;
    if (nothing) continue;
    changes.push_back({change.column, std::nullopt, same_type ? nullptr : change.type, change.nullable, change.comment,
                       ToPlace(change.position), change.default_text, change.char_type});
  }
  if (changes.empty()) return std::nullopt;
  return delta::ChangeColumns(table, changes, NameInMessages(named), UsesColumnIn(session));
}

arrow::Result<std::optional<delta::Alteration>> AlterationOf(Session& session, const delta::Snapshot& table,
                                                             const Table& named, const sql::AlterTable& alter) {
  std::string name = NameInMessages(named);
  switch (alter.kind) {
    case Kind::kSetProperties:
      return SetProperties(table, alter.properties);
    case Kind::kUnsetProperties:
      return delta::UnsetProperties(table, alter.keys);
    case Kind::kAddColumns:
      return AddColumns(table, alter);
    case Kind::kRenameColumn:
      ARROW_RETURN_NOT_OK(CheckColumnsExist(table, alter.dropped));
      ARROW_RETURN_NOT_OK(CheckNewNameIsFree(table, alter.dropped[0], alter.new_name[0]));
      return delta::ChangeColumns(table, {{alter.dropped[0], alter.new_name[0], nullptr, {}, {}, {}, {}}}, name,
                                  UsesColumnIn(session));
    case Kind::kDropColumns: {
      std::vector<delta::ColumnPath> columns = alter.dropped;
      if (alter.if_exists) {
        std::erase_if(columns, [&](const auto& column) { return !delta::FindColumn(*table.schema(), column).ok(); });
        if (columns.empty()) return std::nullopt;
      } else {
        ARROW_RETURN_NOT_OK(CheckColumnsExist(table, columns));
      }
      return delta::DropColumns(table, columns, UsesColumnIn(session));
    }
    case Kind::kChangeColumns:
      return ChangeColumns(session, table, named, alter);
    case Kind::kReplaceColumns: {
      std::vector<types::StructField> columns;
      for (const sql::ColumnDefinition& column : alter.columns) columns.push_back(column.field);
      return delta::ReplaceColumns(table, columns);
    }
    case Kind::kSyncIdentity: {
      ARROW_RETURN_NOT_OK(CheckColumnsExist(table, alter.dropped));
      ARROW_ASSIGN_OR_RAISE(std::vector<int> position, delta::FindColumn(*table.schema(), alter.dropped[0]));
      types::StructField field = delta::FieldAt(*table.schema(), position);
      if (!delta::IsIdentityColumn(field)) {
        return UserError("DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN");
      }
      bool least = delta::IdentityStep(field) < 0;
      ARROW_ASSIGN_OR_RAISE(auto outermost, OutermostValue(session, table, field.name, least));
      return delta::SyncIdentity(table, position, outermost);
    }
    case Kind::kClusterBy:
      if (alter.dropped.empty() && !delta::Supports(table.protocol(), "clustering")) return std::nullopt;
      return delta::ClusterBy(table, alter.dropped);
    case Kind::kAddConstraint: {
      ARROW_ASSIGN_OR_RAISE(delta::Alteration alteration, delta::AddConstraint(table, alter.constraint, alter.text));
      ARROW_RETURN_NOT_OK(CheckNewConstraint(session, table, alter.constraint, alter.text, name));
      return alteration;
    }
    case Kind::kDropConstraint: {
      std::string quoted = KeepsOwnSchema(named.database) ? name : QuoteNameParts(named.FullName());
      return delta::DropConstraint(table, alter.constraint, alter.if_exists, quoted);
    }
    case Kind::kAddPartitions:
    case Kind::kDropPartitions:
      return UserError("INVALID_PARTITION_OPERATION.PARTITION_MANAGEMENT_IS_UNSUPPORTED",
                       {{"name", QuoteNameParts(named.FullName())}});
    case Kind::kRecoverPartitions:
      return UserError("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE",
                       {{"cmd", alter.operation.empty() ? "ALTER TABLE ... RECOVER PARTITIONS" : alter.operation}});
    default:
      if (alter.operation == sql::kHiveRename) {
        return UserError("_LEGACY_ERROR_TEMP_0034", {{"operation", "Renaming column"},
                                                     {"command", "ALTER COLUMN"},
                                                     {"msg", ", please run RENAME COLUMN instead"}});
      }
      return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                       {{"tableName", QuoteNameParts(named.FullName())},
                        {"operation", alter.operation.empty() ? "ALTER TABLE of partitions" : alter.operation}});
  }
}

arrow::Result<OpenedTable> OpenToAlter(Session& session, const Table& table) {
  bool by_path = KeepsOwnSchema(table.database);
  auto opened = OpenDeltaLocation(session, table.location, {by_path ? table.name : NameInMessages(table)});
  if (by_path || !IsErrorCondition(opened.status(), "DELTA_MISSING_DELTA_TABLE")) return opened;
  return UserError("DELTA_MISSING_DELTA_TABLE", {{"tableName", NameInMessages(table)}});
}

// Properties that take more than their commit; those that this has settled are taken out.
arrow::Status PrepareProperties(Session& session, const OpenedTable& opened, sql::AlterTable* alter) {
  static constexpr std::string_view kMapping = "delta.columnMapping.mode";
  const delta::Metadata& metadata = opened.snapshot->metadata();
  bool maps = !EqualsIgnoreCase(metadata.Property(kMapping).value_or("none"), "none");
  if (alter->kind == Kind::kUnsetProperties) {
    auto is_mapping = [](const std::string& key) { return EqualsIgnoreCase(key, kMapping); };
    if (!maps || std::none_of(alter->keys.begin(), alter->keys.end(), is_mapping)) return arrow::Status::OK();
    if (alter->keys.size() == 1) alter->keys.clear();
    return RemoveColumnMapping(session, opened, /*unsets_property=*/true);
  }
  for (auto it = alter->properties.begin(); it != alter->properties.end(); ++it) {
    if (EqualsIgnoreCase(it->first, "delta.enableRowTracking") && EqualsIgnoreCase(it->second, "true") &&
        !delta::BooleanProperty(metadata, "delta.enableRowTracking", false)) {
      ARROW_RETURN_NOT_OK(PrepareRowTracking(session, opened));
    } else if (maps && EqualsIgnoreCase(it->first, kMapping) && EqualsIgnoreCase(it->second, "none")) {
      if (alter->properties.size() == 1) alter->properties.clear();
      return RemoveColumnMapping(session, opened, /*unsets_property=*/false);
    }
  }
  return arrow::Status::OK();
}

}  // namespace

TablePtr TableCommands::FindPathTable(const sql::NameParts& name) const {
  bool is_path = name.size() == 2 && KeepsOwnSchema(name[0]) && !metastore_.HasDatabase(name[0]) &&
                 name[1].find('/') != std::string::npos;
  if (!is_path) return nullptr;
  auto table = std::make_shared<Table>();
  table->database = ToLowerAscii(name[0]);
  table->name = name[1];
  table->kind = catalog::TableKind::kExternal;
  table->provider = table->database;
  table->location = AbsolutePath(LocalPath(name[1]));
  return table;
}

arrow::Status TableCommands::AlterDelta(const Table& table, const sql::AlterTable& alter) {
  if (alter.kind == Kind::kSetLocation) return SetDeltaLocation(table, alter.text);
  if (alter.kind == Kind::kDropFeature) {
    ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenToAlter(session_, table));
    return DropFeature(session_, opened, alter.text, alter.truncates_history);
  }
  sql::AlterTable rest = alter;
  if (alter.kind == Kind::kSetProperties || alter.kind == Kind::kUnsetProperties) {
    ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenToAlter(session_, table));
    ARROW_RETURN_NOT_OK(PrepareProperties(session_, opened, &rest));
    if (rest.properties.empty() && rest.keys.empty()) return arrow::Status::OK();
  }
  return CommitAlteration(
      table, [&](const delta::Snapshot& snapshot) { return AlterationOf(session_, snapshot, table, rest); });
}

arrow::Status TableCommands::SetDeltaFeatures(const sql::NameParts& name, const sql::Properties& properties) {
  ARROW_ASSIGN_OR_RAISE(TablePtr table, FindTable(name, "ALTER TABLE"));
  Options options;
  for (const auto& [key, value] : properties) options.Set(key, value);
  ARROW_ASSIGN_OR_RAISE(delta::StringMap checked, delta::TableProperties(options));
  return CommitAlteration(*table, [&](const delta::Snapshot& snapshot) {
    return delta::SetProperties(snapshot, checked, std::nullopt, /*of_sql=*/false);
  });
}

arrow::Status TableCommands::DropDeltaFeature(const sql::NameParts& name, const std::string& feature,
                                              bool truncates_history) {
  ARROW_ASSIGN_OR_RAISE(TablePtr table, FindTable(name, "ALTER TABLE"));
  ARROW_ASSIGN_OR_RAISE(OpenedTable opened, OpenToAlter(session_, *table));
  return DropFeature(session_, opened, feature, truncates_history);
}

arrow::Status TableCommands::CommitAlteration(const Table& table, const AlterSnapshot& alter) {
  const connector::ConnectorContext& context = *session_.CurrentConnectorContext();
  connector::SinkRequest request;
  request.path = table.location;
  request.context = &context;
  ARROW_ASSIGN_OR_RAISE(auto opened, connector::delta_table::OpenTable(request));
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        delta::Transaction::Begin(opened, connector::delta_table::SettingsOf(context)));
  if (transaction->creates_table()) {
    bool by_path = KeepsOwnSchema(table.database);
    return UserError("DELTA_MISSING_DELTA_TABLE",
                     {{"tableName", by_path ? QuoteIdentifier(table.name) : NameInMessages(table)}});
  }
  ARROW_ASSIGN_OR_RAISE(std::optional<delta::Alteration> alteration, alter(*transaction->snapshot()));
  if (!alteration) return arrow::Status::OK();
  // A clustered table that is clustered otherwise keeps its definition.
  bool only_clustering = alteration->clustering && !alteration->definition.protocol;
  if (alteration->clustering) transaction->Stage(*std::move(alteration->clustering));
  if (!only_clustering) transaction->SetMetadata(std::move(alteration->definition.metadata));
  if (alteration->definition.protocol) transaction->SetProtocol(*alteration->definition.protocol);
  // Rows that come meanwhile were not looked at.
  if (alteration->reads_rows) transaction->ReadWholeTable();
  return CommitChange(session_, *transaction, alteration->operation).status();
}

arrow::Status TableCommands::SetDeltaLocation(const Table& table, const std::string& location) {
  if (KeepsOwnSchema(table.database)) return UserError("DELTA_CANNOT_SET_LOCATION_ON_PATH_IDENTIFIER");
  Table moved = table;
  moved.location = AbsolutePath(LocalPath(location));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr before, SchemaOf(table));
  auto opened = OpenDeltaLocation(session_, moved.location, {moved.location});
  if (IsErrorCondition(opened.status(), "DELTA_MISSING_DELTA_TABLE")) return opened.status();
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr after, SchemaOf(moved));
  if (before->ToJson() != after->ToJson()) {
    return UserError("DELTA_SET_LOCATION_SCHEMA_MISMATCH",
                     {{"original", before->ToTreeString()},
                      {"destination", after->ToTreeString()},
                      {"config", "spark.databricks.delta.alterLocation.bypassSchemaCheck"}});
  }
  return metastore_.AlterTable(table.database, table.name, [&](Table* changed) { changed->location = moved.location; });
}

}  // namespace millrace::session
