#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "function/scalar/collection/map_keys_check.h"
#include "function/scalar/higher_order/lambda_arguments.h"

/// map_filter, transform_keys, transform_values and map_zip_with.

namespace millrace::function {

namespace {

enum class MapOp : uint8_t { kFilter, kKeys, kValues };

arrow::Result<arrow::Datum> ApplyToMaps(const EvalContext& context, const arrow::RecordBatch& input,
                                        const std::vector<arrow::Datum>& arguments, const LambdaFunction& lambda,
                                        const types::DataType& type, MapOp op, MapKeyPolicy policy) {
  arrow::MemoryPool* pool = context.memory_pool;
  int64_t n = input.num_rows();
  ARROW_ASSIGN_OR_RAISE(ListColumn maps, ListColumn::Make(arguments[0], n, pool));
  ARROW_ASSIGN_OR_RAISE(FlatElements entries, Flatten(maps, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> keys, Gather(*maps.keys(), *entries.places, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, Gather(*maps.items(), *entries.places, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> results,
                        ApplyToElements(context, lambda, input, entries.outer_rows, {keys, values}));
  ListMaker maker(n, pool);
  if (op != MapOp::kFilter) {
    for (int64_t row = 0; row < n; ++row) {
      int64_t begin = entries.offsets[static_cast<size_t>(row)], end = entries.offsets[static_cast<size_t>(row) + 1];
      if (op == MapOp::kKeys) ARROW_RETURN_NOT_OK(CheckMapKeys(context, *type.key(), *results, begin, end, policy));
      maker.SetAdded(end);
      maps.IsNull(row) ? maker.NullRow() : maker.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> made, op == MapOp::kKeys
                                                                  ? FinishMaps(context, type, &maker, results, values)
                                                                  : FinishMaps(context, type, &maker, keys, results));
    if (op == MapOp::kKeys) {
      ARROW_ASSIGN_OR_RAISE(made, DistinctKeys(context, type, std::move(made), policy));
    }
    return arrow::Datum(std::move(made));
  }
  for (int64_t row = 0; row < n; ++row) {
    if (maps.IsNull(row)) {
      maker.NullRow();
      continue;
    }
    int64_t first = entries.offsets[static_cast<size_t>(row)];
    for (int64_t i = 0; i < maps.Length(row); ++i) {
      bool keep = results->type_id() == arrow::Type::BOOL && results->IsValid(first + i) &&
                  static_cast<const arrow::BooleanArray&>(*results).Value(first + i);
      if (keep) ARROW_RETURN_NOT_OK(maker.Add(maps.Begin(row) + i));
    }
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> filtered, maker.Finish(type, maps.values()));
  return arrow::Datum(std::move(filtered));
}

template <MapOp kOp>
arrow::Result<ExpressionPtr> BindMapLambda(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectMap(input, 0));
  if (kOp == MapOp::kFilter) ARROW_RETURN_NOT_OK(ExpectLambdaResult(input, 1, types::Boolean()));
  const ExpressionPtr& map = input.arguments[0];
  ARROW_ASSIGN_OR_RAISE(auto parameters, EntryParameters(input.arguments, 1, 2));
  auto lambda = AsLambda(input.arguments[1], parameters);
  DataTypePtr type = map->type();
  if (kOp == MapOp::kKeys) {
    ARROW_RETURN_NOT_OK(ExpectMapKeyType(input, lambda->type()));
    type = types::Map(lambda->type(), type->value(), type->value_contains_null());
  } else if (kOp == MapOp::kValues) {
    type = types::Map(type->key(), lambda->type(), lambda->nullable());
  }
  auto kernel = [type, policy = CurrentMapKeyPolicy()](const EvalContext& context, const arrow::RecordBatch& batch,
                                                       const std::vector<arrow::Datum>& arguments,
                                                       const std::vector<const LambdaFunction*>& lambdas) {
    return ApplyToMaps(context, batch, arguments, *lambdas[0], *type, kOp, policy);
  };
  return MakeHigherOrder(input, {map, lambda}, type, map->nullable(), kernel);
}

// What the keys of two maps meet as; null when they do not. A text meets no other type.
DataTypePtr CommonKey(const ExpressionVector& arguments) {
  const DataTypePtr& left = arguments[0]->type()->key();
  const DataTypePtr& right = arguments[1]->type()->key();
  if (left->EqualsIgnoreNullability(*right)) return left;
  if (left->id() == types::TypeId::kString || right->id() == types::TypeId::kString) return nullptr;
  return expression::WiderType(left, right).value_or(nullptr);
}

arrow::Result<std::vector<types::StructField>> MapZipParameters(const ExpressionVector& arguments, int, int) {
  for (size_t i = 0; i < 2; ++i) {
    if (arguments[i]->type()->id() != types::TypeId::kMap) return NotACollection(arguments, i, "MAP");
  }
  DataTypePtr key = CommonKey(arguments);
  return std::vector<types::StructField>{{"key", key == nullptr ? arguments[0]->type()->key() : key, false, {}},
                                         {"value1", arguments[0]->type()->value(), true, {}},
                                         {"value2", arguments[1]->type()->value(), true, {}}};
}

int64_t FindKey(const types::DataType& type, const arrow::Array& keys, int64_t begin, int64_t end,
                const arrow::Array& wanted, int64_t index) {
  for (int64_t i = begin; i < end; ++i) {
    if (expression::ValuesEqual(type, *keys.data(), i, *wanted.data(), index)) return i;
  }
  return -1;
}

// The keys of the first map, then those only the second has.
arrow::Result<arrow::Datum> ZipMaps(const EvalContext& context, const arrow::RecordBatch& input,
                                    const std::vector<arrow::Datum>& arguments, const LambdaFunction& lambda,
                                    const types::DataType& type) {
  arrow::MemoryPool* pool = context.memory_pool;
  int64_t n = input.num_rows();
  ARROW_ASSIGN_OR_RAISE(ListColumn left, ListColumn::Make(arguments[0], n, pool));
  ARROW_ASSIGN_OR_RAISE(ListColumn right, ListColumn::Make(arguments[1], n, pool));
  std::shared_ptr<arrow::Array> left_keys = left.keys(), right_keys = right.keys();
  arrow::Int32Builder rows(pool);
  arrow::Int64Builder left_places(pool), right_places(pool);
  std::unique_ptr<arrow::ArrayBuilder> key_builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, left_keys->type(), &key_builder));
  ListMaker maker(n, pool);
  for (int64_t row = 0; row < n; ++row) {
    bool null = left.IsNull(row) || right.IsNull(row);
    for (int64_t i = left.Begin(row); i < left.End(row) && !null; ++i) {
      int64_t match = FindKey(*type.key(), *right_keys, right.Begin(row), right.End(row), *left_keys, i);
      ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(row)));
      ARROW_RETURN_NOT_OK(left_places.Append(i));
      ARROW_RETURN_NOT_OK(match < 0 ? right_places.AppendNull() : right_places.Append(match));
      ARROW_RETURN_NOT_OK(key_builder->AppendArraySlice(arrow::ArraySpan(*left_keys->data()), i, 1));
    }
    for (int64_t i = right.Begin(row); i < right.End(row) && !null; ++i) {
      if (FindKey(*type.key(), *left_keys, left.Begin(row), left.End(row), *right_keys, i) >= 0) continue;
      ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(row)));
      ARROW_RETURN_NOT_OK(left_places.AppendNull());
      ARROW_RETURN_NOT_OK(right_places.Append(i));
      ARROW_RETURN_NOT_OK(key_builder->AppendArraySlice(arrow::ArraySpan(*right_keys->data()), i, 1));
    }
    maker.SetAdded(rows.length());
    null ? maker.NullRow() : maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> outer_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> left_indices, left_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> right_indices, right_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> keys, key_builder->Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> left_values, Gather(*left.items(), *left_indices, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> right_values, Gather(*right.items(), *right_indices, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> results,
                        ApplyToElements(context, lambda, input, outer_rows, {keys, left_values, right_values}));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> maps, FinishMaps(context, type, &maker, keys, results));
  return arrow::Datum(std::move(maps));
}

