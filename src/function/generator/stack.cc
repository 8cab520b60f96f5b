#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "expression/generator.h"
#include "expression/type_coercion.h"
#include "function/scalar/collection/list_column.h"

namespace millrace::function {

namespace {

using expression::Generated;
using expression::GeneratorCall;

arrow::Status DifferentTypes(const BindInput& input, size_t column, size_t left, size_t right) {
  return UserError("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                    {"columnIndex", std::to_string(column)},
                    {"leftParamIndex", std::to_string(left)},
                    {"leftType", QuoteSqlType(input.arguments[left]->type()->Sql())},
                    {"rightParamIndex", std::to_string(right)},
                    {"rightType", QuoteSqlType(input.arguments[right]->type()->Sql())}});
}

// Column `c` of the output takes, row by row, arguments c, c + width, c + 2 · width, …
arrow::Result<Generated> Stack(const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows,
                               int64_t height, int64_t width) {
  arrow::Int32Builder rows(context.memory_pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(num_rows * height));
  for (int64_t row = 0; row < num_rows; ++row) {
    for (int64_t h = 0; h < height; ++h) rows.UnsafeAppend(static_cast<int32_t>(row));
  }
  Generated generated;
  ARROW_ASSIGN_OR_RAISE(generated.input_rows, rows.Finish());
  for (int64_t c = 0; c < width; ++c) {
    arrow::ArrayVector sources;
    for (int64_t h = 0; h < height; ++h) {
      auto at = static_cast<size_t>(1 + h * width + c);
      if (at >= arguments.size()) break;
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> source,
                            expression::ToArray(arguments[at], num_rows, context.memory_pool));
      sources.push_back(std::move(source));
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> together, arrow::Concatenate(sources, context.memory_pool));
    arrow::Int64Builder places(context.memory_pool);
    for (int64_t row = 0; row < num_rows; ++row) {
      for (int64_t h = 0; h < height; ++h) {
        ARROW_RETURN_NOT_OK(h < static_cast<int64_t>(sources.size()) ? places.Append(h * num_rows + row)
                                                                     : places.AppendNull());
      }
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, Gather(*together, *indices, context.memory_pool));
    generated.columns.push_back(std::move(column));
  }
  return generated;
}

arrow::Result<ExpressionPtr> BindStack(const BindInput& input) {
  const ExpressionPtr& count = input.arguments[0];
  if (count->type()->id() != types::TypeId::kInteger) return UnexpectedInputType(input, 0, QuoteSqlType("INT"));
  if (!count->foldable()) return NonFoldableInput(input, 0, "n", types::Integer());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*count, input.context));
  int32_t height = scalar->is_valid ? static_cast<const arrow::Int32Scalar&>(*scalar).value : 0;
  if (height < 1) {
    return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                              {"exprName", QuoteIdentifier("n")},
                                                              {"valueRange", "(0, 2147483647]"},
                                                              {"currentValue", std::to_string(height)}});
  }
  size_t num_values = input.arguments.size() - 1;
  size_t width = (num_values + static_cast<size_t>(height) - 1) / static_cast<size_t>(height);
  std::vector<types::StructField> output;
  ExpressionVector arguments = input.arguments;
  for (size_t c = 0; c < width; ++c) {
    // The column's type is that of its first value that is not NULL.
    size_t first = 1 + c;
    for (size_t at = 1 + c; at < arguments.size(); at += width) {
      if (arguments[at]->type()->id() != types::TypeId::kNull) {
        first = at;
        break;
      }
    }
    DataTypePtr type = arguments[first]->type();
    for (size_t at = 1 + c; at < arguments.size(); at += width) {
      if (arguments[at]->type()->id() != types::TypeId::kNull &&
          !arguments[at]->type()->EqualsIgnoreNullability(*type)) {
        return DifferentTypes(input, c, first, at);
      }
      arguments[at] = expression::ImplicitCast(arguments[at], type);
    }
    output.push_back({"col" + std::to_string(c), type, true, {}});
  }
  auto kernel = [height, width](const EvalContext& context, const std::vector<arrow::Datum>& values, int64_t num_rows) {
    return Stack(context, values, num_rows, height, static_cast<int64_t>(width));
  };
  return std::make_shared<GeneratorCall>("stack", std::move(output), kernel, std::move(arguments));
}

}  // namespace

extern const FunctionDef kStack{.name = "stack",
                                .kind = FunctionKind::kGenerator,
                                .family = "generator",
                                .description = "The values laid out in n rows.",
                                .example = "stack(2, 1, 2, 3)",
                                .example_result = "",
                                .min_arguments = 2,
                                .max_arguments = -1,
                                .bind = BindStack};

}  // namespace millrace::function
