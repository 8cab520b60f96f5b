#include "function/scalar/collection/coerce_collection.h"

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"

namespace millrace::function {

using types::TypeId;

arrow::Result<ExpressionPtr> CoerceToArray(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  if (argument->type()->id() == TypeId::kArray) return argument;
  if (argument->type()->id() == TypeId::kNull) {
    return expression::ImplicitCast(argument, types::Array(types::Null(), true));
  }
  return UnexpectedInputType(input, index, QuoteSqlType("ARRAY"));
}

arrow::Result<ExpressionPtr> CoerceTo(const BindInput& input, size_t index, const DataTypePtr& type) {
  if (!expression::CanImplicitCast(input.arguments[index]->type(), type)) {
    return UnexpectedInputType(input, index, QuoteSqlType(type->Sql()));
  }
  return expression::ImplicitCast(input.arguments[index], type);
}

arrow::Status NullTypeArgument(const BindInput& input) {
  return UserError("DATATYPE_MISMATCH.NULL_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                   {"functionName", QuoteIdentifier(input.def.name)}});
}

arrow::Result<ArrayAndValue> CoerceArrayAndValue(const BindInput& input, size_t array_index, size_t value_index) {
  const ExpressionPtr& array = input.arguments[array_index];
  const ExpressionPtr& value = input.arguments[value_index];
  std::optional<DataTypePtr> common;
  if (array->type()->id() == TypeId::kArray) {
    common = array->type()->element()->EqualsIgnoreNullability(*value->type())
                 ? array->type()->element()
                 : expression::TightestCommonType(array->type()->element(), value->type());
  }
  if (!common) {
    return UserError("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                      {"functionName", QuoteIdentifier(input.def.name)},
                      {"dataType", QuoteSqlType("ARRAY")},
                      {"leftType", QuoteSqlType(array->type()->Sql())},
                      {"rightType", QuoteSqlType(value->type()->Sql())}});
  }
  return ArrayAndValue{expression::ImplicitCast(array, types::Array(*common, array->type()->contains_null())),
                       expression::ImplicitCast(value, *common)};
}

arrow::Result<ArrayAndValue> CoerceSearch(const BindInput& input) {
  for (const ExpressionPtr& argument : input.arguments) {
    if (argument->type()->id() == TypeId::kNull &&
        (&argument == &input.arguments[0] || input.def.name == "array_contains")) {
      return NullTypeArgument(input);
    }
  }
  if (input.arguments[0]->type()->id() != TypeId::kArray) return UnexpectedInputType(input, 0, QuoteSqlType("ARRAY"));
  return CoerceArrayAndValue(input, 0, 1);
}

arrow::Result<std::pair<ExpressionPtr, ExpressionPtr>> CoerceTwoArrays(const BindInput& input) {
  const ExpressionPtr& left = input.arguments[0];
  const ExpressionPtr& right = input.arguments[1];
  std::optional<DataTypePtr> common;
  if (left->type()->id() == TypeId::kArray && right->type()->id() == TypeId::kArray) {
    common = expression::TightestCommonType(left->type()->element(), right->type()->element());
  }
  if (!common) {
    return UserError("DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                   {"functionName", QuoteIdentifier(input.def.name)},
                                                                   {"arrayType", QuoteSqlType("ARRAY")},
                                                                   {"leftType", QuoteSqlType(left->type()->Sql())},
                                                                   {"rightType", QuoteSqlType(right->type()->Sql())}});
  }
  return std::pair{expression::ImplicitCast(left, types::Array(*common, left->type()->contains_null())),
                   expression::ImplicitCast(right, types::Array(*common, right->type()->contains_null()))};
}

arrow::Status ExpectOrderable(const BindInput& input, const DataTypePtr& type, const DataTypePtr& shown) {
  if (expression::IsOrderable(*type)) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                               {"functionName", QuoteIdentifier(input.def.name)},
                                                               {"dataType", QuoteSqlType(shown->Sql())}});
}

}  // namespace millrace::function
