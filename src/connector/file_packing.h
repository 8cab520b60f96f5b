#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "connector/source.h"

namespace millrace::connector {

/// How much of its files one task reads, as Spark's FilePartition reckons it.
struct FilePacking {
  /// Larger files are read in parts of this size, by several tasks. At least 1.
  int64_t split_bytes = 0;
  /// What opening a file costs, in bytes that could be read meanwhile.
  int64_t open_cost_bytes = 0;
};

/// From spark.sql.files.maxPartitionBytes, openCostInBytes, minPartitionNum and spark.sql.leafNodeDefaultParallelism.
FilePacking MakeFilePacking(const ConnectorContext& context, size_t num_files, int64_t total_bytes);

/// Files (or parts) by task: largest first, next to each other while they fit.
template <typename File, typename BytesOf>
std::vector<std::vector<File>> PackByBytes(std::vector<File> files, const FilePacking& packing, BytesOf bytes_of) {
  std::stable_sort(files.begin(), files.end(), [&](const File& a, const File& b) { return bytes_of(a) > bytes_of(b); });
  std::vector<std::vector<File>> packed;
  int64_t packed_bytes = 0;
  for (File& file : files) {
    if (packed.empty() || packed_bytes + bytes_of(file) > packing.split_bytes) {
      packed.emplace_back();
      packed_bytes = 0;
    }
    packed_bytes += bytes_of(file) + packing.open_cost_bytes;
    packed.back().push_back(std::move(file));
  }
  return packed;
}

}  // namespace millrace::connector
