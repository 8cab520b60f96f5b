#include "delta/transaction/table_metadata.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/schema/computed_column.h"
#include "delta/transaction/protocol_upgrade.h"
#include "delta/transaction/row_ids.h"
#include "delta/transaction/schema_merge.h"

namespace millrace::delta {

using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

constexpr std::string_view kMaxColumnId = "delta.columnMapping.maxColumnId";

JsonValue FieldMetadata(const StructField& field) {
  if (field.metadata_json.empty()) return JsonValue::Object();
  auto parsed = ParseJson(field.metadata_json);
  return parsed.ok() && parsed->is_object() ? *std::move(parsed) : JsonValue::Object();
}

template <typename Visit>
void VisitFields(const types::DataType& type, const Visit& visit) {
  switch (type.id()) {
    case TypeId::kStruct:
      for (const StructField& field : type.fields()) {
        visit(field);
        VisitFields(*field.type, visit);
      }
      return;
    case TypeId::kArray:
      return VisitFields(*type.element(), visit);
    case TypeId::kMap:
      VisitFields(*type.key(), visit);
      return VisitFields(*type.value(), visit);
    default:
      return;
  }
}

// A column called as files call it; same place, whatever depth, as `fields` of the table before.
const StructField* Counterpart(const types::DataType* old_struct, const StructField& field) {
  if (old_struct == nullptr || old_struct->id() != TypeId::kStruct) return nullptr;
  for (const StructField& candidate : old_struct->fields()) {
    if (EqualsIgnoreCase(candidate.name, field.name)) return &candidate;
  }
  return nullptr;
}

/// How columns come to their ids and names in files.
enum class Numbering : uint8_t {
  kNewColumns,      ///< those that have none get new ones
  kReuseByName,     ///< a column of the same name and type as before keeps them
  kFilesKeepNames,  ///< files were written under the columns' own names
};

class ColumnNumbering {
 public:
  ColumnNumbering(int64_t max_id, Numbering numbering) : max_id_(max_id), numbering_(numbering) {}
  int64_t max_id() const { return max_id_; }

  DataTypePtr Assign(const DataTypePtr& type, const types::DataType* old) {
    switch (type->id()) {
      case TypeId::kStruct: {
        std::vector<StructField> fields = type->fields();
        for (StructField& field : fields) {
          const StructField* before = Counterpart(old, field);
          AssignField(before, &field);
          field.type = Assign(field.type, before == nullptr ? nullptr : before->type.get());
        }
        return types::Struct(std::move(fields));
      }
      case TypeId::kArray:
        return types::Array(Assign(type->element(), Part(old, TypeId::kArray, 0)), type->contains_null());
      case TypeId::kMap:
        return types::Map(Assign(type->key(), Part(old, TypeId::kMap, 0)),
                          Assign(type->value(), Part(old, TypeId::kMap, 1)), type->value_contains_null());
      default:
        return type;
    }
  }

 private:
  static const types::DataType* Part(const types::DataType* old, TypeId id, int index) {
    if (old == nullptr || old->id() != id) return nullptr;
    return index == 0 ? (id == TypeId::kMap ? old->key().get() : old->element().get()) : old->value().get();
  }

  void AssignField(const StructField* before, StructField* field) {
    JsonValue metadata = FieldMetadata(*field);
    if (numbering_ == Numbering::kReuseByName && before != nullptr &&
        before->type->EqualsIgnoreNullability(*field->type)) {
      JsonValue old = FieldMetadata(*before);
      for (std::string_view key : {kColumnIdKey, kPhysicalNameKey}) {
        if (const JsonValue* value = old.Find(key); value != nullptr && metadata.Find(key) == nullptr) {
          metadata.Set(std::string(key), *value);
        }
      }
    }
    if (metadata.Find(kColumnIdKey) == nullptr) metadata.Set(std::string(kColumnIdKey), JsonValue::Number(++max_id_));
    if (metadata.Find(kPhysicalNameKey) == nullptr) {
      bool keeps_name = numbering_ == Numbering::kFilesKeepNames;
      metadata.Set(std::string(kPhysicalNameKey), JsonValue::String(keeps_name ? field->name : "col-" + RandomUuid()));
    }
    field->metadata_json = metadata.ToString();
  }

