#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/number_pattern.h"
#include "types/arrow_type.h"
#include "types/number_text.h"

/// to_number, try_to_number, to_char (to_varchar): numbers as texts of a pattern.

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

// The pattern of argument 1; null when it is NULL.
arrow::Result<std::shared_ptr<const NumberPattern>> PatternArgument(const BindInput& input) {
  if (!expression::CanImplicitCast(input.arguments[1]->type(), types::String())) {
    return UnexpectedInputType(input, 1, "\"STRING\"");
  }
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> text, FoldableString(input, 1, "format"));
  if (!text) return nullptr;
  ARROW_ASSIGN_OR_RAISE(NumberPattern pattern, NumberPattern::Parse(*text));
  return std::make_shared<const NumberPattern>(std::move(pattern));
}

arrow::Status Mismatch(std::string_view input, const std::string& type, const NumberPattern& pattern) {
  return UserError("INVALID_FORMAT.MISMATCH_INPUT",
                   {{"inputType", QuoteSqlType(type)}, {"input", std::string(input)}, {"format", pattern.text()}});
}

template <bool kTry>
arrow::Result<ExpressionPtr> BindToNumber(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto pattern, PatternArgument(input));
  if (pattern == nullptr) return expression::Literal::Null(types::Decimal(10, 0));
  if (pattern->precision() > types::kMaxDecimalPrecision) {
    return UserError("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                     {{"precision", std::to_string(pattern->precision())}, {"maxPrecision", "38"}});
  }
  DataTypePtr type = types::Decimal(pattern->precision(), pattern->scale());
  auto kernel = BuiltKernel<arrow::Decimal128Builder, std::string_view, std::string_view>(
      types::ToArrow(*type),
      [pattern](const EvalContext&, std::string_view text, std::string_view,
                arrow::Decimal128Builder& builder) -> arrow::Status {
        std::optional<std::string> number = pattern->ToNumber(text);
        if (!number) return kTry ? builder.AppendNull() : Mismatch(text, "STRING", *pattern);
        arrow::Decimal128 value;
        types::ParseDecimal(*number, pattern->precision(), pattern->scale(), &value);
        return builder.Append(value);
      });
  return BindSimple(input, {types::String(), types::String()}, type, std::move(kernel),
                    {.can_fail = !kTry, .may_null = kTry});
}

// Of a binary value: in the named form.
arrow::Result<ExpressionPtr> BindBinaryToChar(const BindInput& input) {
  if (!input.arguments[1]->foldable()) return NonFoldableInput(input, 1, "format", input.arguments[1]->type());
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> form, FoldableString(input, 1, "format"));
  if (!form) {
    return UserError("NULL_ARGUMENT",
                     {{"functionName", QuoteIdentifier(input.name)}, {"argumentName", QuoteIdentifier("format")}});
  }
  std::string lower = ToLowerAscii(TrimAscii(*form));
  if (lower == "base64") return BindCall("base64", {input.arguments[0]}, input.context);
  if (lower == "hex") return BindCall("hex", {input.arguments[0]}, input.context);
  if (lower == "utf-8") return BindCall("decode", input.arguments, input.context);
  return UserError("INVALID_PARAMETER_VALUE.BINARY_FORMAT", {{"functionName", QuoteIdentifier(input.name)},
                                                             {"parameter", QuoteIdentifier("format")},
                                                             {"invalidFormat", "'" + lower + "'"}});
}

arrow::Result<ExpressionPtr> BindToChar(const BindInput& input) {
  const DataTypePtr& from = input.arguments[0]->type();
  if (from->is_datetime()) return BindCall("date_format", input.arguments, input.context);
  if (from->id() == TypeId::kBinary) return BindBinaryToChar(input);
  DataTypePtr number = from;
  if (from->is_integral()) number = types::DecimalForIntegral(from->id());
  if (from->id() == TypeId::kFloat) number = types::Decimal(14, 7);
  if (from->id() == TypeId::kDouble) number = types::Decimal(30, 15);
  if (from->id() == TypeId::kString || from->id() == TypeId::kNull) number = types::Decimal(38, 18);
  if (number->id() != TypeId::kDecimal) return UnexpectedInputType(input, 0, "\"DECIMAL\"");
  ARROW_ASSIGN_OR_RAISE(auto pattern, PatternArgument(input));
  if (pattern == nullptr) return expression::Literal::Null(types::String());
  ExpressionPtr value = expression::ImplicitCast(input.arguments[0], number);
  auto kernel = BuiltKernel<arrow::StringBuilder, arrow::Decimal128, std::string_view>(
      arrow::utf8(), [pattern, scale = number->scale()](const EvalContext&, const arrow::Decimal128& decimal,
                                                        std::string_view, arrow::StringBuilder& builder) {
        std::string text;
        types::AppendDecimalPlain(decimal, scale, &text);
        return builder.Append(pattern->Format(text));
      });
  ExpressionPtr format = expression::ImplicitCast(input.arguments[1], types::String());
  bool nullable = value->nullable() || format->nullable();
  return MakeCall(input, {std::move(value), std::move(format)}, types::String(), nullable, std::move(kernel),
                  {.shown_name = "to_char"});
}

}  // namespace

extern const FunctionDef kToNumber{.name = "to_number",
                                   .family = "string",
                                   .description = "The number in a text of a pattern such as '$99,999.99S'.",
                                   .example = "to_number('12,454.8-', '99,999.9S')",
                                   .example_result = "-12454.8",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindToNumber<false>};

extern const FunctionDef kTryToNumber{.name = "try_to_number",
                                      .family = "string",
                                      .description = "As to_number; NULL where the text is not of the pattern.",
                                      .example = "try_to_number('x', '999')",
                                      .example_result = "NULL",
                                      .min_arguments = 2,
                                      .max_arguments = 2,
                                      .bind = BindToNumber<true>};

extern const FunctionDef kToChar{.name = "to_char",
                                 .aliases = "to_varchar",
                                 .family = "string",
                                 .description = "A number, time or binary value as text of a pattern.",
                                 .example = "to_char(-12454.8, '99G999D9S')",
                                 .example_result = "12,454.8-",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = BindToChar};

}  // namespace millrace::function
