#include <cmath>

#include "base/error.h"
#include "expression/cast/cast_kernels.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::expression {

using types::FloorDiv;
using types::kMicrosPerDay;
using types::kMicrosPerSecond;
using types::TypeId;

namespace {

int64_t SaturatedLong(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9223372036854775808.0) return std::numeric_limits<int64_t>::max();
  if (value <= -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

template <typename From>
CastResult NumberToTimestamp(const CastInput& input) {
  FixedColumn<From> column{arrow::Datum(input.column)};
  return ConvertFixed<int64_t>(
      input, column,
      [](From value, int64_t* out) {
        if constexpr (std::is_floating_point_v<From>) {
          if (!std::isfinite(value)) return false;
          *out = SaturatedLong(static_cast<double>(value) * 1e6);
        } else {
          if (__builtin_mul_overflow(static_cast<int64_t>(value), kMicrosPerSecond, out)) {
            *out = value < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
          }
        }
        return true;
      },
      [&](int64_t row) { return CastInvalidInput(input, row); });
}

CastResult DecimalToTimestamp(const CastInput& input) {
  FixedColumn<arrow::Decimal128> column{arrow::Datum(input.column)};
  int scale = input.from.scale();
  return ConvertFixed<int64_t>(
      input, column,
      [scale](const arrow::Decimal128& value, int64_t* out) {
        arrow::Decimal128 micros(value);
        if (scale < 6) micros = arrow::Decimal128(value.IncreaseScaleBy(6 - scale));
        if (scale > 6) micros = arrow::Decimal128(value.ReduceScaleBy(scale - 6, /*round=*/false));
        *out = static_cast<int64_t>(micros.low_bits());
        return true;
      },
      [](int64_t) { return arrow::Status::OK(); });
}

CastResult ToTimestamp(const CastInput& input) {
  const types::TimeZone& zone = *input.context.time_zone;
  auto fail = [&](int64_t row) { return CastOverflow(input, row); };
  arrow::Datum datum(input.column);
  switch (input.from.id()) {
    case TypeId::kDate:
      return ConvertFixed<int64_t>(
          input, FixedColumn<int32_t>(datum),
          [&zone](int32_t days, int64_t* out) {
            return !__builtin_mul_overflow(int64_t{days}, kMicrosPerDay, out) &&
                   types::LocalToUtcMicros(*out, zone, out);
          },
          fail);
    case TypeId::kTimestampNtz:
      return ConvertFixed<int64_t>(
          input, FixedColumn<int64_t>(datum),
          [&zone](int64_t local, int64_t* out) { return types::LocalToUtcMicros(local, zone, out); }, fail);
    case TypeId::kBoolean:
      return ConvertFixed<int64_t>(
          input, BooleanColumn(datum), [](bool value, int64_t* out) { return *out = value ? 1 : 0, true; }, fail);
    case TypeId::kDecimal:
      return DecimalToTimestamp(input);
    default:
      return VisitNumber(input.from.id(), [&](auto from) { return NumberToTimestamp<decltype(from)>(input); });
  }
}

CastResult ToTimestampNtz(const CastInput& input) {
  const types::TimeZone& zone = *input.context.time_zone;
  auto fail = [&](int64_t row) { return CastOverflow(input, row); };
  arrow::Datum datum(input.column);
  if (input.from.id() == TypeId::kDate) {
    return ConvertFixed<int64_t>(
        input, FixedColumn<int32_t>(datum),
        [](int32_t days, int64_t* out) { return !__builtin_mul_overflow(int64_t{days}, kMicrosPerDay, out); }, fail);
  }
  return ConvertFixed<int64_t>(
      input, FixedColumn<int64_t>(datum),
      [&zone](int64_t utc, int64_t* out) {
        return !__builtin_add_overflow(utc, zone.OffsetSeconds(utc) * kMicrosPerSecond, out);
      },
      fail);
}

CastResult ToDate(const CastInput& input) {
  FixedColumn<int64_t> column{arrow::Datum(input.column)};
  auto fail = [&](int64_t row) { return CastOverflow(input, row); };
  if (input.from.id() == TypeId::kTimestampNtz) {
    return ConvertFixed<int32_t>(
        input, column,
        [](int64_t local, int32_t* out) { return *out = static_cast<int32_t>(FloorDiv(local, kMicrosPerDay)), true; },
        fail);
  }
  const types::TimeZone& zone = *input.context.time_zone;
  return ConvertFixed<int32_t>(
      input, column,
      [&zone](int64_t utc, int32_t* out) {
        int64_t seconds = 0;
        int32_t micros = 0;
        types::UtcToLocal(utc, zone, &seconds, &micros);
        return *out = static_cast<int32_t>(FloorDiv(seconds, 86400)), true;
      },
      fail);
}

template <typename To>
CastResult TimestampToNumber(const CastInput& input) {
  FixedColumn<int64_t> column{arrow::Datum(input.column)};
  bool exact = input.exact();
  return ConvertFixed<To>(
      input, column,
      [exact](int64_t utc, To* out) {
        if constexpr (std::is_floating_point_v<To>) {
          *out = static_cast<To>(static_cast<double>(utc) / 1e6);
          return true;
        } else {
          int64_t seconds = FloorDiv(utc, kMicrosPerSecond);
          *out = static_cast<To>(seconds);
          return !exact || static_cast<int64_t>(*out) == seconds;
        }
      },
      [&](int64_t row) { return CastOverflow(input, row); });
}

CastResult TimestampToDecimal(const CastInput& input) {
  FixedColumn<int64_t> column{arrow::Datum(input.column)};
  int precision = input.to.precision();
  int scale = input.to.scale();
  auto text_of = [](int64_t utc) { return types::DoubleText(static_cast<double>(utc) / 1e6); };
  return ConvertFixed<arrow::Decimal128>(
      input, column,
      [=](int64_t utc, arrow::Decimal128* out) {
        return types::ParseDecimal(text_of(utc), precision, scale, out) == types::DecimalParse::kOk;
      },
      [&](int64_t row) { return DecimalOutOfRange(input.to, text_of(column[row])); });
}

}  // namespace

CastResult CastToDatetime(const CastInput& input) {
  switch (input.to.id()) {
    case TypeId::kDate:
      return ToDate(input);
    case TypeId::kTimestamp:
      return ToTimestamp(input);
    default:
      return ToTimestampNtz(input);
  }
}

// Times of fewer digits, and numbers of seconds.
CastResult CastFromTime(const CastInput& input) {
  FixedColumn<int64_t> column{arrow::Datum(input.column)};
  if (input.to.id() == TypeId::kTime) {
    int precision = input.to.precision();
    return ConvertFixed<int64_t>(
        input, column,
        [precision](int64_t nanos, int64_t* out) { return *out = types::TruncateTimeOfDay(nanos, precision), true; },
        [](int64_t) { return arrow::Status::OK(); });
  }
  if (input.to.id() == TypeId::kDecimal) {
    int precision = input.to.precision();
    int scale = input.to.scale();
    auto convert = [=](int64_t nanos, arrow::Decimal128* out) {
      return types::RescaleDecimal(arrow::Decimal128(nanos), 9, precision, scale, out);
    };
    return ConvertFixed<arrow::Decimal128>(input, column, convert, [&](int64_t row) {
      std::string text;
      types::AppendDecimalPlain(arrow::Decimal128(column[row]), 9, &text);
      return DecimalOutOfRange(input.to, text);
    });
  }
  return VisitNumber(input.to.id(), [&](auto to) {
    using To = decltype(to);
    return ConvertFixed<To>(
        input, column,
        [](int64_t nanos, To* out) {
          int64_t seconds = nanos / 1'000'000'000;
          *out = static_cast<To>(seconds);
          return static_cast<int64_t>(*out) == seconds;
        },
        [&](int64_t row) { return CastOverflow(input, row); });
  });
}

CastResult CastFromDatetime(const CastInput& input) {
  if (input.from.id() != TypeId::kTimestamp) {
    // Only with ANSI off: a date is no number.
    ARROW_ASSIGN_OR_RAISE(auto nulls,
                          arrow::MakeArrayOfNull(types::ToArrow(input.to), input.length(), input.context.memory_pool));
    return nulls->data();
  }
  if (input.to.id() == TypeId::kDecimal) return TimestampToDecimal(input);
  return VisitNumber(input.to.id(), [&](auto to) { return TimestampToNumber<decltype(to)>(input); });
}

}  // namespace millrace::expression
