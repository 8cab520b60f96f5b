#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "types/time_zone.h"

namespace millrace::sql {

/// Days since 1970-01-01 of the text of DATE '…': "2020", "2020-1", "2020-01-02", "2020-01-02T…", or today, tomorrow,
/// yesterday, epoch, now (in `zone` at `now_us`). Nothing when it is no date.
std::optional<int32_t> ParseDateLiteral(std::string_view text, const types::TimeZone& zone, int64_t now_us);

/// µs since 1970 UTC of the text of TIMESTAMP '…': a date, optionally a time, a fraction and a zone; without a zone it
/// is read in `zone`. The special words as for dates.
std::optional<int64_t> ParseTimestampLiteral(std::string_view text, const types::TimeZone& zone, int64_t now_us);

/// µs of the wall clock reading of TIMESTAMP_NTZ '…'; a zone in the text is dropped.
std::optional<int64_t> ParseTimestampNtzLiteral(std::string_view text, const types::TimeZone& zone, int64_t now_us);

/// Whether the text of a timestamp says its zone.
bool NamesZone(std::string_view text);

}  // namespace millrace::sql
