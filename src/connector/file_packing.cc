#include "connector/file_packing.h"

#include <cstdlib>

namespace millrace::connector {

namespace {

int64_t ConfBytes(const ConnectorContext& context, std::string_view key, int64_t fallback) {
  std::optional<std::string> text = context.conf(key);
  if (!text) return fallback;
  char* end = nullptr;
  int64_t bytes = std::strtoll(text->c_str(), &end, 10);
  switch (*end) {
    case 'k':
    case 'K':
      return bytes << 10;
    case 'm':
    case 'M':
      return bytes << 20;
    case 'g':
    case 'G':
      return bytes << 30;
    default:
      return bytes;
  }
}

}  // namespace

FilePacking MakeFilePacking(const ConnectorContext& context, size_t num_files, int64_t total_bytes) {
  int64_t max_bytes = ConfBytes(context, "spark.sql.files.maxPartitionBytes", 128 << 20);
  int64_t open_cost = ConfBytes(context, "spark.sql.files.openCostInBytes", 4 << 20);
  int64_t num_partitions =
      std::max<int64_t>(1, ConfBytes(context, "spark.sql.files.minPartitionNum",
                                     ConfBytes(context, "spark.sql.leafNodeDefaultParallelism", context.parallelism)));
  int64_t total = total_bytes + static_cast<int64_t>(num_files) * open_cost;
  return {std::max<int64_t>(1, std::min(max_bytes, std::max(open_cost, total / num_partitions))), open_cost};
}

}  // namespace millrace::connector
