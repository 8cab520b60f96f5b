#pragma once

#include <cstdint>

namespace millrace::function {

enum class Rounding : uint8_t { kHalfUp, kHalfEven, kCeiling, kFloor };

/// `value` at `scale` decimal places, rounded in its shortest decimal form as java.math.BigDecimal does.
double RoundDouble(double value, int32_t scale, Rounding rounding);

}  // namespace millrace::function
