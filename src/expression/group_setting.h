#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::expression {

inline constexpr int64_t kNoTimeout = -1;

/// What is the same for all groups of one call of a function that keeps a state for each.
struct GroupStateSetting {
  int64_t batch_time_ms = 0;
  /// -1 outside a stream.
  int64_t watermark_ms = 0;
  /// "NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout".
  std::string_view timeout_name;
  bool has_timed_out = false;
  bool has_watermark = false;
};

}  // namespace millrace::expression