  int64_t max_id_;
  Numbering numbering_;
};

int64_t GreatestColumnId(const types::DataType& schema) {
  int64_t greatest = 0;
  VisitFields(schema, [&](const StructField& field) {
    JsonValue metadata = FieldMetadata(field);
    if (const JsonValue* id = metadata.Find(kColumnIdKey)) greatest = std::max(greatest, id->AsInt64());
  });
  return greatest;
}

constexpr const char* kForbiddenCharacters = " ,;{}()\n\t=";

arrow::Status CheckNames(const types::DataType& schema, const std::vector<std::string>& partition_columns,
                         ColumnMappingMode mode) {
  ARROW_RETURN_NOT_OK(CheckNoDuplicateColumns(schema, "METADATA_UPDATE"));
  if (mode != ColumnMappingMode::kNone) return arrow::Status::OK();
  arrow::Status status;
  auto check = [&](const StructField& field) {
    if (!status.ok() || field.name.find_first_of(kForbiddenCharacters) == std::string::npos) return;
    status = UserError("DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", {{"invalidColumnNames", field.name}});
  };
  for (const StructField& field : schema.fields()) {
    if (std::find(partition_columns.begin(), partition_columns.end(), field.name) != partition_columns.end()) continue;
    check(field);
    VisitFields(*field.type, check);
  }
  return status;
}

arrow::Status AssignColumns(ColumnMappingMode mode, const types::DataType* old_schema, Numbering how,
                            DataTypePtr* schema, StringMap* configuration) {
  if (mode == ColumnMappingMode::kNone) return arrow::Status::OK();
  int64_t max_id = std::max(GreatestColumnId(**schema), old_schema == nullptr ? 0 : GreatestColumnId(*old_schema));
  if (auto it = configuration->find(kMaxColumnId); it != configuration->end()) {
    int64_t said = 0;
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), said);
    max_id = std::max(max_id, said);
  }
  ColumnNumbering numbering(max_id, how);
  *schema = numbering.Assign(*schema, old_schema);
  (*configuration)[std::string(kMaxColumnId)] = std::to_string(numbering.max_id());
  return arrow::Status::OK();
}

// The change feed's own columns.
arrow::Status CheckChangeFeedNames(const Metadata& metadata, const types::DataType& schema) {
  if (!BooleanProperty(metadata, "delta.enableChangeDataFeed", false)) return arrow::Status::OK();
  std::string reserved;
  for (const StructField& field : schema.fields()) {
    for (std::string_view name : {"_change_type", "_commit_version", "_commit_timestamp"}) {
      if (EqualsIgnoreCase(field.name, name)) reserved += (reserved.empty() ? "[" : ",") + field.name;
    }
  }
  if (reserved.empty()) return arrow::Status::OK();
  return UserError("DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS", {{"columnList", reserved + "]"}});
}

std::string_view ModeName(ColumnMappingMode mode) {
  switch (mode) {
    case ColumnMappingMode::kNone:
      return "none";
    case ColumnMappingMode::kName:
      return "name";
    case ColumnMappingMode::kId:
      break;
  }
  return "id";
}

}  // namespace

DataTypePtr PhysicalSchema(const DataTypePtr& schema, ColumnMappingMode mode) {
  switch (schema->id()) {
    case TypeId::kStruct: {
      std::vector<StructField> fields = schema->fields();
      for (StructField& field : fields) {
        field.type = PhysicalSchema(field.type, mode);
        if (mode == ColumnMappingMode::kNone) {
          field.metadata_json.clear();
          continue;
        }
        JsonValue metadata = FieldMetadata(field);
        field.name = PhysicalName(field);
        const JsonValue* id = metadata.Find(kColumnIdKey);
        field.metadata_json = id == nullptr ? "" : JsonValue::Object({{"parquet.field.id", *id}}).ToString();
      }
      return types::Struct(std::move(fields));
    }
    case TypeId::kArray:
      return types::Array(PhysicalSchema(schema->element(), mode), schema->contains_null());
    case TypeId::kMap:
      return types::Map(PhysicalSchema(schema->key(), mode), PhysicalSchema(schema->value(), mode),
                        schema->value_contains_null());
    default:
      return schema;
  }
}

std::vector<std::string> NamesFilesCannotHave(const types::DataType& schema) {
  std::vector<std::string> names;
  VisitFields(schema, [&](const StructField& field) {
    if (field.name.find_first_of(kForbiddenCharacters) != std::string::npos) names.push_back(field.name);
  });
  return names;
}

std::vector<std::string> FeaturesUsed(const Metadata& metadata, const types::DataType& schema) {
  std::set<std::string> features;
  auto on = [&](std::string_view property, const char* feature) {
    if (BooleanProperty(metadata, property, false)) features.insert(feature);
  };
  on("delta.appendOnly", "appendOnly");
  on("delta.enableChangeDataFeed", "changeDataFeed");
  on("delta.enableDeletionVectors", "deletionVectors");
  on("delta.enableInCommitTimestamps", "inCommitTimestamp");
  on("delta.enableRowTracking", "rowTracking");
  on("delta.enableTypeWidening", "typeWidening");
  on("delta.enableIcebergCompatV1", "icebergCompatV1");
  on("delta.enableIcebergCompatV2", "icebergCompatV2");
  on("delta.enableIcebergCompatV3", "icebergCompatV3");
  on("delta.enableVariantShredding", "variantShredding-preview");  // as Delta 4.4
  on("delta.enableMaterializePartitionColumnsFeature", "materializePartitionColumns");
  if (metadata.Property("delta.checkpointPolicy").value_or("classic") == "v2") features.insert("v2Checkpoint");
  if (metadata.Property("delta.coordinatedCommits.commitCoordinator-preview")) {
    features.insert("coordinatedCommits-preview");
  }
  if (!EqualsIgnoreCase(metadata.Property("delta.columnMapping.mode").value_or("none"), "none")) {
    features.insert("columnMapping");
  }
  for (const auto& [key, value] : metadata.configuration) {
    if (ToLowerAscii(key).starts_with("delta.constraints.")) features.insert("checkConstraints");
  }
  if (schema.Holds(TypeId::kTimestampNtz)) features.insert("timestampNtz");
  if (schema.Holds(TypeId::kVariant)) features.insert("variantType");
  VisitFields(schema, [&](const StructField& field) {
    if (!field.nullable) features.insert("invariants");
    if (field.metadata_json.empty()) return;
    if (field.metadata_json.find("\"delta.invariants\"") != std::string::npos) features.insert("invariants");
    if (!GenerationExpression(field).empty()) features.insert("generatedColumns");
    if (IsIdentityColumn(field)) features.insert("identityColumns");
  });
  return {features.begin(), features.end()};
}

