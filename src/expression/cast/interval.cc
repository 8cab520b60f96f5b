#include "expression/cast/cast_kernels.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::expression {

using arrow::Decimal128;
using types::TypeId;

namespace {

// What one unit of an interval's last field is worth: months or microseconds.
int64_t UnitOf(const types::DataType& type) {
  if (type.id() == TypeId::kYearMonthInterval) return type.end_field() == 0 ? 12 : 1;
  constexpr int64_t kUnits[] = {types::kMicrosPerDay, types::kMicrosPerHour, types::kMicrosPerMinute,
                                types::kMicrosPerSecond};
  return kUnits[type.end_field()];
}

template <typename Interval, typename From>
CastResult WholeToInterval(const CastInput& input) {
  FixedColumn<From> column{arrow::Datum(input.column)};
  int64_t unit = UnitOf(input.to);
  return ConvertFixed<Interval>(
      input, column,
      [unit](From value, Interval* out) { return !__builtin_mul_overflow(static_cast<int64_t>(value), unit, out); },
      [&](int64_t row) { return CastOverflow(input, row); });
}

template <typename Interval>
CastResult DecimalToInterval(const CastInput& input) {
  FixedColumn<Decimal128> column{arrow::Datum(input.column)};
  Decimal128 unit(UnitOf(input.to));
  int scale = input.from.scale();
  return ConvertFixed<Interval>(
      input, column,
      [=](const Decimal128& value, Interval* out) {
        Decimal128 scaled;
        // 38 digits times a unit may not fit; such a value is far out of range anyway.
        if (value.FitsInPrecision(26) && types::RescaleDecimal(value * unit, scale, 38, 0, &scaled)) {
          auto low = static_cast<int64_t>(scaled.low_bits());
          *out = static_cast<Interval>(low);
          return scaled.high_bits() == (low < 0 ? -1 : 0) && static_cast<int64_t>(*out) == low;
        }
        return false;
      },
      [&](int64_t row) { return CastOverflow(input, row); });
}

// Another set of fields: what is below the last field is cut.
template <typename Interval>
CastResult CutInterval(const CastInput& input) {
  FixedColumn<Interval> column{arrow::Datum(input.column)};
  bool cut = input.to.id() == TypeId::kYearMonthInterval || input.to.end_field() != 3;
  auto unit = static_cast<Interval>(cut ? UnitOf(input.to) : 1);
  return ConvertFixed<Interval>(
      input, column,
      [unit](Interval value, Interval* out) { return *out = static_cast<Interval>(value - value % unit), true; },
      [](int64_t) { return arrow::Status::OK(); });
}

template <typename Interval>
CastResult ToInterval(const CastInput& input) {
  if (input.from.id() == input.to.id()) return CutInterval<Interval>(input);
  if (input.from.id() == TypeId::kDecimal) return DecimalToInterval<Interval>(input);
  return VisitNumber(input.from.id(), [&](auto from) { return WholeToInterval<Interval, decltype(from)>(input); });
}

template <typename Interval>
CastResult FromInterval(const CastInput& input) {
  FixedColumn<Interval> column{arrow::Datum(input.column)};
  auto unit = static_cast<Interval>(UnitOf(input.from));
  if (input.to.id() == TypeId::kDecimal) {
    bool seconds = input.from.id() == TypeId::kDayTimeInterval && input.from.end_field() == 3;
    int from_scale = seconds ? 6 : 0;
    int precision = input.to.precision();
    int scale = input.to.scale();
    auto number = [=](Interval value) { return Decimal128(static_cast<int64_t>(seconds ? value : value / unit)); };
    return ConvertFixed<Decimal128>(
        input, column,
        [=](Interval value, Decimal128* out) {
          return types::RescaleDecimal(number(value), from_scale, precision, scale, out);
        },
        [&](int64_t row) {
          std::string text;
          types::AppendDecimalPlain(number(column[row]), from_scale, &text);
          return DecimalOutOfRange(input.to, text);
        });
  }
  return VisitNumber(input.to.id(), [&](auto to) -> CastResult {
    using To = decltype(to);
    return ConvertFixed<To>(
        input, column,
        [unit](Interval value, To* out) {
          Interval whole = value / unit;
          *out = static_cast<To>(whole);
          return static_cast<Interval>(*out) == whole;
        },
        [&](int64_t row) { return CastOverflow(input, row); });
  });
}

// What does not fit is an error without ANSI too.
CastInput Checked(CastInput input) {
  if (input.mode == CastMode::kLegacy) input.mode = CastMode::kAnsi;
  return input;
}

}  // namespace

CastResult CastToInterval(const CastInput& given) {
  const CastInput input = Checked(given);
  return input.to.id() == TypeId::kYearMonthInterval ? ToInterval<int32_t>(input) : ToInterval<int64_t>(input);
}

CastResult CastFromInterval(const CastInput& given) {
  const CastInput input = Checked(given);
  return input.from.id() == TypeId::kYearMonthInterval ? FromInterval<int32_t>(input) : FromInterval<int64_t>(input);
}

}  // namespace millrace::expression
