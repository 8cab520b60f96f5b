#include "types/datetime_text.h"

#include <gtest/gtest.h>

namespace millrace::types {
namespace {

std::string DateOf(std::string_view text) {
  int32_t days = 0;
  if (!ParseDate(text, &days)) return "NULL";
  std::string out;
  AppendDate(days, &out);
  return out;
}

std::string TimestampOf(std::string_view text) {
  int64_t us = 0;
  if (!ParseTimestamp(text, *TimeZone::Utc(), &us)) return "NULL";
  std::string out;
  AppendTimestamp(us, *TimeZone::Utc(), &out);
  return out;
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

// Answers of Spark 4.2 (tests/sql/cast has more of them).
TEST(DatetimeText, Date) {
  for (const Case& c : std::initializer_list<Case>{{"2024-01-02", "2024-01-02"},
                                                   {"2024-1-2", "2024-01-02"},
                                                   {"2024", "2024-01-01"},
                                                   {" 2024-01-02 ", "2024-01-02"},
                                                   {"2024-01-02Tjunk", "2024-01-02"},
                                                   {"2024-01-02junk", "NULL"},
                                                   {"2023-02-29", "NULL"},
                                                   {"0000-01-01", "0000-01-01"},
                                                   {"10000-01-01", "+10000-01-01"},
                                                   {"-0001-01-01", "-0001-01-01"},
                                                   {"294247-01-10", "+294247-01-10"},
                                                   {"2024-", "NULL"},
                                                   {"-", "NULL"},
                                                   {"", "NULL"},
                                                   {"5881580-07-11", "+5881580-07-11"},
                                                   {"5881580-07-12", "NULL"}}) {
    EXPECT_EQ(DateOf(c.text), c.expected) << c.text;
  }
}

TEST(DatetimeText, Timestamp) {
  for (const Case& c : std::initializer_list<Case>{{"2024-01-02 03:04:05.123456789", "2024-01-02 03:04:05.123456"},
                                                   {"2024-01-02 03", "2024-01-02 03:00:00"},
                                                   {"2024-1-2 3:4:5", "2024-01-02 03:04:05"},
                                                   {"2024-01-02T", "NULL"},
                                                   {"2024-01-02 24:00:00", "NULL"},
                                                   {"2024-01-02 03:04:05Z", "2024-01-02 03:04:05"},
                                                   {"2024-01-02 03:04:05z", "NULL"},
                                                   {"2024-01-02 03:04:05-0130", "2024-01-02 04:34:05"},
                                                   {"2024-01-02 03:04:05 GMT+2", "2024-01-02 01:04:05"},
                                                   {"2024-01-02 03:04:05+19:00", "NULL"},
                                                   {"2024-07-02T03:04:05Europe/Paris", "2024-07-02 01:04:05"},
                                                   {"2024-01-02 03:04+01:00", "NULL"},
                                                   {"294247-01-10 04:00:54.775807", "+294247-01-10 04:00:54.775807"},
                                                   {"294247-01-10 04:00:54.775808", "NULL"},
                                                   {"2024-01-02 03:04:05.1", "2024-01-02 03:04:05.1"}}) {
    EXPECT_EQ(TimestampOf(c.text), c.expected) << c.text;
  }
}

TEST(DatetimeText, LocalTimesAtTransitions) {
  const TimeZone* paris = *TimeZone::Load("Europe/Paris");
  int64_t us = 0;
  ASSERT_TRUE(ParseTimestamp("2024-03-31 02:30:00", *paris, &us));
  EXPECT_EQ(us, 1711848600 * kMicrosPerSecond);
  ASSERT_TRUE(ParseTimestamp("2024-10-27 02:30:00", *paris, &us));
  EXPECT_EQ(us, 1729989000 * kMicrosPerSecond);
  ASSERT_TRUE(ParseTimestamp("0001-01-01", *paris, &us));
  EXPECT_EQ(us, -62135597361 * kMicrosPerSecond);
}

TEST(DatetimeText, OffsetsAroundTheEndOfSummerTime) {
  const TimeZone* new_york = *TimeZone::Load("America/New_York");
  int64_t transition = 1730613600 * kMicrosPerSecond;  // 2024-11-03 06:00 UTC
  EXPECT_EQ(new_york->OffsetSeconds(transition - kMicrosPerHour), -4 * 3600);
  EXPECT_EQ(new_york->OffsetSeconds(transition + kMicrosPerMinute), -5 * 3600);
}

TEST(DatetimeText, CalendarRoundTrip) {
  for (int64_t days = -1000000; days <= 1000000; days += 97) {
    CivilDate date = CivilFromDays(days);
    ASSERT_TRUE(IsValidCivil(date.year, date.month, date.day));
    ASSERT_EQ(DaysFromCivil(date.year, date.month, date.day), days);
  }
  EXPECT_EQ(IsoDayOfWeek(0), 4);
  EXPECT_EQ(AddMonthsToDays(DaysFromCivil(2024, 1, 31), 1), DaysFromCivil(2024, 2, 29));
}

}  // namespace
}  // namespace millrace::types
