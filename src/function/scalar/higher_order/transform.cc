#include "base/error.h"
#include "function/scalar/higher_order/lambda_arguments.h"

/// transform, filter, exists and forall.

namespace millrace::function {

namespace {

// A column of arrays and what a lambda says of each element.
struct Applied {
  ListColumn lists;
  FlatElements elements;
  std::shared_ptr<arrow::Array> results;
};

arrow::Result<Applied> ApplyToArrays(const EvalContext& context, const arrow::RecordBatch& input,
                                     const std::vector<arrow::Datum>& arguments,
                                     const std::vector<const LambdaFunction*>& lambdas) {
  Applied applied;
  arrow::MemoryPool* pool = context.memory_pool;
  ARROW_ASSIGN_OR_RAISE(applied.lists, ListColumn::Make(arguments[0], input.num_rows(), pool));
  ARROW_ASSIGN_OR_RAISE(applied.elements, Flatten(applied.lists, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values,
                        Gather(*applied.lists.values(), *applied.elements.places, pool));
  arrow::ArrayVector parameters{std::move(values)};
  if (lambdas[0]->parameters().size() > 1) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, ElementIndices(applied.elements, pool));
    parameters.push_back(std::move(indices));
  }
  ARROW_ASSIGN_OR_RAISE(applied.results,
                        ApplyToElements(context, *lambdas[0], input, applied.elements.outer_rows, parameters));
  return applied;
}

arrow::Result<ExpressionPtr> BindTransform(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectArray(input, 0));
  const ExpressionPtr& array = input.arguments[0];
  ARROW_ASSIGN_OR_RAISE(auto parameters, ElementParameters(input.arguments, 1, 1));
  auto lambda = AsLambda(input.arguments[1], parameters);
  DataTypePtr type = types::Array(lambda->type(), lambda->nullable());
  auto kernel = [type](const EvalContext& context, const arrow::RecordBatch& batch,
                       const std::vector<arrow::Datum>& arguments,
                       const std::vector<const LambdaFunction*>& lambdas) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Applied applied, ApplyToArrays(context, batch, arguments, lambdas));
    ListMaker maker(batch.num_rows(), context.memory_pool);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      maker.SetAdded(applied.elements.offsets[static_cast<size_t>(row) + 1]);
      applied.lists.IsNull(row) ? maker.NullRow() : maker.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, maker.FinishWith(*type, applied.results));
    return arrow::Datum(std::move(result));
  };
  return MakeHigherOrder(input, {array, lambda}, type, array->nullable(), kernel);
}

bool IsTrue(const arrow::Array& conditions, int64_t i) {
  return conditions.type_id() == arrow::Type::BOOL && conditions.IsValid(i) &&
         static_cast<const arrow::BooleanArray&>(conditions).Value(i);
}

arrow::Result<ExpressionPtr> BindFilter(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectArray(input, 0));
  ARROW_RETURN_NOT_OK(ExpectLambdaResult(input, 1, types::Boolean()));
  const ExpressionPtr& array = input.arguments[0];
  ARROW_ASSIGN_OR_RAISE(auto parameters, ElementParameters(input.arguments, 1, 1));
  auto lambda = AsLambda(input.arguments[1], parameters);
  DataTypePtr type = array->type();
  auto kernel = [type](const EvalContext& context, const arrow::RecordBatch& batch,
                       const std::vector<arrow::Datum>& arguments,
                       const std::vector<const LambdaFunction*>& lambdas) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Applied applied, ApplyToArrays(context, batch, arguments, lambdas));
    ListMaker maker(batch.num_rows(), context.memory_pool);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (applied.lists.IsNull(row)) {
        maker.NullRow();
        continue;
      }
      int64_t first = applied.elements.offsets[static_cast<size_t>(row)];
      for (int64_t i = 0; i < applied.lists.Length(row); ++i) {
        if (IsTrue(*applied.results, first + i)) ARROW_RETURN_NOT_OK(maker.Add(applied.lists.Begin(row) + i));
      }
      maker.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, maker.Finish(*type, applied.lists.values()));
    return arrow::Datum(std::move(result));
  };
  return MakeHigherOrder(input, {array, lambda}, type, array->nullable(), kernel);
}

// exists looks for a true, forall for a false; where there is none, a NULL makes the answer NULL.
template <bool kExists>
arrow::Result<ExpressionPtr> BindQuantifier(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectArray(input, 0));
  ARROW_RETURN_NOT_OK(ExpectLambdaResult(input, 1, types::Boolean()));
  const ExpressionPtr& array = input.arguments[0];
  ARROW_ASSIGN_OR_RAISE(auto parameters, ElementParameters(input.arguments, 1, 1));
  auto lambda = AsLambda(input.arguments[1], parameters);
  auto kernel = [](const EvalContext& context, const arrow::RecordBatch& batch,
                   const std::vector<arrow::Datum>& arguments,
                   const std::vector<const LambdaFunction*>& lambdas) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Applied applied, ApplyToArrays(context, batch, arguments, lambdas));
    arrow::BooleanBuilder builder(context.memory_pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(batch.num_rows()));
    bool untyped = applied.results->type_id() == arrow::Type::NA;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (applied.lists.IsNull(row)) {
        builder.UnsafeAppendNull();
        continue;
      }
      bool decided = false, has_null = false;
      for (int64_t i = applied.elements.offsets[static_cast<size_t>(row)];
           i < applied.elements.offsets[static_cast<size_t>(row) + 1]; ++i) {
        if (untyped || applied.results->IsNull(i)) {
          has_null = true;
        } else {
          decided = decided || IsTrue(*applied.results, i) == kExists;
        }
      }
      if (!decided && has_null) {
        builder.UnsafeAppendNull();
      } else {
        builder.UnsafeAppend(decided == kExists);
      }
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, builder.Finish());
    return arrow::Datum(std::move(result));
  };
  return MakeHigherOrder(input, {array, lambda}, types::Boolean(), array->nullable() || lambda->nullable(), kernel);
}

}  // namespace

extern const FunctionDef kTransform{.name = "transform",
                                    .family = "collection",
                                    .description = "The array of the lambda's value for each element (and its index).",
                                    .example = "transform(array(1, 2, 3), x -> x + 1)",
                                    .example_result = "[2, 3, 4]",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = BindTransform,
                                    .lambda_parameters = ElementParameters};

extern const FunctionDef kFilter{.name = "filter",
                                 .family = "collection",
                                 .description = "The elements for which the lambda is true.",
                                 .example = "filter(array(1, 2, 3), x -> x % 2 == 1)",
                                 .example_result = "[1, 3]",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = BindFilter,
                                 .lambda_parameters = ElementParameters};

extern const FunctionDef kExists{.name = "exists",
                                 .family = "collection",
                                 .description = "Whether the lambda is true for an element.",
                                 .example = "exists(array(1, 2, 3), x -> x % 2 == 0)",
                                 .example_result = "true",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = BindQuantifier<true>,
                                 .lambda_parameters = ElementParameters};

extern const FunctionDef kForAll{.name = "forall",
                                 .family = "collection",
                                 .description = "Whether the lambda is true for every element.",
                                 .example = "forall(array(1, 2, 3), x -> x % 2 == 0)",
                                 .example_result = "false",
                                 .min_arguments = 2,
                                 .max_arguments = 2,
                                 .bind = BindQuantifier<false>,
                                 .lambda_parameters = ElementParameters};

}  // namespace millrace::function
