#include <cmath>

#include "base/error.h"
#include "function/row_kernel.h"
#include "function/sketch/hll_arguments.h"
#include "function/sketch/sketch_arguments.h"

/// hll_sketch_estimate, hll_union.

namespace millrace::function {

namespace {

bool SomeNull(const ExpressionVector& arguments) {
  for (const ExpressionPtr& argument : arguments) {
    if (argument->nullable()) return true;
  }
  return false;
}

arrow::Result<ExpressionPtr> BindEstimate(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  return MakeCall(input, input.arguments, types::Long(), SomeNull(input.arguments),
                  FixedKernel<int64_t, std::string_view>(
                      arrow::int64(),
                      [](const EvalContext&, std::string_view bytes, int64_t* out) -> arrow::Status {
                        ARROW_ASSIGN_OR_RAISE(HllSketch sketch, ParseHll("hll_sketch_estimate", bytes));
                        *out = static_cast<int64_t>(std::floor(sketch.Estimate() + 0.5));
                        return arrow::Status::OK();
                      }),
                  {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindUnion(const BindInput& given) {
  BindInput input = WithDefaults(given, 3, {expression::Literal::Boolean(false)});
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  ARROW_RETURN_NOT_OK(CheckExactType(input, 1, types::Binary()));
  ARROW_RETURN_NOT_OK(CheckExactType(input, 2, types::Boolean()));
  return MakeCall(input, input.arguments, types::Binary(), SomeNull(input.arguments),
                  BuiltKernel<arrow::BinaryBuilder, std::string_view, std::string_view, bool>(
                      arrow::binary(),
                      [](const EvalContext&, std::string_view first, std::string_view second, bool any_size,
                         arrow::BinaryBuilder& builder) -> arrow::Status {
                        ARROW_ASSIGN_OR_RAISE(HllSketch a, ParseHll("hll_union", first));
                        ARROW_ASSIGN_OR_RAISE(HllSketch b, ParseHll("hll_union", second));
                        ARROW_RETURN_NOT_OK(CheckHllSizes("hll_union", a.log2_size(), b.log2_size(), any_size));
                        int log2_size = std::min(a.log2_size(), b.log2_size());
                        HllSketch both(log2_size);
                        both.Merge(a, log2_size);
                        both.Merge(b, log2_size);
                        return builder.Append(both.Serialize());
                      }),
                  {.can_fail = true});
}

}  // namespace

extern const FunctionDef kHllSketchEstimate{.name = "hll_sketch_estimate",
                                            .family = "sketch",
                                            .description = "About how many keys a HyperLogLog sketch has seen.",
                                            .example = "hll_sketch_estimate(sketch)",
                                            .example_result = "",
                                            .min_arguments = 1,
                                            .max_arguments = 1,
                                            .bind = BindEstimate};

extern const FunctionDef kHllUnion{.name = "hll_union",
                                   .family = "sketch",
                                   .description = "The HyperLogLog sketch of the keys of either.",
                                   .example = "hll_union(a, b)",
                                   .example_result = "",
                                   .min_arguments = 2,
                                   .max_arguments = 3,
                                   .bind = BindUnion};

}  // namespace millrace::function
