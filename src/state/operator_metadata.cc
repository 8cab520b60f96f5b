#include "state/operator_metadata.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "base/version_line.h"
#include "state/state_schema.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string MetadataDirectory(const std::string& state_directory, int64_t operator_id) {
  return JoinPath(JoinPath(state_directory, std::to_string(operator_id)), "_metadata");
}

int64_t IntOf(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  return value == nullptr ? 0 : value->AsInt64();
}

std::string TextOf(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  return value == nullptr ? "" : value->AsString();
}

// The newest version 2 file of `batch_id` or before.
Result<std::optional<OperatorMetadata>> ReadVersion2(const FileSystem& file_system, const std::string& directory,
                                                     int64_t batch_id) {
  auto files = file_system.List(directory);
  if (files.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(files);
  std::optional<int64_t> newest;
  for (const FileInfo& file : *files) {
    auto id = ParseNumber(file.name);
    if (id && (batch_id < 0 || *id <= batch_id) && (!newest || *id > *newest)) newest = id;
  }
  if (!newest) return std::nullopt;
  std::string path = JoinPath(directory, std::to_string(*newest));
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadCheckedFile(file_system, path));
  ARROW_ASSIGN_OR_RAISE(OperatorMetadata metadata, DecodeOperatorMetadata(text, path));
  return metadata;
}

std::string PairTexts(const std::map<int64_t, std::string>& names) {
  std::string text;
  for (const auto& [id, name] : names) {
    if (!text.empty()) text += ", ";
    text += "(OperatorId: " + std::to_string(id) + " -> OperatorName: " + name + ")";
  }
  return text;
}

}  // namespace

std::string EncodeOperatorMetadata(const OperatorMetadata& metadata) {
  JsonValue info = JsonValue::Object();
  info.Set("operatorId", JsonValue::Number(metadata.operator_id));
  info.Set("operatorName", JsonValue::String(metadata.operator_name));
  std::vector<JsonValue> stores;
  for (const auto& store : metadata.stores) {
    JsonValue entry = JsonValue::Object();
    entry.Set("storeName", JsonValue::String(store.name));
    entry.Set("numColsPrefixKey", JsonValue::Number(int64_t{store.num_columns_prefix_key}));
    entry.Set("numPartitions", JsonValue::Number(int64_t{store.num_partitions}));
    if (metadata.version == 2) {
      std::vector<JsonValue> paths;
      for (const std::string& path : store.schema_file_paths) paths.push_back(JsonValue::String(path));
      entry.Set("stateSchemaFilePaths", JsonValue::Array(std::move(paths)));
    }
    stores.push_back(std::move(entry));
  }
  JsonValue root = JsonValue::Object();
  root.Set("operatorInfo", std::move(info));
  root.Set("stateStoreInfo", JsonValue::Array(std::move(stores)));
  if (metadata.version == 2) root.Set("operatorPropertiesJson", JsonValue::String(metadata.properties_json));
  return "v" + std::to_string(metadata.version) + "\n" + root.ToString();
}

Result<OperatorMetadata> DecodeOperatorMetadata(std::string_view text, const std::string& path) {
  OperatorMetadata metadata;
  ARROW_ASSIGN_OR_RAISE(std::string_view rest, AfterVersionLine(text, 2, path, &metadata.version));
  auto parsed = ParseJson(rest);
  if (!parsed.ok()) return Status::Invalid("operator metadata ", path, " is no JSON: ", parsed.status().message());
  const JsonValue* info = parsed->Find("operatorInfo");
  const JsonValue* stores = parsed->Find("stateStoreInfo");
  if (info == nullptr || stores == nullptr || !stores->is_array()) {
    return Status::Invalid("operator metadata ", path, " has no operatorInfo or no stateStoreInfo");
  }
  metadata.operator_id = IntOf(*info, "operatorId");
  metadata.operator_name = TextOf(*info, "operatorName");
  metadata.properties_json = TextOf(*parsed, "operatorPropertiesJson");
  for (const JsonValue& entry : stores->elements()) {
    OperatorMetadata::Store store{TextOf(entry, "storeName"),
                                  static_cast<int>(IntOf(entry, "numColsPrefixKey")),
                                  static_cast<int>(IntOf(entry, "numPartitions")),
                                  {}};
    if (const JsonValue* paths = entry.Find("stateSchemaFilePaths")) {
      for (const JsonValue& schema_path : paths->elements()) store.schema_file_paths.push_back(schema_path.AsString());
    }
    metadata.stores.push_back(std::move(store));
  }
  return metadata;
}

