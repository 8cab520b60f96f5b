#include <algorithm>
#include <cmath>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "function/scalar/string/utf8.h"

/// format_string and printf: java.util.Formatter for texts and numbers.

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

enum class Kind : uint8_t { kText, kWhole, kFloating, kBoolean };

/// One argument as the conversions read it.
struct Operand {
  Kind kind = Kind::kText;
  std::shared_ptr<arrow::Array> texts;    ///< as CAST to STRING
  std::shared_ptr<arrow::Array> numbers;  ///< int64 or double
};

struct Specifier {
  int index = -1;  // from 0
  bool left = false, plus = false, space = false, zero = false, group = false, parentheses = false, alternate = false;
  int width = 0;
  int precision = -1;
  char conversion = 's';
  bool upper = false;
};

bool ParseNumber(std::string_view text, size_t* i, int* number) {
  size_t first = *i;
  int value = 0;
  while (*i < text.size() && text[*i] >= '0' && text[*i] <= '9') value = value * 10 + (text[(*i)++] - '0');
  *number = value;
  return *i > first;
}

// Behind the percent sign.
bool ParseSpecifier(std::string_view text, size_t* i, Specifier* out) {
  size_t start = *i;
  int number = 0;
  if (ParseNumber(text, i, &number) && *i < text.size() && text[*i] == '$') {
    out->index = number - 1;
    ++*i;
  } else {
    *i = start;
  }
  for (; *i < text.size(); ++*i) {
    char c = text[*i];
    if (c == '-')
      out->left = true;
    else if (c == '+')
      out->plus = true;
    else if (c == ' ')
      out->space = true;
    else if (c == '0')
      out->zero = true;
    else if (c == ',')
      out->group = true;
    else if (c == '(')
      out->parentheses = true;
    else if (c == '#')
      out->alternate = true;
    else
      break;
  }
  ParseNumber(text, i, &out->width);
  if (*i < text.size() && text[*i] == '.') {
    ++*i;
    if (!ParseNumber(text, i, &out->precision)) return false;
  }
  if (*i >= text.size()) return false;
  char c = text[(*i)++];
  out->conversion = ToLowerAscii(c);
  out->upper = c != out->conversion;
  return std::strchr("bscdoxefgn%", out->conversion) != nullptr;
}

std::string Grouped(std::string digits) {
  size_t end = std::min(digits.find('.'), digits.size());
  for (auto i = static_cast<int>(end) - 3; i > 0; i -= 3) digits.insert(static_cast<size_t>(i), ",");
  return digits;
}

// Sign, groups and zeros around the digits of a number's magnitude.
std::string Signed(const Specifier& spec, bool negative, std::string digits) {
  if (spec.group) digits = Grouped(std::move(digits));
  std::string prefix = negative ? (spec.parentheses ? "(" : "-") : spec.plus ? "+" : spec.space ? " " : "";
  std::string suffix = negative && spec.parentheses ? ")" : "";
  if (spec.zero) {
    auto used = prefix.size() + digits.size() + suffix.size();
    if (used < static_cast<size_t>(spec.width)) digits.insert(0, static_cast<size_t>(spec.width) - used, '0');
  }
  return prefix + digits + suffix;
}

std::string Padded(const Specifier& spec, std::string text) {
  int64_t missing = spec.width - Utf8Length(text);
  if (missing > 0) text.insert(spec.left ? text.size() : 0, static_cast<size_t>(missing), ' ');
  if (!spec.upper) return text;
  std::string upper;
  AppendUpper(text, &upper);
  return upper;
}

arrow::Status Mismatch(const Specifier& spec, const Operand& operand) {
  const char* java = operand.kind == Kind::kFloating  ? "java.lang.Double"
                     : operand.kind == Kind::kWhole   ? "java.lang.Integer"
                     : operand.kind == Kind::kBoolean ? "java.lang.Boolean"
                                                      : "org.apache.spark.unsafe.types.UTF8String";
  return arrow::Status::Invalid(std::string(1, spec.conversion), " != ", java);
}

