#include <cmath>

#include "base/error.h"
#include "expression/cast/cast_kernels.h"

namespace millrace::expression {

using types::TypeId;

namespace {

template <typename From, typename To>
bool ToWhole(From value, To* out) {
  if constexpr (std::is_floating_point_v<From>) {
    // The bounds as doubles: that of BIGINT rounds up to 2^63, which then saturates as Java's conversion does.
    double wide = value;
    constexpr auto kLow = static_cast<double>(std::numeric_limits<To>::min());
    constexpr auto kHigh = static_cast<double>(std::numeric_limits<To>::max());
    bool fits = std::floor(wide) <= kHigh && std::ceil(wide) >= kLow;
    if (!fits) return false;
    *out = wide >= kHigh ? std::numeric_limits<To>::max() : static_cast<To>(wide);
    return true;
  } else {
    *out = static_cast<To>(value);
    return static_cast<From>(*out) == value;
  }
}

// Java's conversions: floating point saturates (by way of int for the small types), whole numbers wrap.
template <typename From, typename To>
bool ToWholeWrapping(From value, To* out) {
  if constexpr (std::is_floating_point_v<From>) {
    using Step = std::conditional_t<sizeof(To) == 8, int64_t, int32_t>;
    double wide = value;
    Step whole = 0;
    if (wide >= static_cast<double>(std::numeric_limits<Step>::max())) {
      whole = std::numeric_limits<Step>::max();
    } else if (wide <= static_cast<double>(std::numeric_limits<Step>::min())) {
      whole = std::numeric_limits<Step>::min();
    } else if (!std::isnan(wide)) {
      whole = static_cast<Step>(wide);
    }
    *out = static_cast<To>(whole);
  } else {
    *out = static_cast<To>(value);
  }
  return true;
}

template <typename From, typename To>
CastResult NumberToNumber(const CastInput& input) {
  FixedColumn<From> column{arrow::Datum(input.column)};
  auto fail = [&](int64_t row) { return CastOverflow(input, row); };
  if constexpr (std::is_floating_point_v<To>) {
    return ConvertFixed<To>(
        input, column, [](From value, To* out) { return *out = static_cast<To>(value), true; }, fail);
  } else if (input.exact()) {
    return ConvertFixed<To>(input, column, ToWhole<From, To>, fail);
  } else {
    return ConvertFixed<To>(input, column, ToWholeWrapping<From, To>, fail);
  }
}

template <typename To>
CastResult BooleanToNumber(const CastInput& input) {
  BooleanColumn column{arrow::Datum(input.column)};
  return ConvertFixed<To>(
      input, column, [](bool value, To* out) { return *out = static_cast<To>(value ? 1 : 0), true; },
      [&](int64_t row) { return CastOverflow(input, row); });
}

}  // namespace

CastResult CastToNumber(const CastInput& input) {
  return VisitNumber(input.to.id(), [&](auto to) -> CastResult {
    using To = decltype(to);
    if (input.from.id() == TypeId::kBoolean) return BooleanToNumber<To>(input);
    return VisitNumber(input.from.id(), [&](auto from) { return NumberToNumber<decltype(from), To>(input); });
  });
}

CastResult CastToBoolean(const CastInput& input) {
  auto never = [](int64_t) { return arrow::Status::OK(); };
  arrow::Datum datum(input.column);
  switch (input.from.id()) {
    case TypeId::kDecimal:
      return ConvertBoolean(
          input, FixedColumn<arrow::Decimal128>(datum),
          [](const arrow::Decimal128& value, bool* out) { return *out = value != 0, true; }, never);
    case TypeId::kTimestamp:
      return ConvertBoolean(
          input, FixedColumn<int64_t>(datum), [](int64_t value, bool* out) { return *out = value != 0, true; }, never);
    case TypeId::kDate: {
      ARROW_ASSIGN_OR_RAISE(auto nulls,
                            arrow::MakeArrayOfNull(arrow::boolean(), input.length(), input.context.memory_pool));
      return nulls->data();
    }
    default:
      return VisitNumber(input.from.id(), [&](auto from) {
        using From = decltype(from);
        return ConvertBoolean(
            input, FixedColumn<From>(datum), [](From value, bool* out) { return *out = value != 0, true; }, never);
      });
  }
}

CastResult CastToBinary(const CastInput& input) {
  if (!input.from.is_integral()) return InternalError("Cannot cast " + input.from.Sql() + " to BINARY");
  arrow::BinaryBuilder builder(input.context.memory_pool);
  return VisitNumber(input.from.id(), [&](auto from) -> CastResult {
    using From = decltype(from);
    if constexpr (std::is_integral_v<From>) {
      FixedColumn<From> column{arrow::Datum(input.column)};
      auto append = [&](int64_t i) {
        uint8_t bytes[sizeof(From)];  // big-endian
        for (size_t k = 0; k < sizeof(From); ++k) {
          bytes[k] = static_cast<uint8_t>(static_cast<uint64_t>(column[i]) >> (8 * (sizeof(From) - 1 - k)));
        }
        return builder.Append(bytes, static_cast<int32_t>(sizeof(From)));
      };
      ARROW_ASSIGN_OR_RAISE(arrow::Datum made, MapBuilt(builder, input.length(), append, column));
      return made.array();
    }
    return InternalError("Cannot cast a fraction to BINARY");
  });
}

}  // namespace millrace::expression
