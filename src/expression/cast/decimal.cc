#include <charconv>
#include <cmath>

#include "base/error.h"
#include "expression/cast/cast_kernels.h"
#include "types/number_text.h"

namespace millrace::expression {

using arrow::Decimal128;
using types::TypeId;

namespace {

// "1.0E10" as "10000000000": the number without an exponent (BigDecimal.toPlainString).
std::string PlainNumber(std::string_view text) {
  size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos) return std::string(text);
  int exponent = 0;
  std::string_view power = text.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string sign;
  std::string digits;
  int fraction = 0;
  bool after_point = false;
  for (char c : text.substr(0, e)) {
    if (c == '-') sign = "-";
    if (c == '.') after_point = true;
    if (c < '0' || c > '9') continue;
    digits += c;
    if (after_point) ++fraction;
  }
  int scale = fraction - exponent;
  if (scale <= 0) {
    digits.append(static_cast<size_t>(-scale), '0');
  } else {
    while (static_cast<int>(digits.size()) <= scale) digits.insert(digits.begin(), '0');
    digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  }
  size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return "0";
  if (digits[first] == '.') --first;
  return sign + digits.substr(first);
}

template <typename From>
CastResult WholeToDecimal(const CastInput& input) {
  FixedColumn<From> column{arrow::Datum(input.column)};
  int precision = input.to.precision();
  int scale = input.to.scale();
  return ConvertFixed<Decimal128>(
      input, column,
      [=](From value, Decimal128* out) {
        return types::RescaleDecimal(Decimal128(static_cast<int64_t>(value)), 0, precision, scale, out);
      },
      [&](int64_t row) { return DecimalOutOfRange(input.to, std::to_string(column[row])); });
}

// By way of the shortest text, as Spark's Decimal(double). NaN and infinity give NULL in every mode.
template <typename From>
CastResult FloatingToDecimal(const CastInput& input) {
  FixedColumn<From> column{arrow::Datum(input.column)};
  arrow::Decimal128Builder builder(types::ToArrow(input.to), input.context.memory_pool);
  std::string text;
  auto append = [&](int64_t i) -> arrow::Status {
    if (!std::isfinite(column[i])) return builder.AppendNull();
    text.clear();
    types::AppendDouble(column[i], &text);
    Decimal128 value;
    auto outcome = types::ParseDecimal(text, input.to.precision(), input.to.scale(), &value);
    if (outcome == types::DecimalParse::kOk) return builder.Append(value);
    return input.raises() ? DecimalOutOfRange(input.to, text) : builder.AppendNull();
  };
  ARROW_ASSIGN_OR_RAISE(arrow::Datum made, MapBuilt(builder, input.length(), append, column));
  return made.array();
}

CastResult DecimalToDecimal(const CastInput& input) {
  FixedColumn<Decimal128> column{arrow::Datum(input.column)};
  int from_scale = input.from.scale();
  int precision = input.to.precision();
  int scale = input.to.scale();
  return ConvertFixed<Decimal128>(
      input, column,
      [=](const Decimal128& value, Decimal128* out) {
        return types::RescaleDecimal(value, from_scale, precision, scale, out);
      },
      [&](int64_t row) {
        std::string text;
        types::AppendDecimalPlain(column[row], from_scale, &text);
        return DecimalOutOfRange(input.to, text);
      });
}

template <typename To>
CastResult DecimalToWhole(const CastInput& input) {
  FixedColumn<Decimal128> column{arrow::Datum(input.column)};
  int scale = input.from.scale();
  bool exact = input.exact();
  return ConvertFixed<To>(
      input, column,
      [=](const Decimal128& value, To* out) {
        Decimal128 whole(value);
        if (scale > 0) whole = Decimal128(value.ReduceScaleBy(scale, /*round=*/false));
        auto low = static_cast<int64_t>(whole.low_bits());
        *out = static_cast<To>(low);
        bool fits_long = whole.high_bits() == (low < 0 ? -1 : 0);
        return !exact || (fits_long && static_cast<int64_t>(*out) == low);
      },
      [&](int64_t row) { return CastOverflow(input, row); });
}

}  // namespace

arrow::Status DecimalOutOfRange(const types::DataType& to, std::string_view text) {
  return UserError("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", {{"value", PlainNumber(text)},
                                                                  {"precision", std::to_string(to.precision())},
                                                                  {"scale", std::to_string(to.scale())},
                                                                  {"config", QuoteConf("spark.sql.ansi.enabled")}});
}

CastResult CastToDecimal(const CastInput& input) {
  switch (input.from.id()) {
    case TypeId::kDecimal:
      return DecimalToDecimal(input);
    case TypeId::kBoolean: {
      BooleanColumn column{arrow::Datum(input.column)};
      int precision = input.to.precision();
      int scale = input.to.scale();
      return ConvertFixed<Decimal128>(
          input, column,
          [=](bool value, Decimal128* out) {
            return types::RescaleDecimal(Decimal128(value ? 1 : 0), 0, precision, scale, out);
          },
          [&](int64_t row) { return DecimalOutOfRange(input.to, column[row] ? "1" : "0"); });
    }
    default:
      return VisitNumber(input.from.id(), [&](auto from) -> CastResult {
        using From = decltype(from);
        if constexpr (std::is_floating_point_v<From>)
          return FloatingToDecimal<From>(input);
        else
          return WholeToDecimal<From>(input);
      });
  }
}

CastResult CastFromDecimal(const CastInput& input) {
  return VisitNumber(input.to.id(), [&](auto to) -> CastResult {
    using To = decltype(to);
    if constexpr (std::is_floating_point_v<To>) {
      FixedColumn<Decimal128> column{arrow::Datum(input.column)};
      int scale = input.from.scale();
      return ConvertFixed<To>(
          input, column,
          [scale](const Decimal128& value, To* out) {
            if constexpr (sizeof(To) == 4)
              *out = types::DecimalToFloat(value, scale);
            else
              *out = types::DecimalToDouble(value, scale);
            return true;
          },
          [](int64_t) { return arrow::Status::OK(); });
    } else {
      return DecimalToWhole<To>(input);
    }
  });
}

}  // namespace millrace::expression
