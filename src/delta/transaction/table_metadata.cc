#include "delta/transaction/table_metadata.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
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

bool HasType(const types::DataType& type, TypeId id) {
  if (type.id() == id) return true;
  bool found = false;
  VisitFields(type, [&](const StructField& field) { found = found || HasType(*field.type, id); });
  if (type.id() == TypeId::kArray) return found || HasType(*type.element(), id);
  if (type.id() == TypeId::kMap) return found || HasType(*type.key(), id) || HasType(*type.value(), id);
  return found;
}

// A column called as files call it; same place, whatever depth, as `fields` of the table before.
const StructField* Counterpart(const types::DataType* old_struct, const StructField& field) {
  if (old_struct == nullptr || old_struct->id() != TypeId::kStruct) return nullptr;
  for (const StructField& candidate : old_struct->fields()) {
    if (EqualsIgnoreCase(candidate.name, field.name)) return &candidate;
  }
  return nullptr;
}

class ColumnNumbering {
 public:
  ColumnNumbering(int64_t max_id, bool overwrite) : max_id_(max_id), overwrite_(overwrite) {}
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
    if (overwrite_ && before != nullptr && before->type->EqualsIgnoreNullability(*field->type)) {
      JsonValue old = FieldMetadata(*before);
      for (std::string_view key : {kColumnIdKey, kPhysicalNameKey}) {
        if (const JsonValue* value = old.Find(key); value != nullptr && metadata.Find(key) == nullptr) {
          metadata.Set(std::string(key), *value);
        }
      }
    }
    if (metadata.Find(kColumnIdKey) == nullptr) metadata.Set(std::string(kColumnIdKey), JsonValue::Number(++max_id_));
    if (metadata.Find(kPhysicalNameKey) == nullptr) {
      metadata.Set(std::string(kPhysicalNameKey), JsonValue::String("col-" + RandomUuid()));
    }
    field->metadata_json = metadata.ToString();
  }

  int64_t max_id_;
  bool overwrite_;
};

int64_t GreatestColumnId(const types::DataType& schema) {
  int64_t greatest = 0;
  VisitFields(schema, [&](const StructField& field) {
    JsonValue metadata = FieldMetadata(field);
    if (const JsonValue* id = metadata.Find(kColumnIdKey)) greatest = std::max(greatest, id->AsInt64());
  });
  return greatest;
}

arrow::Status CheckNames(const types::DataType& schema, const std::vector<std::string>& partition_columns,
                         ColumnMappingMode mode) {
  ARROW_RETURN_NOT_OK(CheckNoDuplicateColumns(schema, "METADATA_UPDATE"));
  if (mode != ColumnMappingMode::kNone) return arrow::Status::OK();
  arrow::Status status;
  auto check = [&](const StructField& field) {
    if (!status.ok() || field.name.find_first_of(" ,;{}()\n\t=") == std::string::npos) return;
    status = UserError("DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", {{"invalidColumnNames", field.name}});
  };
  for (const StructField& field : schema.fields()) {
    if (std::find(partition_columns.begin(), partition_columns.end(), field.name) != partition_columns.end()) continue;
    check(field);
    VisitFields(*field.type, check);
  }
  return status;
}

arrow::Status AssignColumns(ColumnMappingMode mode, const types::DataType* old_schema, bool overwrite,
                            DataTypePtr* schema, StringMap* configuration) {
  if (mode == ColumnMappingMode::kNone) return arrow::Status::OK();
  int64_t max_id = std::max(GreatestColumnId(**schema), old_schema == nullptr ? 0 : GreatestColumnId(*old_schema));
  if (auto it = configuration->find(kMaxColumnId); it != configuration->end()) {
    int64_t said = 0;
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), said);
    max_id = std::max(max_id, said);
  }
  ColumnNumbering numbering(max_id, overwrite);
  *schema = numbering.Assign(*schema, old_schema);
  (*configuration)[std::string(kMaxColumnId)] = std::to_string(numbering.max_id());
  return arrow::Status::OK();
}

// The weakest form of a protocol with exactly these features.
Protocol ProtocolOf(const std::set<std::string>& features) {
  int reader = 1, writer = 1;
  bool listed = false;
  for (const std::string& name : features) {
    const TableFeature* feature = FindTableFeature(name);
    if (feature->legacy_writer_version == 0) {
      listed = true;
      if (feature->kind == FeatureKind::kReaderWriter) reader = kTableFeaturesReaderVersion;
    } else {
      writer = std::max(writer, feature->legacy_writer_version);
      reader = std::max(reader, feature->legacy_reader_version);
    }
  }
  Protocol protocol;
  protocol.min_reader_version = reader;
  protocol.min_writer_version = writer;
  for (const TableFeature& feature : AllTableFeatures()) {
    bool implied = feature.legacy_writer_version > 0 && feature.legacy_writer_version <= writer;
    listed = listed || (implied && features.count(std::string(feature.name)) == 0);
  }
  if (!listed) return protocol;
  protocol.min_writer_version = kTableFeaturesWriterVersion;
  protocol.writer_features.emplace(features.begin(), features.end());
  if (reader < kTableFeaturesReaderVersion) return protocol;
  protocol.reader_features.emplace();
  for (const std::string& name : features) {
    if (FindTableFeature(name)->kind == FeatureKind::kReaderWriter) protocol.reader_features->push_back(name);
  }
  return protocol;
}