arrow::Result<ExpressionPtr> BindMapZipWith(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectMap(input, 0));
  ARROW_RETURN_NOT_OK(ExpectMap(input, 1));
  DataTypePtr key = CommonKey(input.arguments);
  if (key == nullptr) {
    return UserError("DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                      {"functionName", QuoteIdentifier("map_zip_with")},
                      {"leftType", QuoteSqlType(input.arguments[0]->type()->key()->Sql())},
                      {"rightType", QuoteSqlType(input.arguments[1]->type()->key()->Sql())}});
  }
  ExpressionVector maps;
  for (size_t i = 0; i < 2; ++i) {
    const types::DataType& map = *input.arguments[i]->type();
    maps.push_back(
        expression::ImplicitCast(input.arguments[i], types::Map(key, map.value(), map.value_contains_null())));
  }
  ARROW_ASSIGN_OR_RAISE(auto parameters, MapZipParameters(input.arguments, 2, 3));
  auto lambda = AsLambda(input.arguments[2], parameters);
  DataTypePtr type = types::Map(key, lambda->type(), lambda->nullable());
  auto kernel = [type](const EvalContext& context, const arrow::RecordBatch& batch,
                       const std::vector<arrow::Datum>& arguments, const std::vector<const LambdaFunction*>& lambdas) {
    return ZipMaps(context, batch, arguments, *lambdas[0], *type);
  };
  bool nullable = maps[0]->nullable() || maps[1]->nullable();
  return MakeHigherOrder(input, {maps[0], maps[1], lambda}, type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kMapFilter{.name = "map_filter",
                                    .family = "collection",
                                    .description = "The entries for which the lambda is true.",
                                    .example = "map_filter(map(1, 0, 2, 2, 3, -1), (k, v) -> k > v)",
                                    .example_result = "{1 -> 0, 3 -> -1}",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = BindMapLambda<MapOp::kFilter>,
                                    .lambda_parameters = EntryParameters};

extern const FunctionDef kTransformKeys{.name = "transform_keys",
                                        .family = "collection",
                                        .description = "The map with the lambda's value for each key.",
                                        .example = "transform_keys(map(1, 1, 2, 2), (k, v) -> k + 1)",
                                        .example_result = "{2 -> 1, 3 -> 2}",
                                        .min_arguments = 2,
                                        .max_arguments = 2,
                                        .bind = BindMapLambda<MapOp::kKeys>,
                                        .lambda_parameters = EntryParameters};

extern const FunctionDef kTransformValues{.name = "transform_values",
                                          .family = "collection",
                                          .description = "The map with the lambda's value for each value.",
                                          .example = "transform_values(map(1, 1, 2, 2), (k, v) -> v + 1)",
                                          .example_result = "{1 -> 2, 2 -> 3}",
                                          .min_arguments = 2,
                                          .max_arguments = 2,
                                          .bind = BindMapLambda<MapOp::kValues>,
                                          .lambda_parameters = EntryParameters};

extern const FunctionDef kMapZipWith{
    .name = "map_zip_with",
    .family = "collection",
    .description = "The lambda's value for each key of either map and both its values.",
    .example = "map_zip_with(map(1, 'a'), map(1, 'x'), (k, v1, v2) -> concat(v1, v2))",
    .example_result = "{1 -> ax}",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = BindMapZipWith,
    .lambda_parameters = MapZipParameters};

}  // namespace millrace::function
