#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/aggregate/bound_aggregate.h"

/// regr_count, regr_avgx, regr_avgy: count and avg of the pairs (y, x) without a NULL. The others are in covariance.cc.

namespace millrace::function {

namespace {

arrow::Status ExpectNumbers(const BindInput& input) {
  for (size_t i = 0; i < 2; ++i) {
    const DataTypePtr& type = input.arguments[i]->type();
    bool fits = type->is_numeric() || type->id() == types::TypeId::kNull || type->id() == types::TypeId::kString;
    if (!fits) return UnexpectedInputType(input, i, "\"NUMERIC\"");
  }
  return arrow::Status::OK();
}

ExpressionPtr Number(const ExpressionPtr& value) {
  return value->type()->is_numeric() ? value : expression::ImplicitCast(value, types::Double());
}

template <size_t kIndex>
arrow::Result<ExpressionPtr> BindAverage(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectNumbers(input));
  ExpressionPtr value = Number(input.arguments[kIndex]);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr y, BindCall("isnotnull", {input.arguments[0]}, input.context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr x, BindCall("isnotnull", {input.arguments[1]}, input.context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr both, BindCall("and", {std::move(y), std::move(x)}, input.context));
  ARROW_ASSIGN_OR_RAISE(
      ExpressionPtr paired,
      BindCall("if", {std::move(both), value, expression::Literal::Null(value->type())}, input.context));
  const FunctionDef* avg = FindFunction("avg");
  return avg->bind(BindInput{*avg, input.name, {std::move(paired)}, input.context, input.distinct, input.filter});
}

arrow::Result<ExpressionPtr> BindCount(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectNumbers(input));
  const FunctionDef* count = FindFunction("count");
  return count->bind(BindInput{*count, input.name, input.arguments, input.context, input.distinct, input.filter});
}

}  // namespace

extern const FunctionDef kRegrCount{.name = "regr_count",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Number of pairs (y, x) without a NULL.",
                                    .example = "regr_count(y, x)",
                                    .example_result = "",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = BindCount};

extern const FunctionDef kRegrAvgX{.name = "regr_avgx",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Average of x over the pairs (y, x) without a NULL.",
                                   .example = "regr_avgx(y, x)",
                                   .example_result = "",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindAverage<1>};

extern const FunctionDef kRegrAvgY{.name = "regr_avgy",
                                   .kind = FunctionKind::kAggregate,
                                   .family = "aggregate",
                                   .description = "Average of y over the pairs (y, x) without a NULL.",
                                   .example = "regr_avgy(y, x)",
                                   .example_result = "",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindAverage<0>};

}  // namespace millrace::function