std::string_view TextAt(const Operand& operand, int64_t i) {
  return static_cast<const arrow::StringArray&>(*operand.texts).GetView(i);
}

arrow::Result<std::string> Whole(const Specifier& spec, const Operand& operand, int64_t i, bool is_int) {
  if (operand.kind != Kind::kWhole) return Mismatch(spec, operand);
  int64_t value = static_cast<const arrow::Int64Array&>(*operand.numbers).Value(i);
  if (spec.conversion == 'd') {
    std::string digits = std::to_string(value);
    if (value < 0) digits.erase(0, 1);
    return Signed(spec, value < 0, std::move(digits));
  }
  uint64_t bits = is_int ? static_cast<uint32_t>(value) : static_cast<uint64_t>(value);
  std::string digits = spec.conversion == 'x' ? fmt::format("{:x}", bits) : fmt::format("{:o}", bits);
  if (spec.alternate) digits.insert(0, spec.conversion == 'x' ? "0x" : "0");
  return Signed(spec, false, std::move(digits));
}

arrow::Result<std::string> Floating(const Specifier& spec, const Operand& operand, int64_t i) {
  if (operand.kind != Kind::kFloating) return Mismatch(spec, operand);
  double value = static_cast<const arrow::DoubleArray&>(*operand.numbers).Value(i);
  if (std::isnan(value)) return std::string("NaN");
  if (std::isinf(value)) return Signed(spec, value < 0, "Infinity");
  int precision = spec.precision < 0 ? 6 : spec.precision;
  double magnitude = std::fabs(value);
  std::string digits = spec.conversion == 'f'   ? fmt::format("{:.{}f}", magnitude, precision)
                       : spec.conversion == 'e' ? fmt::format("{:.{}e}", magnitude, precision)
                                                : fmt::format("{:#.{}g}", magnitude, std::max(precision, 1));
  return Signed(spec, std::signbit(value), std::move(digits));
}

arrow::Result<std::string> FormatOne(const Specifier& spec, const Operand& operand, int64_t i, bool is_int) {
  bool null = operand.texts->IsNull(i);
  switch (spec.conversion) {
    case 'b': {
      bool value = !null && (operand.kind != Kind::kBoolean || TextAt(operand, i) == "true");
      return std::string(value ? "true" : "false");
    }
    case 's': {
      std::string_view text = null ? "null" : TextAt(operand, i);
      if (spec.precision >= 0) text = Utf8Slice(text, 0, spec.precision);
      return std::string(text);
    }
    case 'c': {
      if (null) return std::string("null");
      if (operand.kind != Kind::kWhole) return Mismatch(spec, operand);
      std::string out;
      AppendUtf8(static_cast<char32_t>(static_cast<const arrow::Int64Array&>(*operand.numbers).Value(i)), &out);
      return out;
    }
    case 'd':
    case 'x':
    case 'o':
      if (null) return std::string("null");
      return Whole(spec, operand, i, is_int);
    default:
      if (null) return std::string("null");
      return Floating(spec, operand, i);
  }
}

arrow::Status FormatRow(std::string_view format, const std::vector<Operand>& operands, const std::vector<bool>& ints,
                        int64_t row, std::string* out) {
  int next = 0;
  for (size_t i = 0; i < format.size();) {
    if (format[i] != '%') {
      *out += format[i++];
      continue;
    }
    size_t begin = i++;
    Specifier spec;
    if (!ParseSpecifier(format, &i, &spec)) {
      return arrow::Status::Invalid("Conversion = '", std::string(format.substr(begin, i - begin)), "'");
    }
    if (spec.conversion == 'n') {
      *out += '\n';
      continue;
    }
    if (spec.conversion == '%') {
      *out += Padded(spec, "%");
      continue;
    }
    int index = spec.index >= 0 ? spec.index : next++;
    if (index >= static_cast<int>(operands.size())) {
      return arrow::Status::Invalid("Format specifier '", std::string(format.substr(begin, i - begin)), "'");
    }
    auto k = static_cast<size_t>(index);
    ARROW_ASSIGN_OR_RAISE(std::string text, FormatOne(spec, operands[k], row, ints[k]));
    *out += Padded(spec, std::move(text));
  }
  return arrow::Status::OK();
}

