#include "types/interval_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace::types {
namespace {

std::string YearMonth(std::string_view text, int start, int end) {
  int32_t months = 0;
  if (ParseYearMonthInterval(text, start, end, &months) != IntervalParse::kOk) return "NULL";
  std::string out;
  AppendYearMonthInterval(months, start, end, &out);
  return out;
}

std::string DayTime(std::string_view text, int start, int end) {
  int64_t micros = 0;
  if (ParseDayTimeInterval(text, start, end, &micros) != IntervalParse::kOk) return "NULL";
  std::string out;
  AppendDayTimeInterval(micros, start, end, &out);
  return out;
}

std::string Calendar(std::string_view text) {
  CalendarIntervalValue value;
  if (!ParseCalendarInterval(text, &value)) return "NULL";
  std::string out;
  AppendCalendarInterval(value, &out);
  return out;
}

// Answers of Spark 4.2.
TEST(IntervalText, YearMonth) {
  EXPECT_EQ(YearMonth("1-2", 0, 1), "INTERVAL '1-2' YEAR TO MONTH");
  EXPECT_EQ(YearMonth("INTERVAL -'-1-2' YEAR TO MONTH", 0, 1), "INTERVAL '1-2' YEAR TO MONTH");
  EXPECT_EQ(YearMonth("1-12", 0, 1), "NULL");
  EXPECT_EQ(YearMonth("178956970-8", 0, 1), "NULL");
  EXPECT_EQ(YearMonth("-178956970-8", 0, 1), "INTERVAL '-178956970-8' YEAR TO MONTH");
  EXPECT_EQ(YearMonth("178956971", 0, 0), "NULL");
  EXPECT_EQ(YearMonth("INTERVAL '5' MONTH", 1, 1), "INTERVAL '5' MONTH");
  EXPECT_EQ(YearMonth("INTERVAL '5' MONTH", 0, 0), "NULL");
}

TEST(IntervalText, DayTime) {
  EXPECT_EQ(DayTime("1 2:3:4", 0, 3), "INTERVAL '1 02:03:04' DAY TO SECOND");
  EXPECT_EQ(DayTime("-1 02:03:04.123456789", 0, 3), "INTERVAL '-1 02:03:04.123456' DAY TO SECOND");
  EXPECT_EQ(DayTime("interval -'-1 2:3:4.5' day to second", 0, 3), "INTERVAL '1 02:03:04.5' DAY TO SECOND");
  EXPECT_EQ(DayTime("1 24:00:00", 0, 3), "NULL");
  EXPECT_EQ(DayTime("1 2:3:4.", 0, 3), "NULL");
  EXPECT_EQ(DayTime("106751991 04:00:54.775808", 0, 3), "NULL");
  EXPECT_EQ(DayTime("-106751991 04:00:54.775808", 0, 3), "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND");
  EXPECT_EQ(DayTime("25:3", 1, 2), "INTERVAL '25:03' HOUR TO MINUTE");
  EXPECT_EQ(DayTime("61:4.5", 2, 3), "INTERVAL '61:04.5' MINUTE TO SECOND");
  EXPECT_EQ(DayTime("1:75", 2, 3), "NULL");
  EXPECT_EQ(DayTime("106751992", 0, 0), "INTERVAL '-106751990' DAY");
  EXPECT_EQ(DayTime("-0.000001", 3, 3), "INTERVAL '00.000001' SECOND");
  EXPECT_EQ(DayTime("9223372036854.775808", 3, 3), "NULL");
}

TEST(IntervalText, Calendar) {
  EXPECT_EQ(Calendar("1 days 2 hours"), "1 days 2 hours");
  EXPECT_EQ(Calendar("interval 3 weeks"), "21 days");
  EXPECT_EQ(Calendar("- 1 day"), "-1 days");
  EXPECT_EQ(Calendar(".5 seconds"), "0.5 seconds");
  EXPECT_EQ(Calendar("1.5 days"), "NULL");
  EXPECT_EQ(Calendar("1day"), "NULL");
  EXPECT_EQ(Calendar("1 dayss"), "NULL");
  EXPECT_EQ(Calendar("1 days 2"), "NULL");
  EXPECT_EQ(Calendar("interval"), "NULL");
  EXPECT_EQ(Calendar("-1.5 seconds"), "-1.5 seconds");
  EXPECT_EQ(Calendar("1.1234567891 seconds"), "NULL");
  EXPECT_EQ(Calendar("99999999999 years"), "NULL");
  EXPECT_EQ(
      Calendar("1 year 2 months 3 weeks 4 days 5 hours 6 minutes 7.123456789 seconds 8 milliseconds 9 microseconds"),
      "1 years 2 months 25 days 5 hours 6 minutes 7.131465 seconds");
}

}  // namespace
}  // namespace millrace::types
