#include "connector/duration.h"

#include <charconv>
#include <string>

#include "base/ascii.h"
#include "base/number_format.h"

namespace millrace::connector {

arrow::Result<int64_t> ParseDurationMicros(std::string_view text, int64_t default_unit_us) {
  static constexpr struct {
    std::string_view suffix;
    int64_t us;
  } kUnits[] = {{"us", 1},         {"ms", 1000},        {"s", 1000000},      {"m", 60000000},
                {"min", 60000000}, {"h", 3600000000LL}, {"d", 86400000000LL}};
  auto malformed = [&] {
    return NumberFormatError(
        "Time must be specified as seconds (s), milliseconds (ms), microseconds (us), minutes (m or min), hour (h), or "
        "day (d). E.g. 50s, 100ms, or 250us.\nFailed to parse time string: " +
        std::string(text));
  };
  std::string lower = ToLowerAscii(TrimAscii(text));
  int64_t number = 0;
  auto [end, error] = std::from_chars(lower.data(), lower.data() + lower.size(), number);
  if (error != std::errc()) return malformed();
  std::string_view suffix(end, static_cast<size_t>(lower.data() + lower.size() - end));
  int64_t unit_us = suffix.empty() ? default_unit_us : 0;
  for (const auto& unit : kUnits) {
    if (unit.suffix == suffix) unit_us = unit.us;
  }
  int64_t us = 0;
  if (unit_us == 0 || __builtin_mul_overflow(number, unit_us, &us)) return malformed();
  return us;
}

}  // namespace millrace::connector
