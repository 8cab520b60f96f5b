#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "function/scalar/higher_order/lambda_arguments.h"
#include "types/arrow_type.h"

/// aggregate (reduce): an array folded into one value.

namespace millrace::function {

namespace {

arrow::Result<std::vector<types::StructField>> FoldParameters(const ExpressionVector& arguments, int argument_index,
                                                              int) {
  const DataTypePtr& type = arguments[0]->type();
  if (type->id() != types::TypeId::kArray) return NotACollection(arguments, 0, "ARRAY");
  types::StructField accumulator{"acc", arguments[1]->type(), true, {}};
  if (argument_index == 3) return std::vector<types::StructField>{accumulator};
  return std::vector<types::StructField>{accumulator, {"x", type->element(), type->contains_null(), {}}};
}

// Step j folds the j-th elements of all rows that have one.
arrow::Result<std::shared_ptr<arrow::Array>> Fold(const EvalContext& context, const arrow::RecordBatch& input,
                                                  const ListColumn& lists, std::shared_ptr<arrow::Array> accumulators,
                                                  const LambdaFunction& merge) {
  arrow::MemoryPool* pool = context.memory_pool;
  int64_t longest = 0;
  for (int64_t row = 0; row < lists.num_rows(); ++row) {
    if (!lists.IsNull(row)) longest = std::max(longest, lists.Length(row));
  }
  for (int64_t step = 0; step < longest; ++step) {
    arrow::Int32Builder rows(pool);
    arrow::Int64Builder places(pool), next(pool);
    for (int64_t row = 0; row < lists.num_rows(); ++row) {
      bool active = !lists.IsNull(row) && step < lists.Length(row);
      ARROW_RETURN_NOT_OK(next.Append(active ? lists.num_rows() + rows.length() : row));
      if (!active) continue;
      ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(row)));
      ARROW_RETURN_NOT_OK(places.Append(lists.Begin(row) + step));
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> active_rows, rows.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> element_places, places.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> before, Gather(*accumulators, *active_rows, pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> elements, Gather(*lists.values(), *element_places, pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> after,
                          ApplyToElements(context, merge, input, active_rows, {before, elements}));
    after = arrow::MakeArray(expression::WithType(after->data(), accumulators->type()));
    if (after->length() == accumulators->length()) {
      accumulators = std::move(after);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> both, arrow::Concatenate({accumulators, after}, pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> order, next.Finish());
    ARROW_ASSIGN_OR_RAISE(accumulators, Gather(*both, *order, pool));
  }
  return accumulators;
}

arrow::Result<arrow::Datum> Aggregate(const EvalContext& context, const arrow::RecordBatch& input,
                                      const std::vector<arrow::Datum>& arguments,
                                      const std::vector<const LambdaFunction*>& lambdas) {
  arrow::MemoryPool* pool = context.memory_pool;
  int64_t n = input.num_rows();
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arguments[0], n, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> zeros, expression::ToArray(arguments[1], n, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> accumulators,
                        Fold(context, input, lists, std::move(zeros), *lambdas[0]));
  // Rows whose array is NULL are NULL, whatever `finish` says.
  arrow::Int32Builder rows(pool);
  arrow::Int64Builder places(pool);
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row)) {
      ARROW_RETURN_NOT_OK(places.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(places.Append(rows.length()));
      ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(row)));
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> valid_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> folded, Gather(*accumulators, *valid_rows, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> finished,
                        ApplyToElements(context, *lambdas[1], input, valid_rows, {folded}));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, Gather(*finished, *indices, pool));
  return arrow::Datum(std::move(result));
}

// Equal but for the names of fields and nullability.
bool SameShape(const types::DataType& a, const types::DataType& b) {
  if (a.id() != b.id()) return false;
  if (!a.is_nested()) return a.Equals(b);
  if (a.fields().size() != b.fields().size()) return false;
  for (size_t i = 0; i < a.fields().size(); ++i) {
    if (!SameShape(*a.fields()[i].type, *b.fields()[i].type)) return false;
  }
  return true;
}

arrow::Result<ExpressionPtr> BindFold(const BindInput& input) {
  BindInput full = input;
  const DataTypePtr& zero = full.arguments[1]->type();
  if (full.arguments.size() == 3) {
    auto accumulator =
        std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "id", zero, true);
    full.arguments.push_back(
        std::make_shared<LambdaFunction>(expression::AttributeVector{accumulator}, ExpressionPtr(accumulator)));
  }
  ARROW_RETURN_NOT_OK(ExpectArray(full, 0));
  ARROW_ASSIGN_OR_RAISE(auto merge_parameters, FoldParameters(full.arguments, 2, 2));
  auto merge = AsLambda(full.arguments[2], merge_parameters);
  auto finish = AsLambda(full.arguments[3], {merge_parameters[0]});
  full.arguments[2] = merge;
  full.arguments[3] = finish;
  if (!merge->type()->EqualsIgnoreNullability(*zero)) {
    if (!SameShape(*merge->type(), *zero)) return UnexpectedInputType(full, 2, QuoteSqlType(zero->Sql()));
    // The fields are called otherwise: the names are those of the start value.
    ExpressionPtr body = std::make_shared<expression::Cast>(merge->children()[0], types::AsNullable(zero),
                                                            expression::CastMode::kAnsi, false);
    merge = std::make_shared<LambdaFunction>(merge->parameters(), std::move(body));
    full.arguments[2] = merge;
  }
  bool nullable = full.arguments[0]->nullable() || finish->nullable();
  DataTypePtr type = finish->type();
  return MakeHigherOrder(input, std::move(full.arguments), std::move(type), nullable, Aggregate);
}

}  // namespace

extern const FunctionDef kAggregate{.name = "aggregate",
                                    .aliases = "reduce",
                                    .family = "collection",
                                    .description = "The elements folded into a start value, then finished.",
                                    .example = "aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x, acc -> acc * 10)",
                                    .example_result = "60",
                                    .min_arguments = 3,
                                    .max_arguments = 4,
                                    .bind = BindFold,
                                    .lambda_parameters = FoldParameters};

}  // namespace millrace::function
