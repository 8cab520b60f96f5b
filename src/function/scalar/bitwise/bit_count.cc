#include <bit>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"

/// bit_count, getbit and the bitmap functions.

namespace millrace::function {

using types::TypeId;

namespace {

constexpr int64_t kBitmapBits = 32768;

arrow::Result<ExpressionPtr> BindBitCount(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  if (type->id() == TypeId::kBoolean) {
    return BindSimple(input, {types::Boolean()}, types::Integer(),
                      FixedKernel<int32_t, bool>(
                          arrow::int32(), [](const EvalContext&, bool value, int32_t* out) { *out = value ? 1 : 0; }));
  }
  if (!type->is_integral() && type->id() != TypeId::kNull) {
    return UnexpectedInputType(input, 0, R"(("INTEGRAL" or "BOOLEAN"))");
  }
  return BindSimple(input, {types::Long()}, types::Integer(),
                    FixedKernel<int32_t, int64_t>(arrow::int32(), [](const EvalContext&, int64_t value, int32_t* out) {
                      *out = std::popcount(static_cast<uint64_t>(value));
                    }));
}

arrow::Result<ExpressionPtr> BindGetBit(const BindInput& input) {
  int32_t width = 64;
  switch (input.arguments[0]->type()->id()) {
    case TypeId::kByte:
      width = 8;
      break;
    case TypeId::kShort:
      width = 16;
      break;
    case TypeId::kInteger:
      width = 32;
      break;
    case TypeId::kLong:
    case TypeId::kNull:
      break;
    default:
      return UnexpectedInputType(input, 0, QuoteSqlType("INTEGRAL"));
  }
  return BindSimple(input, {types::Long(), types::Integer()}, types::Byte(),
                    FixedKernel<int8_t, int64_t, int32_t>(
                        arrow::int8(),
                        [width](const EvalContext&, int64_t value, int32_t position, int8_t* out) -> arrow::Status {
                          if (position < 0 || position >= width) {
                            return UserError("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE",
                                             {{"parameter", QuoteIdentifier("pos")},
                                              {"functionName", QuoteIdentifier("bit_get")},
                                              {"upper", std::to_string(width)},
                                              {"invalidValue", std::to_string(position)}});
                          }
                          *out = static_cast<int8_t>((value >> position) & 1);
                          return arrow::Status::OK();
                        }),
                    {.can_fail = true, .shown_name = std::string(input.name)});
}

}  // namespace

extern const FunctionDef kBitCount{.name = "bit_count",
                                   .family = "bitwise",
                                   .description = "Number of bits set.",
                                   .example = "bit_count(7)",
                                   .example_result = "3",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = BindBitCount};

extern const FunctionDef kGetBit{.name = "getbit",
                                 .aliases = "bit_get",
                                 .family = "bitwise",
                                 .description = "The bit at a position, counted from the right, from 0.",
                                 .example = "getbit(11, 0)",
                                 .example_result = "1",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = BindGetBit};

extern const FunctionDef kBitmapBitPosition{
    .name = "bitmap_bit_position",
    .family = "bitwise",
    .description = "Position of a number's bit in its bitmap.",
    .example = "bitmap_bit_position(123)",
    .example_result = "122",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Long()}, types::Long(),
                        FixedKernel<int64_t, int64_t>(arrow::int64(), [](const EvalContext&, int64_t n, int64_t* out) {
                          *out = n > 0 ? (n - 1) % kBitmapBits : -n % kBitmapBits;
                        }));
    }};

extern const FunctionDef kBitmapBucketNumber{
    .name = "bitmap_bucket_number",
    .family = "bitwise",
    .description = "Number of the bitmap that holds a number's bit.",
    .example = "bitmap_bucket_number(123)",
    .example_result = "1",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Long()}, types::Long(),
                        FixedKernel<int64_t, int64_t>(arrow::int64(), [](const EvalContext&, int64_t n, int64_t* out) {
                          *out = n > 0 ? 1 + (n - 1) / kBitmapBits : n / kBitmapBits;
                        }));
    }};

extern const FunctionDef kBitmapCount{
    .name = "bitmap_count",
    .family = "bitwise",
    .description = "Number of bits set in a bitmap.",
    .example = "bitmap_count(X'1010')",
    .example_result = "2",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Binary()}, types::Long(),
                        FixedKernel<int64_t, std::string_view>(
                            arrow::int64(), [](const EvalContext&, std::string_view bytes, int64_t* out) {
                              *out = 0;
                              for (char c : bytes) *out += std::popcount(static_cast<unsigned char>(c));
                            }));
    }};

}  // namespace millrace::function
