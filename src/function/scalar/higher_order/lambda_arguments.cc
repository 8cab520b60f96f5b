#include "function/scalar/higher_order/lambda_arguments.h"

#include "base/error.h"
#include "types/arrow_type.h"

namespace millrace::function {

std::shared_ptr<const LambdaFunction> AsLambda(const ExpressionPtr& argument,
                                               const std::vector<types::StructField>& parameters) {
  if (argument->kind() == expression::ExpressionKind::kLambdaFunction) {
    return std::static_pointer_cast<const LambdaFunction>(argument);
  }
  expression::AttributeVector attributes;
  for (const types::StructField& parameter : parameters) {
    attributes.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "unused",
                                                                          parameter.type, parameter.nullable));
  }
  return std::make_shared<LambdaFunction>(std::move(attributes), argument);
}

arrow::Status NotACollection(const ExpressionVector& arguments, size_t index, std::string_view required) {
  constexpr const char* kOrdinals[] = {"first", "second"};
  return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                   {{"sqlExpr", QuoteSqlExpression(arguments[index]->Sql())},
                    {"paramIndex", kOrdinals[index]},
                    {"requiredType", QuoteSqlType(required)},
                    {"inputSql", QuoteSqlExpression(arguments[index]->Sql())},
                    {"inputType", QuoteSqlType(arguments[index]->type()->Sql())}});
}

arrow::Result<std::vector<types::StructField>> ElementParameters(const ExpressionVector& arguments, int,
                                                                 int num_parameters) {
  const DataTypePtr& type = arguments[0]->type();
  if (type->id() != types::TypeId::kArray) return NotACollection(arguments, 0, "ARRAY");
  std::vector<types::StructField> parameters{{"element", type->element(), type->contains_null(), {}}};
  if (num_parameters == 2) parameters.push_back({"index", types::Integer(), false, {}});
  return parameters;
}

arrow::Result<std::vector<types::StructField>> EntryParameters(const ExpressionVector& arguments, int, int) {
  const DataTypePtr& type = arguments[0]->type();
  if (type->id() != types::TypeId::kMap) return NotACollection(arguments, 0, "MAP");
  return std::vector<types::StructField>{{"key", type->key(), false, {}},
                                         {"value", type->value(), type->value_contains_null(), {}}};
}

arrow::Status ExpectLambdaResult(const BindInput& input, size_t index, const DataTypePtr& type) {
  const DataTypePtr& actual = input.arguments[index]->type();
  if (actual->EqualsIgnoreNullability(*type) || actual->id() == types::TypeId::kNull) return arrow::Status::OK();
  return UnexpectedInputType(input, index, QuoteSqlType(type->Sql()));
}

arrow::Result<FlatElements> Flatten(const ListColumn& lists, arrow::MemoryPool* pool) {
  FlatElements elements;
  elements.offsets.reserve(static_cast<size_t>(lists.num_rows()) + 1);
  elements.offsets.push_back(0);
  int64_t total = 0;
  for (int64_t row = 0; row < lists.num_rows(); ++row) {
    if (!lists.IsNull(row)) total += lists.Length(row);
    elements.offsets.push_back(total);
  }
  arrow::Int32Builder rows(pool);
  arrow::Int64Builder places(pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(total));
  ARROW_RETURN_NOT_OK(places.Reserve(total));
  for (int64_t row = 0; row < lists.num_rows(); ++row) {
    if (lists.IsNull(row)) continue;
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
      rows.UnsafeAppend(static_cast<int32_t>(row));
      places.UnsafeAppend(i);
    }
  }
  ARROW_ASSIGN_OR_RAISE(elements.outer_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(elements.places, places.Finish());
  return elements;
}

arrow::Result<std::shared_ptr<arrow::Array>> ElementIndices(const FlatElements& elements, arrow::MemoryPool* pool) {
  arrow::Int32Builder indices(pool);
  ARROW_RETURN_NOT_OK(indices.Reserve(elements.offsets.back()));
  for (size_t row = 0; row + 1 < elements.offsets.size(); ++row) {
    int64_t length = elements.offsets[row + 1] - elements.offsets[row];
    for (int64_t i = 0; i < length; ++i) indices.UnsafeAppend(static_cast<int32_t>(i));
  }
  return indices.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> ApplyToElements(const EvalContext& context, const LambdaFunction& lambda,
                                                             const arrow::RecordBatch& input,
                                                             const std::shared_ptr<arrow::Array>& outer_rows,
                                                             const arrow::ArrayVector& parameters) {
  if (outer_rows->length() == 0) return arrow::MakeEmptyArray(types::ToArrow(*lambda.type()), context.memory_pool);
  arrow::ArrayVector used(parameters.begin(), parameters.begin() + static_cast<int64_t>(lambda.parameters().size()));
  return lambda.Apply(context, input, outer_rows, used);
}

ExpressionPtr MakeHigherOrder(const BindInput& input, ExpressionVector arguments, DataTypePtr type, bool nullable,
                              expression::HigherOrderKernel kernel) {
  return std::make_shared<expression::HigherOrderCall>(std::string(input.name), std::move(kernel), std::move(type),
                                                       nullable, std::move(arguments));
}

}  // namespace millrace::function
