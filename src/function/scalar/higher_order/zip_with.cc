#include "base/error.h"
#include "function/scalar/higher_order/lambda_arguments.h"

namespace millrace::function {

namespace {

arrow::Result<std::vector<types::StructField>> ZipParameters(const ExpressionVector& arguments, int, int) {
  std::vector<types::StructField> parameters;
  for (size_t i = 0; i < 2; ++i) {
    if (arguments[i]->type()->id() != types::TypeId::kArray) return NotACollection(arguments, i, "ARRAY");
    parameters.push_back({"x", arguments[i]->type()->element(), true, {}});
  }
  return parameters;
}

arrow::Result<arrow::Datum> ZipWith(const EvalContext& context, const arrow::RecordBatch& input,
                                    const std::vector<arrow::Datum>& arguments, const LambdaFunction& lambda,
                                    const types::DataType& type) {
  arrow::MemoryPool* pool = context.memory_pool;
  int64_t n = input.num_rows();
  ARROW_ASSIGN_OR_RAISE(ListColumn left, ListColumn::Make(arguments[0], n, pool));
  ARROW_ASSIGN_OR_RAISE(ListColumn right, ListColumn::Make(arguments[1], n, pool));
  arrow::Int32Builder rows(pool);
  arrow::Int64Builder left_places(pool), right_places(pool);
  ListMaker maker(n, pool);
  for (int64_t row = 0; row < n; ++row) {
    bool null = left.IsNull(row) || right.IsNull(row);
    int64_t length = null ? 0 : std::max(left.Length(row), right.Length(row));
    for (int64_t i = 0; i < length; ++i) {
      ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(row)));
      ARROW_RETURN_NOT_OK(i < left.Length(row) ? left_places.Append(left.Begin(row) + i) : left_places.AppendNull());
      ARROW_RETURN_NOT_OK(i < right.Length(row) ? right_places.Append(right.Begin(row) + i)
                                                : right_places.AppendNull());
    }
    maker.SetAdded(rows.length());
    null ? maker.NullRow() : maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> outer_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> left_indices, left_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> right_indices, right_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> left_values, Gather(*left.values(), *left_indices, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> right_values, Gather(*right.values(), *right_indices, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> results,
                        ApplyToElements(context, lambda, input, outer_rows, {left_values, right_values}));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lists, maker.FinishWith(type, results));
  return arrow::Datum(std::move(lists));
}

arrow::Result<ExpressionPtr> BindZipWith(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectArray(input, 0));
  ARROW_RETURN_NOT_OK(ExpectArray(input, 1));
  ARROW_ASSIGN_OR_RAISE(auto parameters, ZipParameters(input.arguments, 2, 2));
  auto lambda = AsLambda(input.arguments[2], parameters);
  DataTypePtr type = types::Array(lambda->type(), lambda->nullable());
  auto kernel = [type](const EvalContext& context, const arrow::RecordBatch& batch,
                       const std::vector<arrow::Datum>& arguments, const std::vector<const LambdaFunction*>& lambdas) {
    return ZipWith(context, batch, arguments, *lambdas[0], *type);
  };
  bool nullable = input.arguments[0]->nullable() || input.arguments[1]->nullable();
  return MakeHigherOrder(input, {input.arguments[0], input.arguments[1], lambda}, type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kZipWith{
    .name = "zip_with",
    .family = "collection",
    .description = "The lambda's value for the i-th elements of both arrays; the shorter one is filled with NULLs.",
    .example = "zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)",
    .example_result = "[4, 6]",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = BindZipWith,
    .lambda_parameters = ZipParameters};

}  // namespace millrace::function
