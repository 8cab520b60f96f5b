#pragma once

#include "delta/action/deletion_vector_descriptor.h"
#include "delta/action/string_map.h"

namespace millrace::delta {

/// A data file leaves the table; kept as a tombstone until readers of older versions are gone.
struct Remove {
  std::string path;
  std::optional<int64_t> deletion_timestamp_ms;
  bool data_change = true;
  /// Set with partition_values and size.
  std::optional<bool> extended_file_metadata;
  std::optional<PartitionValues> partition_values;
  std::optional<int64_t> size_bytes;
  std::optional<StringMap> tags;
  std::optional<DeletionVectorDescriptor> deletion_vector;
  std::optional<int64_t> base_row_id;
  std::optional<int64_t> default_row_commit_version;
  std::optional<std::string> stats;
};

}  // namespace millrace::delta
