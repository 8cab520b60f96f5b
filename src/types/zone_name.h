#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "types/time_zone.h"

namespace millrace::types {

/// "PST", or "Pacific Standard Time" with `full`: what Java (CLDR, en-US) calls `zone` at an instant. nullopt where the
/// zone database gives no name we know to agree.
std::optional<std::string> ZoneName(const TimeZone& zone, int64_t utc_us, bool full);

/// The zone whose id or name stands at the front of `text`, and its length in bytes; nullptr when none does.
const TimeZone* MatchZoneName(std::string_view text, bool names_too, size_t* length);

}  // namespace millrace::types
