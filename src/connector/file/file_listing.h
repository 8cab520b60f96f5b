#pragma once

#include <arrow/result.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connector/source.h"
#include "types/data_type.h"

namespace millrace::connector::file {

struct ListedFile {
  std::string path;  ///< absolute, without scheme
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;
};

/// Which files of the directories count.
struct ListingOptions {
  std::optional<std::string> path_glob_filter;
  bool recursive = false;
  /// µs since 1970 UTC, exclusive.
  std::optional<int64_t> modified_before_us;
  std::optional<int64_t> modified_after_us;
  std::optional<std::string> base_path;
  bool infer_partition_types = true;

  static arrow::Result<ListingOptions> Parse(const SourceRequest& request);
};

/// The absolute paths of a request, globs not expanded. Errors: UserError for a scheme other than file:.
arrow::Result<std::vector<std::string>> AbsolutePaths(const SourceRequest& request);

/// Columns that directories carry.
struct PartitionColumns {
  /// A struct, possibly without fields.
  types::DataTypePtr schema;
  /// By directory: the values as they stand, in the order of `schema`.
  std::map<std::string, std::vector<std::string>> values;
};

/// Files below `roots` (files or directories), in order of path: hidden ones (`_x`, `.x`) left out, filters applied. A
/// root that a streaming query has written gives the files of its log. Errors: UserError PATH_NOT_FOUND when a root
/// does not exist and `must_exist`.
arrow::Result<std::vector<ListedFile>> ListFiles(const ConnectorContext& context, const std::vector<std::string>& roots,
                                                 const ListingOptions& options, bool must_exist);

/// The partition columns of the files' directories. Types are the user's where `user_schema` (may be null) has the
/// column. Errors: UserError CONFLICTING_PARTITION_COLUMN_NAMES, CONFLICTING_DIRECTORY_STRUCTURES.
arrow::Result<PartitionColumns> DiscoverPartitions(const ConnectorContext& context,
                                                   const std::vector<std::string>& roots,
                                                   const std::vector<ListedFile>& files, const ListingOptions& options,
                                                   const types::DataType* user_schema);

/// Without partition columns only files directly in a root count, unless the listing is recursive.
void KeepFilesInRoots(const std::vector<std::string>& roots, const ListingOptions& options,
                      const PartitionColumns& partitions, std::vector<ListedFile>* files);

/// `file:/a/b`: how messages show a path.
std::string ShownPath(const std::string& path);

}  // namespace millrace::connector::file
