#pragma once

#include "delta/action/string_map.h"

namespace millrace::delta {

/// A part of a v2 checkpoint: a Parquet file of add and remove actions in _delta_log/_sidecars.
struct Sidecar {
  std::string path;
  int64_t size_bytes = 0;
  int64_t modification_time_ms = 0;
  std::optional<StringMap> tags;
};

}  // namespace millrace::delta
