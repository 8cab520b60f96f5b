#include "types/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace::types {
namespace {

// Expected texts: Spark 4.2 on Java 17.
TEST(NumberText, Doubles) {
  EXPECT_EQ(DoubleText(1.0), "1.0");
  EXPECT_EQ(DoubleText(0.1), "0.1");
  EXPECT_EQ(DoubleText(100.0), "100.0");
  EXPECT_EQ(DoubleText(9999999.0), "9999999.0");
  EXPECT_EQ(DoubleText(10000000.0), "1.0E7");
  EXPECT_EQ(DoubleText(12345678.9), "1.23456789E7");
  EXPECT_EQ(DoubleText(0.001), "0.001");
  EXPECT_EQ(DoubleText(0.0001), "1.0E-4");
  EXPECT_EQ(DoubleText(1e21), "1.0E21");
  EXPECT_EQ(DoubleText(1e100), "1.0E100");
  EXPECT_EQ(DoubleText(4.9e-324), "4.9E-324");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::max()), "1.7976931348623157E308");
  EXPECT_EQ(DoubleText(-0.0), "-0.0");
  EXPECT_EQ(DoubleText(0.30000000000000004), "0.30000000000000004");
  EXPECT_EQ(DoubleText(9.223372036854775807e18), "9.223372036854776E18");
  EXPECT_EQ(DoubleText(2e-3), "0.002");
  EXPECT_EQ(DoubleText(0.5), "0.5");
  EXPECT_EQ(DoubleText(5.684341886080802e-14), "5.6843418860808015E-14");
}

TEST(NumberText, Floats) {
  EXPECT_EQ(FloatText(-1.5e10F), "-1.50000005E10");
  EXPECT_EQ(FloatText(123456789.123456789F), "1.23456792E8");
  EXPECT_EQ(FloatText(12345678.9F), "1.2345679E7");
  EXPECT_EQ(FloatText(0.3F), "0.3");
  EXPECT_EQ(FloatText(1.4e-45F), "1.4E-45");
  EXPECT_EQ(FloatText(3.4028235e38F), "3.4028235E38");
}

TEST(NumberText, DecimalRoundsHalfUp) {
  arrow::Decimal128 value;
  ASSERT_EQ(ParseDecimal("-1.005", 10, 2, &value), DecimalParse::kOk);
  std::string text;
  AppendDecimalPlain(value, 2, &text);
  EXPECT_EQ(text, "-1.01");
  EXPECT_EQ(ParseDecimal("99999999.995", 10, 2, &value), DecimalParse::kOutOfRange);
  EXPECT_EQ(ParseDecimal("1e50", 38, 0, &value), DecimalParse::kTooManyDigits);
  EXPECT_EQ(ParseDecimal("1d", 38, 0, &value), DecimalParse::kMalformed);
  ASSERT_EQ(ParseDecimal("99999999999999999999999999999999999999", 38, 0, &value), DecimalParse::kOk);
  text.clear();
  AppendDecimal(value, 0, &text);
  EXPECT_EQ(text, "99999999999999999999999999999999999999");
  ASSERT_EQ(ParseDecimal("0", 38, 18, &value), DecimalParse::kOk);
  text.clear();
  AppendDecimal(value, 18, &text);
  EXPECT_EQ(text, "0E-18");
}

}  // namespace
}  // namespace millrace::types
