#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/bytes_builder.h"
#include "function/scalar/string/utf8.h"

/// lpad and rpad, of texts by characters and of binaries by bytes.

namespace millrace::function {

using types::TypeId;

namespace {

int64_t Length(std::string_view value, bool binary) {
  return binary ? static_cast<int64_t>(value.size()) : Utf8Length(value);
}

std::string_view First(std::string_view value, int64_t count, bool binary) {
  if (binary) return value.substr(0, static_cast<size_t>(count));
  return value.substr(0, Utf8Offset(value, count));
}

void Pad(std::string_view value, int32_t length, std::string_view with, bool left, bool binary, std::string* out) {
  int64_t size = Length(value, binary);
  if (length <= 0) return;
  if (size >= length || with.empty()) {
    *out += First(value, length, binary);
    return;
  }
  if (!left) *out += value;
  int64_t missing = length - size;
  int64_t step = Length(with, binary);
  for (; missing >= step; missing -= step) *out += with;
  *out += First(with, missing, binary);
  if (left) *out += value;
}

template <bool kLeftSide>
arrow::Result<ExpressionPtr> BindPad(const BindInput& input) {
  bool binary = input.arguments[0]->type()->id() == TypeId::kBinary &&
                (input.arguments.size() == 2 || input.arguments[2]->type()->id() == TypeId::kBinary);
  ExpressionVector arguments = input.arguments;
  if (arguments.size() == 2) {
    arguments.push_back(binary ? std::make_shared<expression::Literal>(
                                     types::Binary(), std::make_shared<arrow::BinaryScalar>(std::string(1, '\0')))
                               : expression::Literal::String(" "));
  }
  BindInput full{input.def, input.name, std::move(arguments), input.context};
  DataTypePtr type = binary ? types::Binary() : types::String();
  return BindSimple(
      full, {type, types::Integer(), type}, type,
      BuiltKernel<BytesBuilder, std::string_view, int32_t, std::string_view>(
          binary ? arrow::binary() : arrow::utf8(), [binary](const EvalContext&, std::string_view value, int32_t length,
                                                             std::string_view with, BytesBuilder& builder) {
            thread_local std::string out;
            out.clear();
            Pad(value, length, with, kLeftSide, binary, &out);
            return builder.Append(out);
          }));
}

}  // namespace

extern const FunctionDef kLpad{.name = "lpad",
                               .family = "string",
                               .description = "The text, filled or cut to a length on the left.",
                               .example = "lpad('hi', 5, 'xy')",
                               .example_result = "xyxhi",
                               .min_arguments = 2,
                               .max_arguments = 3,
                               .bind = BindPad<true>};

extern const FunctionDef kRpad{.name = "rpad",
                               .family = "string",
                               .description = "The text, filled or cut to a length on the right.",
                               .example = "rpad('hi', 5, 'xy')",
                               .example_result = "hixyx",
                               .min_arguments = 2,
                               .max_arguments = 3,
                               .bind = BindPad<false>};

}  // namespace millrace::function
