#pragma once

#include "delta/action/string_map.h"

namespace millrace::delta {

/// A file of the rows a commit changed, with their _change_type.
struct Cdc {
  std::string path;
  PartitionValues partition_values;
  int64_t size_bytes = 0;
  bool data_change = false;
  std::optional<StringMap> tags;
};

}  // namespace millrace::delta
