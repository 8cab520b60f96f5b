// A date-time pattern (the first line) is compiled or refused, formats any time, and reads the rest of the input, and
// what it wrote itself, without a crash; the same for dates, times, intervals and numbers as CAST reads them.

#include "types/datetime_pattern.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace {

using namespace millrace::types;

void TryPattern(const DateTimePattern& pattern, DateTimePattern::Purpose purpose, std::string_view text) {
  const TimeZone& zone = **TimeZone::Load("Europe/Paris");
  PatternMismatch mismatch;
  int32_t days = 0;
  int64_t us = 0;
  if (purpose == DateTimePattern::Purpose::kFormat) {
    for (int64_t at : {int64_t{0}, int64_t{1'757'000'000'123'456}, int64_t{-62'135'596'800'000'000}}) {
      std::string out;
      pattern.Format(at, zone, &out);
    }
    return;
  }
  if (!pattern.ParseDate(text, &days, &mismatch)) (void)mismatch.Render(text);
  if (!pattern.ParseTimestamp(text, zone, &us, &mismatch)) (void)mismatch.Render(text);
  if (!pattern.ParseTimestampNtz(text, true, &us, &mismatch)) (void)mismatch.Render(text);
}

void TryCasts(std::string_view text) {
  int32_t days = 0;
  int64_t us = 0;
  double number = 0;
  CalendarIntervalValue interval;
  arrow::Decimal128 decimal;
  (void)ParseDate(text, &days);
  (void)ParseTimestamp(text, *TimeZone::Utc(), &us);
  (void)ParseTimestampNtz(text, true, &us);
  (void)ParseTimeOfDay(text, &us);
  (void)ParseCalendarInterval(text, &interval);
  (void)ParseDuration(text, &interval);
  for (int from = 0; from < 4; ++from) {
    for (int to = from; to < 4; ++to) {
      if (to < 2) (void)ParseYearMonthInterval(text, from, to, &days);
      (void)ParseDayTimeInterval(text, from, to, &us);
    }
  }
  (void)ParseDouble(text, &number);
  (void)ParseLong(text, true, &us);
  (void)ParseDecimal(text, 38, 18, &decimal);
  (void)ParseDecimal(text, 5, 0, &decimal);
  (void)TimeZone::Load(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  const std::string_view pattern_text = input.substr(0, line);
  const std::string_view text = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  using Purpose = DateTimePattern::Purpose;
  for (Purpose purpose : {Purpose::kFormat, Purpose::kParseDate, Purpose::kParseTimestamp}) {
    if (auto pattern = DateTimePattern::Compile(pattern_text, purpose); pattern.ok()) {
      TryPattern(**pattern, purpose, text);
    }
    if (auto pattern = DateTimePattern::CompileLegacy(pattern_text, purpose); pattern.ok()) {
      TryPattern(**pattern, purpose, text);
    }
  }
  TryCasts(text);
  return 0;
}