// Iceberg reads the files of tables that one of the features for it keeps fit.
static arrow::Status CheckUniversalFormat(const Metadata& metadata) {
  std::string formats = ToLowerAscii(metadata.Property("delta.universalFormat.enabledFormats").value_or(""));
  if (formats.find("iceberg") == std::string::npos) return arrow::Status::OK();
  for (const char* version : {"V1", "V2", "V3"}) {
    if (BooleanProperty(metadata, std::string("delta.enableIcebergCompat") + version, false))
      return arrow::Status::OK();
  }
  return UserError("DELTA_UNIVERSAL_FORMAT_VIOLATION",
                   {{"format", "iceberg"},
                    {"violation",
                     "Requires IcebergCompat to be explicitly enabled in order for Universal Format (Iceberg) to be "
                     "enabled on an existing table. Supported versions are IcebergCompatV1 and IcebergCompatV2."}});
}

arrow::Result<TableDefinition> DefineTable(const DataTypePtr& schema, std::vector<std::string> partition_columns,
                                           const StringMap& properties, int64_t now_ms) {
  TableDefinition table;
  table.metadata.id = RandomUuid();
  table.metadata.configuration = properties;
  table.metadata.partition_columns = std::move(partition_columns);
  table.metadata.created_time_ms = now_ms;
  ARROW_ASSIGN_OR_RAISE(ColumnMappingMode mode, ColumnMappingModeOf(table.metadata));
  DataTypePtr numbered = schema;
  ARROW_RETURN_NOT_OK(AssignColumns(mode, nullptr, Numbering::kNewColumns, &numbered, &table.metadata.configuration));
  ARROW_RETURN_NOT_OK(CheckNames(*numbered, table.metadata.partition_columns, mode));
  table.metadata.schema_string = numbered->ToJson();
  ARROW_RETURN_NOT_OK(CheckChangeFeedNames(table.metadata, *numbered));
  ARROW_RETURN_NOT_OK(CheckUniversalFormat(table.metadata));
  ARROW_ASSIGN_OR_RAISE(table.protocol, ProtocolForNewTable(*numbered, &table.metadata));
  NameRowTrackingColumns(table.protocol, &table.metadata);
  return table;
}

arrow::Result<DefinitionChange> UpdateDefinition(const Metadata& old, const Protocol& protocol, Metadata proposed,
                                                 const types::DataTypePtr& schema, SchemaReplacement replacement) {
  DefinitionChange change;
  ARROW_ASSIGN_OR_RAISE(ColumnMappingMode old_mode, ColumnMappingModeOf(old));
  ARROW_ASSIGN_OR_RAISE(ColumnMappingMode mode, ColumnMappingModeOf(proposed));
  bool new_table = replacement == SchemaReplacement::kTable;
  bool maps_from_now = !new_table && old_mode == ColumnMappingMode::kNone && mode == ColumnMappingMode::kName;
  if (mode != old_mode && !new_table && !maps_from_now) {
    if (mode == ColumnMappingMode::kNone) {
      return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                       {{"tableName", "`delta`"}, {"operation", "removal of column mapping"}});
    }
    return UserError("DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE",
                     {{"oldMode", std::string(ModeName(old_mode))}, {"newMode", std::string(ModeName(mode))}});
  }
  ARROW_ASSIGN_OR_RAISE(DataTypePtr old_schema, old.ParseSchema());
  DataTypePtr numbered = schema;
  Numbering numbering = maps_from_now                             ? Numbering::kFilesKeepNames
                        : replacement == SchemaReplacement::kNone ? Numbering::kNewColumns
                                                                  : Numbering::kReuseByName;
  ARROW_RETURN_NOT_OK(AssignColumns(mode, old_schema.get(), numbering, &numbered, &proposed.configuration));
  ARROW_RETURN_NOT_OK(CheckNames(*numbered, proposed.partition_columns, mode));
  ARROW_RETURN_NOT_OK(CheckChangeFeedNames(proposed, *numbered));
  ARROW_RETURN_NOT_OK(CheckUniversalFormat(proposed));
  proposed.schema_string = numbered->ToJson();
  ARROW_ASSIGN_OR_RAISE(change.protocol, UpgradeProtocol(protocol, *numbered, &proposed));
  NameRowTrackingColumns(change.protocol ? *change.protocol : protocol, &proposed);
  change.metadata = std::move(proposed);
  return change;
}

}  // namespace millrace::delta
