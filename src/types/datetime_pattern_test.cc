#include "types/datetime_pattern.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "types/datetime_text.h"

namespace millrace::types {
namespace {

std::string Formatted(std::string_view pattern, std::string_view timestamp, std::string_view zone = "UTC") {
  const TimeZone* time_zone = *TimeZone::Load(zone);
  int64_t us = 0;
  if (!ParseTimestamp(timestamp, *time_zone, &us)) return "bad timestamp";
  auto compiled = DateTimePattern::Compile(pattern, DateTimePattern::Purpose::kFormat);
  if (!compiled.ok()) return GetErrorDetail(compiled.status())->condition();
  std::string out;
  (*compiled)->Format(us, *time_zone, &out);
  return out;
}

std::string Parsed(std::string_view text, std::string_view pattern) {
  auto compiled = DateTimePattern::Compile(pattern, DateTimePattern::Purpose::kParseTimestamp);
  if (!compiled.ok()) return GetErrorDetail(compiled.status())->condition();
  PatternMismatch mismatch;
  int64_t us = 0;
  if (!(*compiled)->ParseTimestamp(text, *TimeZone::Utc(), &us, &mismatch)) return mismatch.Render(text);
  std::string out;
  AppendTimestamp(us, *TimeZone::Utc(), &out);
  return out;
}

// Answers of Spark 4.2, in both tests.
TEST(DateTimePattern, Format) {
  const std::string_view kMorning = "2024-01-02 03:04:05.123456", kNoon = "2024-01-02 15:04:05.123456";
  EXPECT_EQ(Formatted("G GG GGGG y yy yyy yyyy yyyyyy", kMorning), "AD AD Anno Domini 2024 24 2024 2024 002024");
  EXPECT_EQ(Formatted("M MM MMM MMMM L LL LLL LLLL d dd D DDD", kMorning),
            "1 01 Jan January 1 01 Jan January 2 02 2 002");
  EXPECT_EQ(Formatted("Q QQ QQQ QQQQ", kMorning), "1 01 Q1 1st quarter");
  EXPECT_EQ(Formatted("E EE EEE EEEE a h hh H HH k kk K KK m mm s ss", kNoon),
            "Tue Tue Tue Tuesday PM 3 03 15 15 15 15 3 03 4 04 5 05");
  EXPECT_EQ(Formatted("S SS SSS SSSS SSSSSS SSSSSSSSS", kNoon), "1 12 123 1234 123456 123456000");
  EXPECT_EQ(
      Formatted("VV z zzzz O OOOO X XX XXX XXXX XXXXX x xx xxx xxxx xxxxx Z ZZ ZZZ ZZZZ ZZZZZ", kNoon),
      "UTC UTC Coordinated Universal Time GMT GMT Z Z Z Z Z +00 +0000 +00:00 +0000 +00:00 +0000 +0000 +0000 GMT Z");
  EXPECT_EQ(Formatted("'T' '' 'it''s' [yyyy][MM]-[[dd]]", kNoon), "T ' it's 202401-02");
  EXPECT_EQ(Formatted("F", kNoon), "2");
  EXPECT_EQ(Formatted("a h hh H k K KK", "2024-01-02 00:04:05"), "AM 12 12 0 24 0 00");
  EXPECT_EQ(Formatted(DateTimePattern::kIsoTimestamp, "2024-01-02 00:04:05"), "2024-01-02T00:04:05.000Z");
  EXPECT_EQ(Formatted(DateTimePattern::kIsoTimestamp, "2024-07-02 00:04:05.0009", "Europe/Paris"),
            "2024-07-02T00:04:05.000+02:00");
  EXPECT_EQ(Formatted("yyyy年MM月é", kNoon), "2024年01月é");
}

TEST(DateTimePattern, RefusedPatterns) {
  const std::string_view kAny = "2024-01-02 03:04:05";
  const std::string kRecognition = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
  for (std::string_view pattern : {"u uuuu", "Y", "w", "MMMMM", "aa", "yyyyyyy", "ddd", "HHH", "DDDD", "SSSSSSSSSS",
                                   "zzzzz", "ZZZZZZ", "yyyy{MM}", "yyyy#MM", "yyyy]"}) {
    EXPECT_EQ(Formatted(pattern, kAny), kRecognition) << pattern;
  }
  EXPECT_EQ(Formatted("e", kAny), "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN");
  EXPECT_EQ(Formatted("A", kAny), "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER");
  EXPECT_EQ(Formatted("QQQQQ", kAny), "INVALID_DATETIME_PATTERN.LENGTH");
  for (std::string_view pattern : {"V", "OO", "XXXXXX", "b", "T", "'unclosed"}) {
    EXPECT_EQ(Formatted(pattern, kAny), "INVALID_DATETIME_PATTERN.WITH_SUGGESTION") << pattern;
  }
}

TEST(DateTimePattern, Parse) {
  struct Case {
    std::string_view text, pattern, expected;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"2024-01-02 03:04:05", "yyyy-MM-dd HH:mm:ss", "2024-01-02 03:04:05"},
           {"2024-1-2", "yyyy-M-d", "2024-01-02 00:00:00"},
           {"24-01-02", "yy-MM-dd", "2024-01-02 00:00:00"},
           {"03:04", "HH:mm", "1970-01-01 03:04:00"},
           {"2024-01-02 03:04:05.12", "yyyy-MM-dd HH:mm:ss.SSS", "2024-01-02 03:04:05.12"},
           {"2024-01-02 03:04:05.1234", "yyyy-MM-dd HH:mm:ss.SSS",
            "Text '2024-01-02 03:04:05.1234' could not be parsed, unparsed text found at index 23"},
           {"2024-01-02 03:04:05", "yyyy-MM-dd HH:mm:ss.SSS",
            "Text '2024-01-02 03:04:05' could not be parsed at index 19"},
           {"12024-01-02", "yyyy-MM-dd", "Text '12024-01-02' could not be parsed at index 0"},
           {"+12024-01-02", "yyyy-MM-dd", "+12024-01-02 00:00:00"},
           {"-0001-01-02", "yyyy-MM-dd", "-0001-01-02 00:00:00"},
           {"20240102030405", "yyyyMMddHHmmss", "2024-01-02 03:04:05"},
           {"20240102123", "yyyyMMddSSS", "Text '20240102123' could not be parsed at index 0"},
           {"2024-01-02 3 pm", "yyyy-MM-dd h a", "2024-01-02 15:00:00"},
           {"2024-01-02 13", "yyyy-MM-dd h",
            "Text '2024-01-02 13' could not be parsed: Invalid value for ClockHourOfAmPm (valid values 1 - 12): 13"},
           {"jan 2 2024", "MMM d yyyy", "2024-01-02 00:00:00"},
           {"2024-033", "yyyy-DDD", "2024-02-02 00:00:00"},
           {"2024-01-02 03:04:05+0130", "yyyy-MM-dd HH:mm:ssXX", "2024-01-02 01:34:05"},
           {"2024-01-02 03:04:05 Europe/Paris", "yyyy-MM-dd HH:mm:ss VV", "2024-01-02 02:04:05"},
           {"2024-01-02 03:04:05 PST", "yyyy-MM-dd HH:mm:ss z", "2024-01-02 11:04:05"},
           {"2024-01-02 03:04:05 Pacific Standard Time", "yyyy-MM-dd HH:mm:ss zzzz", "2024-01-02 11:04:05"},
           {"2024-01-02 03:04:05 GMT+1", "yyyy-MM-dd HH:mm:ss O", "2024-01-02 02:04:05"},
           {"2024-01-02", "yyyy-MM-dd[ HH:mm:ss]", "2024-01-02 00:00:00"},
           {"2024-01-02T01:02:03.5Z", DateTimePattern::kIsoTimestamp, "2024-01-02 01:02:03.5"},
           {"2024-02-30", "yyyy-MM-dd", "Text '2024-02-30' could not be parsed: Invalid date 'FEBRUARY 30'"},
           {"2023-02-29", "yyyy-MM-dd",
            "Text '2023-02-29' could not be parsed: Invalid date 'February 29' as '2023' is not a leap year"},
           {"2024-01-01 24:00:00", "yyyy-MM-dd kk:mm:ss", "2024-01-01 00:00:00"},
           {"BC 2024", "G yyyy", "-2023-01-01 00:00:00"},
           {"99", "yy", "2099-01-01 00:00:00"},
           {"", "yyyy-MM-dd", "Text '' could not be parsed at index 0"}}) {
    EXPECT_EQ(Parsed(c.text, c.pattern), c.expected) << c.text << " by " << c.pattern;
  }
}

}  // namespace
}  // namespace millrace::types
