#pragma once

#include <arrow/util/decimal.h>

#include <cstdint>
#include <string>
#include <string_view>

/// Texts of numbers, both ways, as Java's classes and Spark's casts write and read them.
/// All functions are pure and thread-safe.

namespace millrace::types {

/// Java 17's Double.toString and Float.toString: "1.0", "1.0E10", "-0.0", "NaN", "Infinity". Plain notation from 1e-3
/// up to 1e7. The digits are the shortest that read back, but for the values where Java 17 writes more (large whole
/// numbers, powers of two).
void AppendDouble(double value, std::string* out);
void AppendFloat(float value, std::string* out);
std::string DoubleText(double value);
std::string FloatText(float value);

/// CAST(text AS DOUBLE): Java's Double.parseDouble (white space around, "1.", ".5", "1e3", a trailing d or f,
/// hexadecimal "0x1p3"), and "inf", "infinity", "nan" in any case. Too large becomes infinity.
bool ParseDouble(std::string_view text, double* value);
bool ParseFloat(std::string_view text, float* value);

/// CAST(text AS BIGINT): white space and control characters around, a sign, digits. `allow_fraction`: ".digits" may
/// follow and is dropped (casts with ANSI off). False when malformed or out of range.
bool ParseLong(std::string_view text, bool allow_fraction, int64_t* value);

enum class DecimalParse : uint8_t {
  kOk,
  kMalformed,
  kOutOfRange,     ///< does not fit the precision after rounding
  kTooManyDigits,  ///< more than 38 digits before the point
};

/// The text as DECIMAL(precision, scale), rounded half up: java.math.BigDecimal's grammar, white space around.
DecimalParse ParseDecimal(std::string_view text, int precision, int scale, arrow::Decimal128* value);

/// "0.00000010": never an exponent (BigDecimal.toPlainString).
void AppendDecimalPlain(const arrow::Decimal128& value, int scale, std::string* out);
/// "1.0E-7" where the first digit is far behind the point (BigDecimal.toString).
void AppendDecimal(const arrow::Decimal128& value, int scale, std::string* out);

/// Correctly rounded, as BigDecimal.doubleValue.
double DecimalToDouble(const arrow::Decimal128& value, int scale);
float DecimalToFloat(const arrow::Decimal128& value, int scale);

/// `value`, of `from_scale`, at another scale, rounded half up; false when it then has more digits than `precision`.
bool RescaleDecimal(const arrow::Decimal128& value, int from_scale, int precision, int scale, arrow::Decimal128* out);

}  // namespace millrace::types