Result<std::optional<OperatorMetadata>> ReadOperatorMetadata(const FileSystem& file_system,
                                                             const std::string& state_directory, int64_t operator_id,
                                                             int64_t batch_id) {
  std::string directory = MetadataDirectory(state_directory, operator_id);
  std::string path = JoinPath(directory, "metadata");
  auto text = ReadCheckedFile(file_system, path);
  if (text.status().IsKeyError()) return ReadVersion2(file_system, JoinPath(directory, "v2"), batch_id);
  ARROW_RETURN_NOT_OK(text);
  ARROW_ASSIGN_OR_RAISE(OperatorMetadata metadata, DecodeOperatorMetadata(*text, path));
  return metadata;
}

Result<std::vector<OperatorMetadata>> ReadAllOperatorMetadata(const FileSystem& file_system,
                                                              const std::string& state_directory, int64_t batch_id) {
  std::vector<OperatorMetadata> all;
  auto folders = file_system.List(state_directory);
  if (folders.status().IsKeyError()) return all;
  ARROW_RETURN_NOT_OK(folders);
  std::set<int64_t> ids;
  for (const FileInfo& folder : *folders) {
    if (auto id = ParseNumber(folder.name); id && folder.is_directory) ids.insert(*id);
  }
  for (int64_t id : ids) {
    ARROW_ASSIGN_OR_RAISE(auto metadata, ReadOperatorMetadata(file_system, state_directory, id, batch_id));
    if (metadata) all.push_back(std::move(*metadata));
  }
  return all;
}

