#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"

/// One element of an array, one value of a map.

namespace millrace::function {

namespace {

using types::TypeId;

enum class Miss : uint8_t { kRaise, kNull };

arrow::Status OutOfBounds(int32_t index, int64_t size) {
  return UserError("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", {{"indexValue", std::to_string(index)},
                                                         {"arraySize", std::to_string(size)},
                                                         {"ansiConfig", QuoteConf("spark.sql.ansi.enabled")}});
}

// Index from 1, or from the end when negative.
arrow::Result<std::shared_ptr<arrow::Array>> ElementByOrdinal(const EvalContext& context,
                                                              const arrow::ArrayVector& columns, int64_t n, Miss miss) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  expression::FixedColumn<int32_t> ordinals{arrow::Datum(columns[1])};
  arrow::Int64Builder places(context.memory_pool);
  ARROW_RETURN_NOT_OK(places.Reserve(n));
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || ordinals.IsNull(row)) {
      places.UnsafeAppendNull();
      continue;
    }
    int32_t ordinal = ordinals[row];
    int64_t size = lists.Length(row);
    if (std::abs(int64_t{ordinal}) > size) {
      if (miss == Miss::kRaise) return OutOfBounds(ordinal, size);
      places.UnsafeAppendNull();
    } else if (ordinal == 0) {
      return UserError("INVALID_INDEX_OF_ZERO");
    } else {
      places.UnsafeAppend(ordinal > 0 ? lists.Begin(row) + ordinal - 1 : lists.End(row) + ordinal);
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  return Gather(*lists.values(), *indices, context.memory_pool);
}

arrow::Result<std::shared_ptr<arrow::Array>> ValueOfKey(const EvalContext& context, const arrow::ArrayVector& columns,
                                                        int64_t n, const types::DataType& key_type) {
  ARROW_ASSIGN_OR_RAISE(ListColumn maps, ListColumn::Make(columns[0], n, context.memory_pool));
  std::shared_ptr<arrow::Array> keys = maps.keys();
  const arrow::Array& wanted = *columns[1];
  arrow::Int64Builder places(context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    int64_t found = -1;
    if (!maps.IsNull(row) && wanted.IsValid(row)) {
      for (int64_t i = maps.Begin(row); i < maps.End(row) && found < 0; ++i) {
        if (expression::ValuesEqual(key_type, *keys->data(), i, *wanted.data(), row)) found = i;
      }
    }
    ARROW_RETURN_NOT_OK(found < 0 ? places.AppendNull() : places.Append(found));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  return Gather(*maps.items(), *indices, context.memory_pool);
}

arrow::Result<ExpressionPtr> BindOnMap(const BindInput& input) {
  const ExpressionPtr& map = input.arguments[0];
  const ExpressionPtr& key = input.arguments[1];
  const DataTypePtr& type = map->type();
  auto common = expression::TightestCommonType(type->key(), key->type());
  if (!common) {
    return UserError("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                   {"functionName", QuoteIdentifier(input.def.name)},
                                                                   {"dataType", QuoteSqlType("MAP")},
                                                                   {"leftType", QuoteSqlType(type->Sql())},
                                                                   {"rightType", QuoteSqlType(key->type()->Sql())}});
  }
  ExpressionPtr coerced_map =
      expression::ImplicitCast(map, types::Map(*common, type->value(), type->value_contains_null()));
  auto kernel = ArrayKernel([key_type = *common](const EvalContext& context, const arrow::ArrayVector& columns,
                                                 int64_t n) { return ValueOfKey(context, columns, n, *key_type); });
  return MakeCall(input, {std::move(coerced_map), expression::ImplicitCast(key, *common)}, type->value(), true, kernel);
}

template <bool kTry>
arrow::Result<ExpressionPtr> BindElementAt(const BindInput& input) {
  const ExpressionPtr& collection = input.arguments[0];
  if (collection->type()->id() == TypeId::kMap) return BindOnMap(input);
  if (collection->type()->id() != TypeId::kArray) return UnexpectedInputType(input, 0, "(\"ARRAY\" or \"MAP\")");
  TypeId id = input.arguments[1]->type()->id();
  if (id != TypeId::kInteger && id != TypeId::kShort && id != TypeId::kByte && id != TypeId::kNull) {
    return UnexpectedInputType(input, 1, QuoteSqlType("INT"));
  }
  ExpressionPtr ordinal = expression::ImplicitCast(input.arguments[1], types::Integer());
  Miss miss = !kTry && input.context.ansi ? Miss::kRaise : Miss::kNull;
  bool nullable =
      miss == Miss::kNull || collection->type()->contains_null() || collection->nullable() || ordinal->nullable();
  auto kernel = ArrayKernel([miss](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return ElementByOrdinal(context, columns, n, miss);
  });
  return MakeCall(input, {collection, std::move(ordinal)}, collection->type()->element(), nullable, kernel,
                  {.can_fail = true});
}

// Index from 0; NULL outside.
arrow::Result<std::shared_ptr<arrow::Array>> Get(const EvalContext& context, const arrow::ArrayVector& columns,
                                                 int64_t n) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  expression::FixedColumn<int32_t> indices{arrow::Datum(columns[1])};
  arrow::Int64Builder places(context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    bool inside = !lists.IsNull(row) && !indices.IsNull(row) && indices[row] >= 0 && indices[row] < lists.Length(row);
    ARROW_RETURN_NOT_OK(inside ? places.Append(lists.Begin(row) + indices[row]) : places.AppendNull());
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> found, places.Finish());
  return Gather(*lists.values(), *found, context.memory_pool);
}

}  // namespace

extern const FunctionDef kElementAt{
    .name = "element_at",
    .family = "collection",
    .description = "Element of an array by place from 1 (or from the end), value of a map by key.",
    .example = "element_at(array(1, 2, 3), 2)",
    .example_result = "2",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = BindElementAt<false>};

extern const FunctionDef kTryElementAt{.name = "try_element_at",
                                       .family = "collection",
                                       .description = "As element_at, but NULL where there is no such element.",
                                       .example = "try_element_at(array(1, 2, 3), 5)",
                                       .example_result = "NULL",
                                       .min_arguments = 2,
                                       .max_arguments = 2,
                                       .bind = BindElementAt<true>};

extern const FunctionDef kGet{.name = "get",
                              .family = "collection",
                              .description = "Element of an array by index from 0, NULL outside of it.",
                              .example = "get(array(1, 2, 3), 0)",
                              .example_result = "1",
                              .min_arguments = 2,
                              .max_arguments = 2,
                              .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                ARROW_RETURN_NOT_OK(ExpectArray(input, 0));
                                ARROW_ASSIGN_OR_RAISE(ExpressionPtr index, CoerceTo(input, 1, types::Integer()));
                                const ExpressionPtr& array = input.arguments[0];
                                return MakeCall(input, {array, std::move(index)}, array->type()->element(), true,
                                                ArrayKernel(Get));
                              }};

}  // namespace millrace::function
