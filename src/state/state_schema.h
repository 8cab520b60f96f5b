#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "state/state_stores.h"

namespace millrace::state {

/// Key and value type of one store, or of one column family of it, as a schema file holds them.
/// Format: docs/formats/state_metadata.md
struct StoredSchema {
  std::string column_family;  ///< "default" before version 3
  types::DataTypePtr key;
  types::DataTypePtr value;
  std::string key_encoder_json;  ///< version 3
  std::string user_key_json;     ///< version 3, empty for none
};

/// Version 2, what Spark writes for all operators but transformWithState.
std::string EncodeSchemaFile(const types::DataType& key, const types::DataType& value);
/// Version 3, sorted by name: the column families of a store.
std::string EncodeFamilySchemas(std::vector<StatefulOperatorInfo::Family> families);
/// Versions 1 to 3. Errors: Invalid naming `path` (any bytes are safe to give).
arrow::Result<std::vector<StoredSchema>> DecodeSchemaFile(std::string_view bytes, const std::string& path);

/// `state/<operator>/0[/<store>]/_metadata/schema`
std::string SchemaPath(const std::string& state_directory, int64_t operator_id, const std::string& store_name);

/// nullopt when the store has no schema file.
arrow::Result<std::optional<StoredSchema>> ReadSchema(const FileSystem& file_system, const std::string& state_directory,
                                                      int64_t operator_id, const std::string& store_name);

/// Compares a store's schema with what its checkpoint holds: types must be the same, names aside, and what was nullable
/// must still be. Errors: UserError STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE, STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE
/// (a warning instead when `enforce` is false).
arrow::Status CheckSchema(const FileSystem& file_system, const std::string& state_directory, int64_t operator_id,
                          const StatefulOperatorInfo::Store& store, bool enforce);
/// The same of the column families that both know, given what the newest schema file holds.
arrow::Status CheckFamilySchemas(const std::vector<StoredSchema>& stored, const StatefulOperatorInfo& info,
                                 bool enforce);
arrow::Status WriteSchemaIfAbsent(FileSystem* file_system, const std::string& state_directory, int64_t operator_id,
                                  const StatefulOperatorInfo::Store& store, Durability durability);

}  // namespace millrace::state
