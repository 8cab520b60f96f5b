#pragma once

#include <arrow/util/decimal.h>

#include <cstdint>

/// The numbers of Parquet's Variant encoding.

namespace millrace::variant {

enum class BasicType : uint8_t { kPrimitive = 0, kShortString = 1, kObject = 2, kArray = 3 };

enum class Primitive : uint8_t {
  kNull = 0,
  kTrue = 1,
  kFalse = 2,
  kInt8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kDouble = 7,
  kDecimal4 = 8,
  kDecimal8 = 9,
  kDecimal16 = 10,
  kDate = 11,
  kTimestamp = 12,
  kTimestampNtz = 13,
  kFloat = 14,
  kBinary = 15,
  kString = 16,
  kTimestampNanos = 18,
  kTimestampNtzNanos = 19,
  kUuid = 20,
};

inline constexpr uint8_t kVersion = 1;
inline constexpr int kShortStringMax = 63;
inline constexpr int kDecimal4Digits = 9;
inline constexpr int kDecimal8Digits = 18;
inline constexpr int kDecimal16Digits = 38;

/// Decimal digits of a whole number; 1 for 0.
int NumDigits(const arrow::Decimal128& value);

}  // namespace millrace::variant
