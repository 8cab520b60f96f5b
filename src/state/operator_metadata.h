#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "state/state_schema.h"
#include "state/state_stores.h"

namespace millrace::state {

/// What `state/<operator>/_metadata/metadata` says. Format: docs/formats/state_metadata.md
struct OperatorMetadata {
  int64_t operator_id = 0;
  std::string operator_name;
  struct Store {
    std::string name;
    int num_columns_prefix_key = 0;
    int num_partitions = 0;
    /// Version 2 only.
    std::vector<std::string> schema_file_paths;
  };
  std::vector<Store> stores;
  /// Version 2 only: "operatorPropertiesJson".
  std::string properties_json;
  int version = 1;
};

/// As metadata.version says, 1 or 2.
std::string EncodeOperatorMetadata(const OperatorMetadata& metadata);
/// Errors: Invalid naming `path`.
arrow::Result<OperatorMetadata> DecodeOperatorMetadata(std::string_view text, const std::string& path);

/// nullopt when the operator has no metadata. `batch_id`: of version 2 the newest file of it or before; negative: the
/// newest.
arrow::Result<std::optional<OperatorMetadata>> ReadOperatorMetadata(const FileSystem& file_system,
                                                                    const std::string& state_directory,
                                                                    int64_t operator_id, int64_t batch_id = -1);
/// Of all operators that have a folder, by id.
arrow::Result<std::vector<OperatorMetadata>> ReadAllOperatorMetadata(const FileSystem& file_system,
                                                                     const std::string& state_directory,
                                                                     int64_t batch_id = -1);

/// The families that metadata of version 2 names the schema file of; nothing when there is none.
arrow::Result<std::vector<StoredSchema>> ReadFamilies(const FileSystem& file_system, const OperatorMetadata& metadata);

/// Compares the operators of a restarted query with those in its checkpoint.
/// Errors: UserError STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA,
/// STREAMING_STATEFUL_OPERATOR_MISSING_STATE_DIRECTORY.
arrow::Status CheckOperatorNames(const FileSystem& file_system, const std::string& state_directory,
                                 const std::vector<StatefulOperatorInfo>& operators);

/// The metadata file and the schema file of each store, those that do not exist yet.
arrow::Status WriteOperatorFilesIfAbsent(FileSystem* file_system, const std::string& state_directory,
                                         const StatefulOperatorInfo& info, Durability durability);

/// The same for an operator with column families: compares them with those in its checkpoint.
arrow::Status CheckFamilies(const FileSystem& file_system, const std::string& state_directory,
                            const StatefulOperatorInfo& info, bool enforce);
/// Its schema file and its metadata of version 2, when it is new or has other families than before.
arrow::Status WriteFamilyFiles(FileSystem* file_system, const std::string& state_directory,
                               const StatefulOperatorInfo& info, int64_t batch_id, Durability durability);

}  // namespace millrace::state
