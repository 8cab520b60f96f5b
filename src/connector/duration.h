#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string_view>

namespace millrace::connector {

/// A duration of an option, as Spark's timeStringAs reads it: a whole number with us, ms, s, m, min, h or d behind it;
/// without a unit it is in `default_unit_us` µs. The result is in µs. Errors: Invalid with Spark's words.
arrow::Result<int64_t> ParseDurationMicros(std::string_view text, int64_t default_unit_us);

inline arrow::Result<int64_t> ParseDurationMillis(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(int64_t us, ParseDurationMicros(text, 1000));
  return us / 1000;
}
inline arrow::Result<int64_t> ParseDurationSeconds(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(int64_t us, ParseDurationMicros(text, 1000000));
  return us / 1000000;
}

}  // namespace millrace::connector