Status CheckOperatorNames(const FileSystem& file_system, const std::string& state_directory,
                          const std::vector<StatefulOperatorInfo>& operators) {
  std::map<int64_t, std::string> in_query, in_checkpoint;
  for (const auto& info : operators) in_query[info.operator_id] = info.operator_name;
  if (!operators.empty()) {
    auto folders = file_system.List(state_directory);
    if (folders.status().IsKeyError() || (folders.ok() && folders->empty())) {
      return UserError("STREAMING_STATEFUL_OPERATOR_MISSING_STATE_DIRECTORY",
                       {{"OpsInCurBatchSeq", PairTexts(in_query)}});
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto all, ReadAllOperatorMetadata(file_system, state_directory));
  // Sparks before 3.5 wrote none.
  if (all.empty()) return Status::OK();
  for (const OperatorMetadata& metadata : all) in_checkpoint[metadata.operator_id] = metadata.operator_name;
  if (in_query == in_checkpoint) return Status::OK();
  return UserError("STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA",
                   {{"OpsInMetadataSeq", PairTexts(in_checkpoint)}, {"OpsInCurBatchSeq", PairTexts(in_query)}});
}

Status WriteOperatorFilesIfAbsent(FileSystem* file_system, const std::string& state_directory,
                                  const StatefulOperatorInfo& info, Durability durability) {
  OperatorMetadata metadata;
  metadata.operator_id = info.operator_id;
  metadata.operator_name = info.operator_name;
  for (const auto& store : info.stores) {
    metadata.stores.push_back({store.name, store.schema.num_columns_prefix_key, info.num_partitions, {}});
    ARROW_RETURN_NOT_OK(WriteSchemaIfAbsent(file_system, state_directory, info.operator_id, store, durability));
  }
  std::string directory = MetadataDirectory(state_directory, info.operator_id);
  ARROW_ASSIGN_OR_RAISE(auto existing, ReadOperatorMetadata(*file_system, state_directory, info.operator_id));
  if (existing) return Status::OK();
  ARROW_RETURN_NOT_OK(file_system->CreateDirectories(directory));
  return WriteFileIfAbsent(*file_system, JoinPath(directory, "metadata"), EncodeOperatorMetadata(metadata), durability)
      .status();
}

Result<std::vector<StoredSchema>> ReadFamilies(const FileSystem& file_system, const OperatorMetadata& metadata) {
  std::vector<StoredSchema> schemas;
  if (metadata.stores.empty() || metadata.stores[0].schema_file_paths.empty()) return schemas;
  std::string path = LocalPath(metadata.stores[0].schema_file_paths.back());
  ARROW_ASSIGN_OR_RAISE(std::string bytes, ReadCheckedFile(file_system, path));
  return DecodeSchemaFile(bytes, path);
}

namespace {

std::string TypeOfVariable(const JsonValue& properties, const std::string& name) {
  const JsonValue* variables = properties.Find("stateVariables");
  if (variables == nullptr) return "";
  for (const JsonValue& variable : variables->elements()) {
    if (TextOf(variable, "stateName") == name) return TextOf(variable, "stateVariableType");
  }
  return "";
}

// Source: Spark, TransformWithStateOperatorProperties.validateOperatorProperties.
Status CheckProperties(const std::string& stored_json, const std::string& json) {
  ARROW_ASSIGN_OR_RAISE(JsonValue stored, ParseJson(stored_json));
  ARROW_ASSIGN_OR_RAISE(JsonValue properties, ParseJson(json));
  for (const char* name : {"timeMode", "outputMode"}) {
    if (TextOf(stored, name) == TextOf(properties, name)) continue;
    return UserError(
        "STATE_STORE_INVALID_CONFIG_AFTER_RESTART",
        {{"configName", name}, {"oldConfig", TextOf(stored, name)}, {"newConfig", TextOf(properties, name)}});
  }
  const JsonValue* variables = properties.Find("stateVariables");
  if (variables == nullptr) return Status::OK();
  for (const JsonValue& variable : variables->elements()) {
    std::string name = TextOf(variable, "stateName"), type = TextOf(variable, "stateVariableType");
    std::string old_type = TypeOfVariable(stored, name);
    if (old_type.empty() || old_type == type) continue;
    return UserError("STATE_STORE_INVALID_VARIABLE_TYPE_CHANGE",
                     {{"stateVarName", name}, {"newType", type}, {"oldType", old_type}});
  }
  return Status::OK();
}

}  // namespace

Status CheckFamilies(const FileSystem& file_system, const std::string& state_directory,
                     const StatefulOperatorInfo& info, bool enforce) {
  ARROW_ASSIGN_OR_RAISE(auto stored, ReadOperatorMetadata(file_system, state_directory, info.operator_id));
  if (!stored || stored->version != 2) return Status::OK();
  ARROW_RETURN_NOT_OK(CheckProperties(stored->properties_json, info.properties_json));
  ARROW_ASSIGN_OR_RAISE(auto schemas, ReadFamilies(file_system, *stored));
  return CheckFamilySchemas(schemas, info, enforce);
}

Status WriteFamilyFiles(FileSystem* file_system, const std::string& state_directory, const StatefulOperatorInfo& info,
                        int64_t batch_id, Durability durability) {
  ARROW_ASSIGN_OR_RAISE(auto stored, ReadOperatorMetadata(*file_system, state_directory, info.operator_id));
  if (stored && stored->version == 2) {
    ARROW_ASSIGN_OR_RAISE(auto schemas, ReadFamilies(*file_system, *stored));
    std::set<std::string> known, declared;
    for (const StoredSchema& schema : schemas) known.insert(schema.column_family);
    for (const auto& family : info.families) declared.insert(family.name);
    if (known == declared) return Status::OK();
  }
  std::string operator_directory = JoinPath(state_directory, std::to_string(info.operator_id));
  std::string schema_directory = JoinPath(JoinPath(operator_directory, "_stateSchema"), std::string(kDefaultStoreName));
  std::string path = JoinPath(schema_directory, std::to_string(batch_id) + "_" + RandomUuid());
  ARROW_RETURN_NOT_OK(file_system->CreateDirectories(schema_directory));
  ARROW_RETURN_NOT_OK(WriteFileIfAbsent(*file_system, path, EncodeFamilySchemas(info.families), durability).status());
  OperatorMetadata metadata;
  metadata.version = 2;
  metadata.operator_id = info.operator_id;
  metadata.operator_name = info.operator_name;
  metadata.properties_json = info.properties_json;
  metadata.stores.push_back({std::string(kDefaultStoreName), 0, info.num_partitions, {FileUri(path)}});
  std::string directory = JoinPath(MetadataDirectory(state_directory, info.operator_id), "v2");
  ARROW_RETURN_NOT_OK(file_system->CreateDirectories(directory));
  return WriteFileIfAbsent(*file_system, JoinPath(directory, std::to_string(batch_id)),
                           EncodeOperatorMetadata(metadata), durability)
      .status();
}

}  // namespace millrace::state
