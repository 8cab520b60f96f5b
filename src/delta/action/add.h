#pragma once

#include "delta/action/deletion_vector_descriptor.h"
#include "delta/action/string_map.h"

namespace millrace::delta {

/// A data file becomes part of the table (or, where it was already, its description is replaced).
struct Add {
  /// As it stands in the log: a URI, relative to the table's root or absolute. DataFilePath (log/log_paths.h) opens it.
  std::string path;
  PartitionValues partition_values;
  int64_t size_bytes = 0;
  int64_t modification_time_ms = 0;
  /// False: the rows were in the table before.
  bool data_change = true;
  /// JSON text of the file's statistics.
  std::optional<std::string> stats;
  std::optional<StringMap> tags;
  std::optional<DeletionVectorDescriptor> deletion_vector;
  std::optional<int64_t> base_row_id;
  std::optional<int64_t> default_row_commit_version;
  std::optional<std::string> clustering_provider;
};

}  // namespace millrace::delta
