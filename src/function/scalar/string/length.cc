#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// length, octet_length, bit_length.

namespace millrace::function {

namespace {

using Measure = int64_t (*)(std::string_view);

int64_t Bytes(std::string_view bytes) { return static_cast<int64_t>(bytes.size()); }
int64_t Bits(std::string_view bytes) { return Bytes(bytes) * 8; }

template <Measure kOfText, Measure kOfBytes>
arrow::Result<ExpressionPtr> BindLength(const BindInput& input) {
  bool binary = input.arguments[0]->type()->id() == types::TypeId::kBinary;
  if (!binary && !expression::CanImplicitCast(input.arguments[0]->type(), types::String())) {
    return UnexpectedInputType(input, 0, R"(("STRING" or "BINARY"))");
  }
  auto kernel = [](auto measure) {
    return FixedKernel<int32_t, std::string_view>(arrow::int32(),
                                                  [measure](const EvalContext&, std::string_view value, int32_t* out) {
                                                    *out = static_cast<int32_t>(measure(value));
                                                  });
  };
  return BindSimple(input, {binary ? types::Binary() : types::String()}, types::Integer(),
                    kernel(binary ? kOfBytes : kOfText), {.shown_name = std::string(input.name)});
}

}  // namespace

extern const FunctionDef kLength{.name = "length",
                                 .aliases = "char_length character_length len",
                                 .family = "string",
                                 .description = "Number of characters of a text, or of bytes of a binary.",
                                 .example = "length('Spark SQL ')",
                                 .example_result = "10",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindLength<Utf8Length, Bytes>};

extern const FunctionDef kOctetLength{.name = "octet_length",
                                      .family = "string",
                                      .description = "Number of bytes.",
                                      .example = "octet_length('Spark SQL')",
                                      .example_result = "9",
                                      .min_arguments = 1,
                                      .max_arguments = 1,
                                      .bind = BindLength<Bytes, Bytes>};

extern const FunctionDef kBitLength{.name = "bit_length",
                                    .family = "string",
                                    .description = "Number of bits.",
                                    .example = "bit_length('Spark SQL')",
                                    .example_result = "72",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindLength<Bits, Bits>};

}  // namespace millrace::function
