#include <algorithm>
#include <limits>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/bytes_builder.h"
#include "function/scalar/string/utf8.h"

/// substring, left, right, substring_index.

namespace millrace::function {

using types::TypeId;

namespace {

// Positions count from 1, from the end when negative; 0 counts as 1.
std::string_view Substring(std::string_view value, int32_t position, int32_t length, bool binary) {
  int64_t size = binary ? static_cast<int64_t>(value.size()) : Utf8Length(value);
  int64_t start = position > 0 ? int64_t{position} - 1 : position < 0 ? size + position : 0;
  int64_t end = std::min(start + std::max<int64_t>(length, 0), size);
  // Kept in 32 bits, an end that overflows means the end of the text.
  if (length == std::numeric_limits<int32_t>::max()) end = size;
  if (position == std::numeric_limits<int32_t>::min()) end = std::min(size, start + length);
  start = std::max<int64_t>(start, 0);
  if (start >= end) return {};
  if (binary) return value.substr(static_cast<size_t>(start), static_cast<size_t>(end - start));
  return Utf8Slice(value, start, end - start);
}

template <typename Cut>
arrow::Result<ExpressionPtr> BindCut(const BindInput& input, ExpressionVector arguments, Cut cut, bool may_null) {
  bool binary = arguments[0]->type()->id() == TypeId::kBinary;
  DataTypePtr type = binary ? types::Binary() : types::String();
  BindInput full{input.def, input.name, std::move(arguments), input.context};
  if (!binary && !expression::CanImplicitCast(full.arguments[0]->type(), types::String())) {
    return UnexpectedInputType(full, 0, R"(("STRING" or "BINARY"))");
  }
  std::vector<DataTypePtr> parameters(full.arguments.size(), types::Integer());
  parameters[0] = type;
  CallOptions options{.may_null = may_null, .shown_name = std::string(input.name)};
  if (parameters.size() == 3) {
    return BindSimple(
        full, parameters, type,
        BuiltKernel<BytesBuilder, std::string_view, int32_t, int32_t>(
            binary ? arrow::binary() : arrow::utf8(),
            [cut, binary](const EvalContext&, std::string_view value, int32_t position, int32_t length,
                          BytesBuilder& builder) { return builder.Append(cut(value, position, length, binary)); }),
        options);
  }
  return BindSimple(full, parameters, type,
                    BuiltKernel<BytesBuilder, std::string_view, int32_t>(
                        binary ? arrow::binary() : arrow::utf8(),
                        [cut, binary](const EvalContext&, std::string_view value, int32_t count,
                                      BytesBuilder& builder) { return builder.Append(cut(value, count, 0, binary)); }),
                    options);
}

std::string_view Left(std::string_view value, int32_t count, int32_t, bool binary) {
  return Substring(value, 1, count, binary);
}

std::string_view Right(std::string_view value, int32_t count, int32_t, bool binary) {
  if (count <= 0) return {};
  if (binary) return value.substr(value.size() - std::min(value.size(), static_cast<size_t>(count)));
  int64_t length = Utf8Length(value);
  return Utf8Slice(value, std::max<int64_t>(0, length - count), count);
}

// What stands before the count-th delimiter, or behind the count-th from the end.
std::string_view SubstringIndex(std::string_view text, std::string_view delimiter, int32_t count) {
  if (delimiter.empty() || count == 0) return {};
  if (count > 0) {
    size_t found = std::string_view::npos;
    for (size_t from = 0; count > 0; --count, from = found + 1) {
      found = text.find(delimiter, from);
      if (found == std::string_view::npos) return text;
    }
    return text.substr(0, found);
  }
  size_t from = std::string_view::npos;
  size_t found = 0;
  for (int64_t left = -int64_t{count}; left > 0; --left) {
    found = text.rfind(delimiter, from);
    if (found == std::string_view::npos) return text;
    if (left > 1 && found == 0) return text;
    from = found - 1;
  }
  return text.substr(found + delimiter.size());
}

}  // namespace

extern const FunctionDef kSubstring{
    .name = "substring",
    .aliases = "substr",
    .family = "string",
    .description = "The part of a text or binary from a position (1 is the first), of the given length.",
    .example = "substring('Spark SQL', 5, 1)",
    .example_result = "k",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      ExpressionVector arguments = input.arguments;
      if (arguments.size() == 2) arguments.push_back(expression::Literal::Integer(std::numeric_limits<int32_t>::max()));
      return BindCut(input, std::move(arguments), Substring, false);
    }};

extern const FunctionDef kLeft{
    .name = "left",
    .family = "string",
    .description = "The first characters of a text.",
    .example = "left('Spark SQL', 3)",
    .example_result = "Spa",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindCut(input, input.arguments, Left, false); }};

extern const FunctionDef kRight{
    .name = "right",
    .family = "string",
    .description = "The last characters of a text.",
    .example = "right('Spark SQL', 3)",
    .example_result = "SQL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      if (!expression::CanImplicitCast(input.arguments[0]->type(), types::String())) {
        return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
      }
      ExpressionVector arguments{expression::ImplicitCast(input.arguments[0], types::String()), input.arguments[1]};
      return BindCut(input, std::move(arguments), Right, true);
    }};

extern const FunctionDef kSubstringIndex{
    .name = "substring_index",
    .family = "string",
    .description = "What stands before the count-th delimiter; from the end when the count is negative.",
    .example = "substring_index('www.apache.org', '.', 2)",
    .example_result = "www.apache",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String(), types::String(), types::Integer()}, types::String(),
                        BuiltKernel<arrow::StringBuilder, std::string_view, std::string_view, int32_t>(
                            arrow::utf8(), [](const EvalContext&, std::string_view text, std::string_view delimiter,
                                              int32_t count, arrow::StringBuilder& builder) {
                              return builder.Append(SubstringIndex(text, delimiter, count));
                            }));
    }};

}  // namespace millrace::function