void AddDependencies(std::set<std::string>* features) {
  if (features->count("rowTracking") > 0 || features->count("clustering") > 0) features->insert("domainMetadata");
  for (const char* iceberg : {"icebergCompatV1", "icebergCompatV2", "icebergCompatV3"}) {
    if (features->count(iceberg) > 0) features->insert("columnMapping");
  }
}

// Takes what belongs to the protocol out of the properties.
arrow::Result<Protocol> ProtocolForNewTable(const Metadata& metadata, const types::DataType& schema,
                                            StringMap* properties) {
  std::set<std::string> features;
  for (std::string& name : FeaturesUsed(metadata, schema)) features.insert(std::move(name));
  int64_t reader = 1, writer = 2;
  for (auto it = properties->begin(); it != properties->end();) {
    const auto& [key, value] = *it;
    bool of_protocol = true;
    if (key.starts_with("delta.feature.")) {
      if (value != "supported") {
        return UserError("DELTA_UNSUPPORTED_FEATURE_STATUS", {{"feature", key.substr(14)}, {"status", value}});
      }
      features.insert(key.substr(14));
    } else if (key == "delta.minReaderVersion") {
      reader = std::strtoll(value.c_str(), nullptr, 10);
    } else if (key == "delta.minWriterVersion") {
      writer = std::strtoll(value.c_str(), nullptr, 10);
    } else {
      of_protocol = key == "delta.ignoreProtocolDefaults";
    }
    it = of_protocol ? properties->erase(it) : std::next(it);
  }
  if (writer < kTableFeaturesWriterVersion) {
    for (const TableFeature& feature : AllTableFeatures()) {
      bool implied = feature.legacy_writer_version > 0 && feature.legacy_writer_version <= writer &&
                     feature.legacy_reader_version <= std::min<int64_t>(reader, 2);
      if (implied) features.insert(std::string(feature.name));
    }
  }
  AddDependencies(&features);
  return ProtocolOf(features);
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
  on("delta.enableVariantShredding", "variantShredding");
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
  if (HasType(schema, TypeId::kTimestampNtz)) features.insert("timestampNtz");
  VisitFields(schema, [&](const StructField& field) {
    if (!field.nullable) features.insert("invariants");
    if (field.metadata_json.empty()) return;
    if (field.metadata_json.find("\"delta.invariants\"") != std::string::npos) features.insert("invariants");
    if (field.metadata_json.find("\"delta.generationExpression\"") != std::string::npos) {
      features.insert("generatedColumns");
    }
    if (field.metadata_json.find("\"delta.identity.start\"") != std::string::npos) features.insert("identityColumns");
    if (field.metadata_json.find("\"CURRENT_DEFAULT\"") != std::string::npos) features.insert("allowColumnDefaults");
  });
  return {features.begin(), features.end()};
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
  ARROW_RETURN_NOT_OK(AssignColumns(mode, nullptr, false, &numbered, &table.metadata.configuration));
  ARROW_RETURN_NOT_OK(CheckNames(*numbered, table.metadata.partition_columns, mode));
  table.metadata.schema_string = numbered->ToJson();
  ARROW_ASSIGN_OR_RAISE(table.protocol, ProtocolForNewTable(table.metadata, *numbered, &table.metadata.configuration));
  NameRowTrackingColumns(table.protocol, &table.metadata);
  return table;
}

arrow::Result<Metadata> ChangeSchema(const Metadata& old, const Protocol& protocol, const DataTypePtr& schema,
                                     std::vector<std::string> partition_columns, bool overwrite) {
  Metadata changed = old;
  changed.partition_columns = std::move(partition_columns);
  ARROW_ASSIGN_OR_RAISE(ColumnMappingMode mode, ColumnMappingModeOf(old));
  ARROW_ASSIGN_OR_RAISE(DataTypePtr old_schema, old.ParseSchema());
  DataTypePtr numbered = schema;
  ARROW_RETURN_NOT_OK(AssignColumns(mode, old_schema.get(), overwrite, &numbered, &changed.configuration));
  ARROW_RETURN_NOT_OK(CheckNames(*numbered, changed.partition_columns, mode));
  changed.schema_string = numbered->ToJson();
  std::string missing;
  for (const std::string& feature : FeaturesUsed(changed, *numbered)) {
    if (Supports(protocol, feature)) continue;
    missing += (missing.empty() ? "" : ", ") + feature;
  }
  if (missing.empty()) return changed;
  std::string supported;
  for (const TableFeature& feature : AllTableFeatures()) {
    if (Supports(protocol, feature.name)) supported += (supported.empty() ? "" : ", ") + std::string(feature.name);
  }
  return UserError("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT",
                   {{"unsupportedFeatures", missing}, {"supportedFeatures", supported}});
}

}  // namespace millrace::delta
