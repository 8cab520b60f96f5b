#pragma once

#include "delta/action/string_map.h"

namespace millrace::delta {

/// Opens a v2 checkpoint.
struct CheckpointMetadata {
  int64_t version = 0;
  std::optional<StringMap> tags;
};

}  // namespace millrace::delta
