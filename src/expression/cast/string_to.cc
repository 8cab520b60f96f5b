#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast/cast_kernels.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace millrace::expression {

using types::TypeId;

namespace {

std::string_view TrimControls(std::string_view text) {
  auto blank = [](char c) { return (c >= 0 && c <= ' ') || c == 127; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool ParseBoolean(std::string_view text, bool* value) {
  text = TrimControls(text);
  for (std::string_view word : {"t", "true", "y", "yes", "1"}) {
    if (EqualsIgnoreCase(text, word)) return *value = true;
  }
  *value = false;
  for (std::string_view word : {"f", "false", "n", "no", "0"}) {
    if (EqualsIgnoreCase(text, word)) return true;
  }
  return false;
}

template <typename To>
CastResult StringToNumber(const CastInput& input, const StringColumn& column) {
  auto fail = [&](int64_t row) { return CastInvalidInput(input, row); };
  if constexpr (std::is_same_v<To, double>) {
    return ConvertFixed<To>(input, column, types::ParseDouble, fail);
  } else if constexpr (std::is_same_v<To, float>) {
    return ConvertFixed<To>(input, column, types::ParseFloat, fail);
  } else {
    bool allow_fraction = !input.exact();
    return ConvertFixed<To>(
        input, column,
        [allow_fraction](std::string_view text, To* out) {
          int64_t value = 0;
          if (!types::ParseLong(text, allow_fraction, &value)) return false;
          *out = static_cast<To>(value);
          return static_cast<int64_t>(*out) == value;
        },
        fail);
  }
}

CastResult StringToDecimal(const CastInput& input, const StringColumn& column) {
  int precision = input.to.precision();
  int scale = input.to.scale();
  return ConvertFixed<arrow::Decimal128>(
      input, column,
      [=](std::string_view text, arrow::Decimal128* out) {
        return types::ParseDecimal(text, precision, scale, out) == types::DecimalParse::kOk;
      },
      [&](int64_t row) -> arrow::Status {
        arrow::Decimal128 ignored;
        switch (types::ParseDecimal(column[row], precision, scale, &ignored)) {
          case types::DecimalParse::kOutOfRange:
            return DecimalOutOfRange(input.to, TrimControls(column[row]));
          case types::DecimalParse::kTooManyDigits:
            return UserError("NUMERIC_OUT_OF_SUPPORTED_RANGE", {{"value", std::string(column[row])}});
          default:
            return CastInvalidInput(input, row);
        }
      });
}

CastResult StringToInterval(const CastInput& given, const StringColumn& column) {
  // A text that is no interval is an error without ANSI too.
  CastInput input = given;
  if (input.mode == CastMode::kLegacy) input.mode = CastMode::kAnsi;
  int start = input.to.start_field();
  int end = input.to.end_field();
  auto type = std::make_shared<types::DataType>(input.to);
  if (input.to.id() == TypeId::kYearMonthInterval) {
    return ConvertFixed<int32_t>(
        input, column,
        [=](std::string_view text, int32_t* out) {
          return types::ParseYearMonthInterval(text, start, end, out) == types::IntervalParse::kOk;
        },
        [&](int64_t row) {
          int32_t ignored = 0;
          auto outcome = types::ParseYearMonthInterval(column[row], start, end, &ignored);
          return types::IntervalCastError(column[row], *type, outcome);
        });
  }
  return ConvertFixed<int64_t>(
      input, column,
      [=](std::string_view text, int64_t* out) {
        return types::ParseDayTimeInterval(text, start, end, out) == types::IntervalParse::kOk;
      },
      [&](int64_t row) {
        int64_t ignored = 0;
        auto outcome = types::ParseDayTimeInterval(column[row], start, end, &ignored);
        return types::IntervalCastError(column[row], *type, outcome);
      });
}

// A text that is no interval gives NULL in every mode.
CastResult StringToCalendarInterval(const CastInput& input, const StringColumn& column) {
  arrow::MonthDayNanoIntervalBuilder builder(input.context.memory_pool);
  auto append = [&](int64_t i) {
    types::CalendarIntervalValue value;
    if (!types::ParseCalendarInterval(column[i], &value)) return builder.AppendNull();
    return builder.Append({value.months, value.days, value.micros * 1000});
  };
  ARROW_ASSIGN_OR_RAISE(arrow::Datum made, MapBuilt(builder, input.length(), append, column));
  return made.array();
}

}  // namespace

CastResult CastFromString(const CastInput& input) {
  StringColumn column{arrow::Datum(input.column)};
  auto fail = [&](int64_t row) { return CastInvalidInput(input, row); };
  const types::TimeZone& zone = *input.context.time_zone;
  switch (input.to.id()) {
    case TypeId::kBoolean:
      return ConvertBoolean(input, column, ParseBoolean, fail);
    case TypeId::kBinary:
      return WithType(input.column, arrow::binary());
    case TypeId::kDecimal:
      return StringToDecimal(input, column);
    case TypeId::kDate:
      return ConvertFixed<int32_t>(input, column, types::ParseDate, fail);
    case TypeId::kTimestamp:
      return ConvertFixed<int64_t>(
          input, column,
          [&zone](std::string_view text, int64_t* out) { return types::ParseTimestamp(text, zone, out); }, fail);
    case TypeId::kTimestampNtz:
      return ConvertFixed<int64_t>(
          input, column, [](std::string_view text, int64_t* out) { return types::ParseTimestampNtz(text, true, out); },
          fail);
    case TypeId::kTime:
      // Whatever digits the type has: Spark cuts none here, but where a time is read.
      return ConvertFixed<int64_t>(input, column, types::ParseTimeOfDay, fail);
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
      return StringToInterval(input, column);
    case TypeId::kCalendarInterval:
      return StringToCalendarInterval(input, column);
    default:
      return VisitNumber(input.to.id(), [&](auto to) { return StringToNumber<decltype(to)>(input, column); });
  }
}

}  // namespace millrace::expression
