#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::cli {

/// Appends `2024-01-01<separator>08:18:15` of an instant (ms since 1970 UTC).
void AppendDateTime(int64_t instant_ms, char separator, std::string* out);

/// Reads `2024-01-01T08:18:15` with an optional `Z` or `+00:00` behind it, as UTC.
std::optional<int64_t> ParseDateTime(std::string_view text);

}  // namespace millrace::cli
