#include <cmath>

#include "base/error.h"
#include "function/row_kernel.h"
#include "function/sketch/sketch_arguments.h"

/// What is asked of theta and tuple sketches, and their unions, intersections and differences of two.

namespace millrace::function {

namespace {

using arrow::BinaryBuilder;

arrow::Result<ExpressionPtr> BindThetaEstimate(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  return MakeCall(input, input.arguments, types::Long(), SomeNullable(input),
                  FixedKernel<int64_t, std::string_view>(
                      arrow::int64(),
                      [](const EvalContext&, std::string_view bytes, int64_t* out) -> arrow::Status {
                        ARROW_ASSIGN_OR_RAISE(HashSketch sketch,
                                              ParseSketch("theta_sketch_estimate", bytes, SummaryKind::kNone));
                        *out = static_cast<int64_t>(std::floor(sketch.Estimate() + 0.5));
                        return arrow::Status::OK();
                      }),
                  {.can_fail = true});
}

// tuple_sketch_estimate_… and tuple_sketch_theta_….
arrow::Result<ExpressionPtr> BindTupleNumber(const BindInput& input) {
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  std::string name(input.name);
  bool theta = name.find("_theta_") != std::string::npos;
  SummaryKind kind = SummaryKindOf(name);
  return MakeCall(input, input.arguments, types::Double(), SomeNullable(input),
                  FixedKernel<double, std::string_view>(
                      arrow::float64(),
                      [name, theta, kind](const EvalContext&, std::string_view bytes, double* out) -> arrow::Status {
                        ARROW_ASSIGN_OR_RAISE(HashSketch sketch, ParseSketch(name, bytes, kind));
                        *out = theta ? sketch.Theta() : sketch.Estimate();
                        return arrow::Status::OK();
                      }),
                  {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindTupleSummary(const BindInput& given) {
  BindInput input = WithDefaults(given, 2, {expression::Literal::String("sum")});
  ARROW_RETURN_NOT_OK(CheckExactType(input, 0, types::Binary()));
  ARROW_ASSIGN_OR_RAISE(SummaryMode mode, TupleMode(input, 1));
  std::string name(input.name);
  bool real = SummaryKindOf(name) == SummaryKind::kDouble;
  ScalarKernel kernel;
  if (real) {
    kernel = FixedKernel<double, std::string_view>(
        arrow::float64(), [name, mode](const EvalContext&, std::string_view bytes, double* out) -> arrow::Status {
          ARROW_ASSIGN_OR_RAISE(HashSketch sketch, ParseSketch(name, bytes, SummaryKind::kDouble));
          *out = sketch.TotalReal(mode);
          return arrow::Status::OK();
        });
  } else {
    kernel = FixedKernel<int64_t, std::string_view>(
        arrow::int64(), [name, mode](const EvalContext&, std::string_view bytes, int64_t* out) -> arrow::Status {
          ARROW_ASSIGN_OR_RAISE(HashSketch sketch, ParseSketch(name, bytes, SummaryKind::kInteger));
          *out = sketch.TotalInteger(mode);
          return arrow::Status::OK();
        });
  }
  auto first_only = [kernel](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return kernel(context, {arguments[0]}, num_rows);
  };
  return MakeCall(input, input.arguments, real ? types::Double() : types::Long(), SomeNullable(input), first_only,
                  {.can_fail = true});
}

enum class SetOperation : uint8_t { kUnion, kIntersection, kDifference };

SetOperation OperationOf(std::string_view name) {
  return name.find("_union") != std::string_view::npos          ? SetOperation::kUnion
         : name.find("_intersection") != std::string_view::npos ? SetOperation::kIntersection
                                                                : SetOperation::kDifference;
}

struct SetCall {
  std::string name;
  SetOperation operation;
  SummaryKind first;
  SummaryKind second;
  SummaryMode mode = SummaryMode::kSum;
};

arrow::Status RunSetCall(const SetCall& call, std::string_view first, std::string_view second, int log2_size,
                         BinaryBuilder& builder) {
  ARROW_ASSIGN_OR_RAISE(HashSketch sketch, ParseSketch(call.name, first, call.first));
  ARROW_ASSIGN_OR_RAISE(HashSketch other, ParseSketch(call.name, second, call.second));
  switch (call.operation) {
    case SetOperation::kUnion: {
      HashSketch both(call.first);
      both.UnionWith(sketch, call.mode, log2_size);
      both.UnionWith(other, call.mode, log2_size);
      return builder.Append(both.Serialize());
    }
    case SetOperation::kIntersection:
      sketch.IntersectWith(other, call.mode);
      break;
    case SetOperation::kDifference:
      sketch.Subtract(other);
      break;
  }
  return builder.Append(sketch.Serialize());
}

arrow::Result<ExpressionPtr> BindThetaSet(const BindInput& given) {
  SetCall call{std::string(given.name), OperationOf(given.name), SummaryKind::kNone, SummaryKind::kNone};
  bool sized = call.operation == SetOperation::kUnion;
  BindInput input = sized ? WithDefaults(given, 3, {expression::Literal::Integer(kDefaultLog2Size)}) : given;
  for (size_t i = 0; i < 2; ++i) ARROW_RETURN_NOT_OK(CheckExactType(input, i, types::Binary()));
  if (!sized) {
    return MakeCall(
        input, input.arguments, types::Binary(), SomeNullable(input),
        BuiltKernel<BinaryBuilder, std::string_view, std::string_view>(
            arrow::binary(), [call](const EvalContext&, std::string_view first, std::string_view second,
                                    BinaryBuilder& builder) { return RunSetCall(call, first, second, 0, builder); }),
        {.can_fail = true});
  }
  ARROW_RETURN_NOT_OK(CheckExactType(input, 2, types::Integer()));
  return MakeCall(input, input.arguments, types::Binary(), SomeNullable(input),
                  BuiltKernel<BinaryBuilder, std::string_view, std::string_view, int32_t>(
                      arrow::binary(),
                      [call](const EvalContext&, std::string_view first, std::string_view second, int32_t size,
                             BinaryBuilder& builder) -> arrow::Status {
                        ARROW_RETURN_NOT_OK(CheckLog2Size(call.name, size));
                        return RunSetCall(call, first, second, size, builder);
                      }),
                  {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindTupleSet(const BindInput& given) {
  SummaryKind kind = SummaryKindOf(given.name);
  bool with_theta = given.name.find("_theta_") != std::string_view::npos;
  SetCall call{std::string(given.name), OperationOf(given.name), kind, with_theta ? SummaryKind::kNone : kind};
  ExpressionVector defaults;
  if (call.operation == SetOperation::kUnion) defaults.push_back(expression::Literal::Integer(kDefaultLog2Size));
  if (call.operation != SetOperation::kDifference) defaults.push_back(expression::Literal::String("sum"));
  BindInput input = WithDefaults(given, 2 + defaults.size(), defaults);
  for (size_t i = 0; i < 2; ++i) ARROW_RETURN_NOT_OK(CheckExactType(input, i, types::Binary()));
  int log2_size = kDefaultLog2Size;
  if (call.operation == SetOperation::kUnion) {
    ARROW_RETURN_NOT_OK(CheckExactType(input, 2, types::Integer()));
    ARROW_ASSIGN_OR_RAISE(log2_size, TupleLog2Size(input, 2));
  }
  if (call.operation != SetOperation::kDifference) {
    ARROW_ASSIGN_OR_RAISE(call.mode, TupleMode(input, input.arguments.size() - 1));
  }
  auto kernel = BuiltKernel<BinaryBuilder, std::string_view, std::string_view>(
      arrow::binary(),
      [call, log2_size](const EvalContext&, std::string_view first, std::string_view second, BinaryBuilder& builder) {
        return RunSetCall(call, first, second, log2_size, builder);
      });
  auto first_two = [kernel](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return kernel(context, {arguments[0], arguments[1]}, num_rows);
  };
  return MakeCall(input, input.arguments, types::Binary(), SomeNullable(input), first_two, {.can_fail = true});
}

constexpr FunctionDef SketchFunction(std::string_view name, std::string_view description, std::string_view example,
                                     int min_arguments, int max_arguments, BindFunction bind) {
  return {.name = name,
          .family = "sketch",
          .description = description,
          .example = example,
          .example_result = "",
          .min_arguments = min_arguments,
          .max_arguments = max_arguments,
          .bind = bind};
}

}  // namespace

extern const FunctionDef kThetaSketchEstimate =
    SketchFunction("theta_sketch_estimate", "About how many keys a theta sketch has seen.",
                   "theta_sketch_estimate(sketch)", 1, 1, BindThetaEstimate);
extern const FunctionDef kThetaUnion =
    SketchFunction("theta_union", "The theta sketch of the keys of either.", "theta_union(a, b)", 2, 3, BindThetaSet);
extern const FunctionDef kThetaIntersection = SketchFunction(
    "theta_intersection", "The theta sketch of the keys of both.", "theta_intersection(a, b)", 2, 2, BindThetaSet);
extern const FunctionDef kThetaDifference =
    SketchFunction("theta_difference", "The theta sketch of the first one's other keys.", "theta_difference(a, b)", 2,
                   2, BindThetaSet);
extern const FunctionDef kTupleSketchEstimateDouble =
    SketchFunction("tuple_sketch_estimate_double", "About how many keys a tuple sketch has seen.",
                   "tuple_sketch_estimate_double(sketch)", 1, 1, BindTupleNumber);
extern const FunctionDef kTupleSketchEstimateInteger =
    SketchFunction("tuple_sketch_estimate_integer", "About how many keys a tuple sketch has seen.",
                   "tuple_sketch_estimate_integer(sketch)", 1, 1, BindTupleNumber);
extern const FunctionDef kTupleSketchThetaDouble =
    SketchFunction("tuple_sketch_theta_double", "Part of the keys that a tuple sketch keeps.",
                   "tuple_sketch_theta_double(sketch)", 1, 1, BindTupleNumber);
extern const FunctionDef kTupleSketchThetaInteger =
    SketchFunction("tuple_sketch_theta_integer", "Part of the keys that a tuple sketch keeps.",
                   "tuple_sketch_theta_integer(sketch)", 1, 1, BindTupleNumber);
extern const FunctionDef kTupleSketchSummaryDouble =
    SketchFunction("tuple_sketch_summary_double", "All summaries of a tuple sketch as one.",
                   "tuple_sketch_summary_double(sketch)", 1, 2, BindTupleSummary);
extern const FunctionDef kTupleSketchSummaryInteger =
    SketchFunction("tuple_sketch_summary_integer", "All summaries of a tuple sketch as one.",
                   "tuple_sketch_summary_integer(sketch)", 1, 2, BindTupleSummary);
extern const FunctionDef kTupleUnionDouble = SketchFunction(
    "tuple_union_double", "The tuple sketch of the keys of either.", "tuple_union_double(a, b)", 2, 4, BindTupleSet);
extern const FunctionDef kTupleUnionInteger = SketchFunction(
    "tuple_union_integer", "The tuple sketch of the keys of either.", "tuple_union_integer(a, b)", 2, 4, BindTupleSet);
extern const FunctionDef kTupleUnionThetaDouble =
    SketchFunction("tuple_union_theta_double", "A tuple sketch with the keys of a theta sketch.",
                   "tuple_union_theta_double(a, b)", 2, 4, BindTupleSet);
extern const FunctionDef kTupleUnionThetaInteger =
    SketchFunction("tuple_union_theta_integer", "A tuple sketch with the keys of a theta sketch.",
                   "tuple_union_theta_integer(a, b)", 2, 4, BindTupleSet);
extern const FunctionDef kTupleIntersectionDouble =
    SketchFunction("tuple_intersection_double", "The tuple sketch of the keys of both.",
                   "tuple_intersection_double(a, b)", 2, 3, BindTupleSet);
extern const FunctionDef kTupleIntersectionInteger =
    SketchFunction("tuple_intersection_integer", "The tuple sketch of the keys of both.",
                   "tuple_intersection_integer(a, b)", 2, 3, BindTupleSet);
extern const FunctionDef kTupleIntersectionThetaDouble =
    SketchFunction("tuple_intersection_theta_double", "A tuple sketch's keys that a theta sketch has, too.",
                   "tuple_intersection_theta_double(a, b)", 2, 3, BindTupleSet);
extern const FunctionDef kTupleIntersectionThetaInteger =
    SketchFunction("tuple_intersection_theta_integer", "A tuple sketch's keys that a theta sketch has, too.",
                   "tuple_intersection_theta_integer(a, b)", 2, 3, BindTupleSet);
extern const FunctionDef kTupleDifferenceDouble =
    SketchFunction("tuple_difference_double", "The tuple sketch of the first one's other keys.",
                   "tuple_difference_double(a, b)", 2, 2, BindTupleSet);
extern const FunctionDef kTupleDifferenceInteger =
    SketchFunction("tuple_difference_integer", "The tuple sketch of the first one's other keys.",
                   "tuple_difference_integer(a, b)", 2, 2, BindTupleSet);
extern const FunctionDef kTupleDifferenceThetaDouble =
    SketchFunction("tuple_difference_theta_double", "A tuple sketch's keys that a theta sketch does not have.",
                   "tuple_difference_theta_double(a, b)", 2, 2, BindTupleSet);
extern const FunctionDef kTupleDifferenceThetaInteger =
    SketchFunction("tuple_difference_theta_integer", "A tuple sketch's keys that a theta sketch does not have.",
                   "tuple_difference_theta_integer(a, b)", 2, 2, BindTupleSet);

}  // namespace millrace::function
