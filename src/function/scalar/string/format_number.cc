#include <arrow/util/decimal.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "types/number_text.h"

/// format_number: java.text.DecimalFormat with halves to the even digit.

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

struct Pattern {
  int min_whole = 1;
  int min_fraction = 0;
  int max_fraction = 0;
  int group = 3;  // 0: none
  std::string prefix;
  std::string suffix;
};

// "#,##0.00": digits, the size of groups, and plain text around them.
Pattern ParsePattern(std::string_view text) {
  Pattern pattern;
  if (text.empty()) return pattern;
  pattern.min_whole = 0;
  pattern.group = 0;
  bool fraction = false;
  bool grouped = false;
  bool seen = false;
  for (char c : text) {
    if (c == '0' || c == '#') {
      seen = true;
      if (fraction) {
        ++pattern.max_fraction;
        if (c == '0') ++pattern.min_fraction;
      } else {
        if (c == '0') ++pattern.min_whole;
        if (grouped) ++pattern.group;
      }
    } else if (c == ',') {
      grouped = true;
      pattern.group = 0;
    } else if (c == '.') {
      fraction = true;
    } else {
      (seen ? pattern.suffix : pattern.prefix) += c;
    }
  }
  return pattern;
}

// `digits` is a plain decimal number ("-1234.5"); rounded half to even in decimal.
std::string Format(std::string_view digits, const Pattern& pattern) {
  bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  size_t point = digits.find('.');
  std::string whole(digits.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : digits.substr(point + 1));
  auto kept = static_cast<size_t>(pattern.max_fraction);
  if (fraction.size() > kept) {
    char next = fraction[kept];
    bool rest = fraction.find_first_not_of('0', kept + 1) != std::string::npos;
    fraction.resize(kept);
    std::string all = whole + fraction;
    bool odd = !all.empty() && (all.back() & 1) != 0;
    if (next > '5' || (next == '5' && (rest || odd))) {
      size_t i = all.size();
      while (i > 0 && all[i - 1] == '9') all[--i] = '0';
      if (i > 0)
        ++all[i - 1];
      else
        all.insert(all.begin(), '1');
    }
    whole = all.substr(0, all.size() - kept);
    fraction = all.substr(all.size() - kept);
  }
  while (fraction.size() > static_cast<size_t>(pattern.min_fraction) && fraction.ends_with('0')) fraction.pop_back();
  while (fraction.size() < static_cast<size_t>(pattern.min_fraction)) fraction += '0';
  size_t first = whole.find_first_not_of('0');
  whole = first == std::string::npos ? "" : whole.substr(first);
  while (whole.size() < static_cast<size_t>(pattern.min_whole)) whole.insert(whole.begin(), '0');
  if (whole.empty() && fraction.empty()) whole = "0";
  if (pattern.group > 0) {
    for (auto i = static_cast<int>(whole.size()) - pattern.group; i > 0; i -= pattern.group) {
      whole.insert(static_cast<size_t>(i), ",");
    }
  }
  std::string out = (negative ? "-" : "") + pattern.prefix + whole;
  if (!fraction.empty()) out += "." + fraction;
  return out + pattern.suffix;
}

// A double's shortest digits without an exponent.
std::string PlainDouble(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find('e') == std::string::npos) return text;
  std::string exact = fmt::format("{:.340f}", value);
  size_t last = exact.find_last_not_of('0');
  return std::fabs(value) >= 1 ? fmt::format("{:.0f}", value) : exact.substr(0, last + 1);
}

arrow::Result<std::vector<std::string>> Texts(const EvalContext& context, const Datum& numbers, const DataTypePtr& type,
                                              int64_t num_rows) {
  ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(numbers, num_rows, context.memory_pool));
  std::vector<std::string> texts(static_cast<size_t>(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    if (array->IsNull(i)) continue;
    std::string& text = texts[static_cast<size_t>(i)];
    if (type->id() == TypeId::kDecimal) {
      types::AppendDecimalPlain(array->data()->GetValues<arrow::Decimal128>(1)[i], type->scale(), &text);
    } else if (type->id() == TypeId::kDouble) {
      double value = array->data()->GetValues<double>(1)[i];
      if (std::isnan(value))
        text = "NaN";
      else if (std::isinf(value))
        text = value > 0 ? "∞" : "-∞";
      else
        text = PlainDouble(value);
    } else {
      text = std::to_string(array->data()->GetValues<int64_t>(1)[i]);
    }
  }
  return texts;
}

arrow::Result<Datum> FormatNumbers(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                                   const DataTypePtr& type, bool by_pattern) {
  if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(arrow::utf8()));
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(auto texts, Texts(context, arguments[0], type, rows));
    ARROW_ASSIGN_OR_RAISE(auto validity, expression::CombinedValidity(arguments, rows, context.memory_pool));
    std::optional<expression::FixedColumn<int32_t>> places;
    std::optional<expression::StringColumn> patterns;
    if (by_pattern)
      patterns.emplace(arguments[1]);
    else
      places.emplace(arguments[1]);
    arrow::StringBuilder builder(context.memory_pool);
    for (int64_t i = 0; i < rows; ++i) {
      bool null = validity != nullptr && !arrow::bit_util::GetBit(validity->data(), i);
      if (null || (!by_pattern && (*places)[i] < 0)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      Pattern pattern;
      if (by_pattern) {
        pattern = ParsePattern((*patterns)[i]);
      } else {
        pattern.min_fraction = pattern.max_fraction = (*places)[i];
      }
      const std::string& text = texts[static_cast<size_t>(i)];
      bool finite = text != "NaN" && !text.ends_with("∞");
      ARROW_RETURN_NOT_OK(builder.Append(finite ? Format(text, pattern) : text));
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return Datum(std::move(array));
  });
}

arrow::Result<ExpressionPtr> BindFormatNumber(const BindInput& input) {
  const DataTypePtr& from = input.arguments[0]->type();
  if (!from->is_numeric() && from->id() != TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("NUMERIC"));
  }
  DataTypePtr type = from->is_integral() ? types::Long() : from->id() == TypeId::kDecimal ? from : types::Double();
  bool by_pattern = input.arguments[1]->type()->id() == TypeId::kString;
  DataTypePtr second = by_pattern ? types::String() : types::Integer();
  return BindSimple(
      input, {type, second}, types::String(),
      [type, by_pattern](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) {
        return FormatNumbers(context, arguments, num_rows, type, by_pattern);
      },
      {.may_null = true});
}

}  // namespace

extern const FunctionDef kFormatNumber{
    .name = "format_number",
    .family = "string",
    .description = "The number with groups of three and so many decimal places, or in a pattern.",
    .example = "format_number(12332.123456, 4)",
    .example_result = "12,332.1235",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = BindFormatNumber};

}  // namespace millrace::function