arrow::Result<Operand> Prepare(const EvalContext& context, const Datum& value, const types::DataType& type,
                               int64_t num_rows) {
  Operand operand;
  ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(value, num_rows, context.memory_pool));
  auto cast = [&](const DataTypePtr& to) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(Datum made,
                          expression::CastColumn(context, Datum(array), type, *to, expression::CastMode::kAnsi));
    return made.make_array();
  };
  ARROW_ASSIGN_OR_RAISE(operand.texts, cast(types::String()));
  if (type.is_integral()) {
    operand.kind = Kind::kWhole;
    ARROW_ASSIGN_OR_RAISE(operand.numbers, cast(types::Long()));
  } else if (type.id() == TypeId::kFloat || type.id() == TypeId::kDouble) {
    operand.kind = Kind::kFloating;
    ARROW_ASSIGN_OR_RAISE(operand.numbers, cast(types::Double()));
  } else if (type.id() == TypeId::kBoolean) {
    operand.kind = Kind::kBoolean;
  }
  return operand;
}

arrow::Result<ExpressionPtr> BindFormat(const BindInput& input) {
  ExpressionVector arguments = input.arguments;
  if (arguments.empty()) return WrongNumArgs(input.name, "> 0", 0);
  if (!expression::CanImplicitCast(arguments[0]->type(), types::String())) {
    return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  }
  arguments[0] = expression::ImplicitCast(arguments[0], types::String());
  if (arguments[0]->foldable()) {
    ARROW_ASSIGN_OR_RAISE(auto format, FoldableString(input, 0, "strfmt"));
    if (format && format->find("%0$") != std::string::npos) {
      return UserError("INVALID_PARAMETER_VALUE.ZERO_INDEX",
                       {{"parameter", QuoteIdentifier("strfmt")}, {"functionName", QuoteIdentifier("format_string")}});
    }
  }
  std::vector<DataTypePtr> types;
  std::vector<bool> ints;
  for (size_t k = 1; k < arguments.size(); ++k) {
    types.push_back(arguments[k]->type());
    ints.push_back(arguments[k]->type()->id() != TypeId::kLong);
  }
  bool nullable = arguments[0]->nullable();
  return MakeCall(input, std::move(arguments), types::String(), nullable,
                  [types, ints](const EvalContext& context, const std::vector<Datum>& values, int64_t num_rows) {
                    return expression::OneRowIfScalars(values, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
                      expression::StringColumn formats(values[0]);
                      std::vector<Operand> operands;
                      for (size_t k = 1; k < values.size(); ++k) {
                        ARROW_ASSIGN_OR_RAISE(Operand operand, Prepare(context, values[k], *types[k - 1], rows));
                        operands.push_back(std::move(operand));
                      }
                      arrow::StringBuilder builder(context.memory_pool);
                      std::string out;
                      auto append = [&](int64_t i) -> arrow::Status {
                        out.clear();
                        ARROW_RETURN_NOT_OK(FormatRow(formats[i], operands, ints, i, &out));
                        return builder.Append(out);
                      };
                      return expression::MapBuilt(builder, rows, append, formats);
                    });
                  },
                  {.can_fail = true, .shown_name = std::string(input.name)});
}

}  // namespace

extern const FunctionDef kFormatString{.name = "format_string",
                                       .aliases = "printf",
                                       .family = "string",
                                       .description = "A text with values put in at %d, %s and the like.",
                                       .example = "format_string('Hello World %d %s', 100, 'days')",
                                       .example_result = "Hello World 100 days",
                                       .min_arguments = 0,
                                       .max_arguments = -1,
                                       .bind = BindFormat};

}  // namespace millrace::function
