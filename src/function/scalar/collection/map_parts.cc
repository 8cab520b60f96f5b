#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"
#include "function/scalar/collection/map_keys_check.h"
#include "types/arrow_type.h"

/// Maps taken apart and put together.

namespace millrace::function {

namespace {

using types::TypeId;

enum class Parts : uint8_t { kKeys, kValues, kEntries };

template <Parts kParts>
arrow::Result<ExpressionPtr> BindParts(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectMap(input, 0));
  const ExpressionPtr& map = input.arguments[0];
  const DataTypePtr& from = map->type();
  DataTypePtr type;
  switch (kParts) {
    case Parts::kKeys:
      type = types::Array(from->key(), false);
      break;
    case Parts::kValues:
      type = types::Array(from->value(), from->value_contains_null());
      break;
    case Parts::kEntries:
      type = types::Array(
          types::Struct({{"key", from->key(), false, {}}, {"value", from->value(), from->value_contains_null(), {}}}),
          false);
  }
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(ListColumn maps, ListColumn::Make(columns[0], n, context.memory_pool));
    std::shared_ptr<arrow::Array> elements = kParts == Parts::kKeys     ? maps.keys()
                                             : kParts == Parts::kValues ? maps.items()
                                                                        : maps.values();
    // The offsets are the map's own.
    std::shared_ptr<arrow::ArrayData> list = maps.list()->data()->Copy();
    list->type = types::ToArrow(*type);
    list->child_data = {expression::WithType(elements->data(), list->type->field(0)->type())};
    return arrow::MakeArray(std::move(list));
  });
  return MakeCall(input, {map}, type, map->nullable(), kernel);
}

arrow::Result<ExpressionPtr> BindContainsKey(const BindInput& input) {
  const ExpressionPtr& map = input.arguments[0];
  const ExpressionPtr& key = input.arguments[1];
  if (map->type()->id() == TypeId::kMap && key->type()->id() == TypeId::kNull) return NullTypeArgument(input);
  std::optional<DataTypePtr> common;
  if (map->type()->id() == TypeId::kMap) common = expression::TightestCommonType(map->type()->key(), key->type());
  // A whole number meets a decimal as a decimal.
  bool numbers = map->type()->id() == TypeId::kMap && map->type()->key()->is_numeric() && key->type()->is_numeric();
  if (!common && numbers) common = expression::WiderType(map->type()->key(), key->type());
  if (!common) {
    return UserError("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                   {"functionName", QuoteIdentifier(input.def.name)},
                                                                   {"dataType", QuoteSqlType("MAP")},
                                                                   {"leftType", QuoteSqlType(map->type()->Sql())},
                                                                   {"rightType", QuoteSqlType(key->type()->Sql())}});
  }
  auto kernel = ArrayKernel([key_type = *common](const EvalContext& context, const arrow::ArrayVector& columns,
                                                 int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(ListColumn maps, ListColumn::Make(columns[0], n, context.memory_pool));
    std::shared_ptr<arrow::Array> keys = maps.keys();
    arrow::BooleanBuilder builder(context.memory_pool);
    for (int64_t row = 0; row < n; ++row) {
      if (maps.IsNull(row) || columns[1]->IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      bool found = false;
      for (int64_t i = maps.Begin(row); i < maps.End(row) && !found; ++i) {
        found = expression::ValuesEqual(*key_type, *keys->data(), i, *columns[1]->data(), row);
      }
      ARROW_RETURN_NOT_OK(builder.Append(found));
    }
    return builder.Finish();
  });
  ExpressionPtr coerced =
      expression::ImplicitCast(map, types::Map(*common, map->type()->value(), map->type()->value_contains_null()));
  // Spark searches the keys with a comparison that may be NULL.
  return MakeCall(input, {std::move(coerced), expression::ImplicitCast(key, *common)}, types::Boolean(), true, kernel);
}

arrow::Result<std::shared_ptr<arrow::Array>> Concat(const EvalContext& context, const arrow::ArrayVector& columns,
                                                    int64_t n, const types::DataType& type, MapKeyPolicy policy) {
  std::vector<ListColumn> maps;
  arrow::ArrayVector keys, values;
  std::vector<int64_t> bases;
  int64_t base = 0;
  for (const auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(ListColumn map, ListColumn::Make(column, n, context.memory_pool));
    keys.push_back(map.keys());
    values.push_back(arrow::MakeArray(expression::WithType(map.items()->data(), types::ToArrow(*type.value()))));
    bases.push_back(base);
    base += map.values()->length();
    maps.push_back(std::move(map));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> all_keys, arrow::Concatenate(keys, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> all_values, arrow::Concatenate(values, context.memory_pool));
  ListMaker maker(n, context.memory_pool);
  arrow::Int64Builder places(context.memory_pool);
  std::vector<std::pair<int64_t, int64_t>> rows;
  for (int64_t row = 0; row < n; ++row) {
    bool null = false;
    for (const ListColumn& map : maps) null = null || map.IsNull(row);
    int64_t begin = places.length();
    if (null) {
      maker.SetAdded(begin);
      maker.NullRow();
      continue;
    }
    for (size_t m = 0; m < maps.size(); ++m) {
      for (int64_t i = maps[m].Begin(row); i < maps[m].End(row); ++i) ARROW_RETURN_NOT_OK(places.Append(bases[m] + i));
    }
    rows.emplace_back(begin, places.length());
    maker.SetAdded(places.length());
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> out_keys, Gather(*all_keys, *indices, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> out_values, Gather(*all_values, *indices, context.memory_pool));
  for (auto [begin, end] : rows) ARROW_RETURN_NOT_OK(CheckMapKeys(context, *type.key(), *out_keys, begin, end, policy));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> made, FinishMaps(context, type, &maker, out_keys, out_values));
  return DistinctKeys(context, type, std::move(made), policy);
}

arrow::Result<ExpressionPtr> BindConcat(const BindInput& input) {
  std::string list;
  bool all_maps = true, nullable = false, value_nullable = false;
  std::vector<DataTypePtr> argument_types;
  for (const ExpressionPtr& argument : input.arguments) {
    all_maps = all_maps && argument->type()->id() == TypeId::kMap;
    nullable = nullable || argument->nullable();
    list += (list.empty() ? "" : ", ") + QuoteSqlType(argument->type()->Sql());
    argument_types.push_back(argument->type());
    if (all_maps) value_nullable = value_nullable || argument->type()->value_contains_null();
  }
  std::optional<DataTypePtr> common;
  if (all_maps && !argument_types.empty()) common = expression::WiderType(argument_types);
  if (input.arguments.empty()) common = types::Map(types::String(), types::String(), false);
  if (!common) {
    if (all_maps) {
      std::string choice;
      for (const DataTypePtr& type : argument_types) {
        choice += (choice.empty() ? "" : " or ") + QuoteSqlType(type->Sql());
      }
      return UserError("DATATYPE_MISMATCH.DATA_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                             {"functionName", QuoteIdentifier("map_concat")},
                                                             {"dataType", "(" + choice + ")"}});
    }
    return UserError("DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                 {"functionName", QuoteIdentifier("map_concat")},
                                                                 {"dataType", "[" + list + "]"}});
  }
  DataTypePtr type = types::Map((*common)->key(), (*common)->value(), value_nullable);
  if (input.arguments.empty()) {
    auto kernel = [type](const EvalContext& context, const std::vector<arrow::Datum>&,
                         int64_t num_rows) -> arrow::Result<arrow::Datum> {
      ListMaker maker(num_rows, context.memory_pool);
      for (int64_t row = 0; row < num_rows; ++row) maker.EndRow();
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> none, arrow::MakeEmptyArray(arrow::utf8()));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> maps, FinishMaps(context, *type, &maker, none, none));
      return arrow::Datum(std::move(maps));
    };
    return MakeCall(input, {}, type, false, kernel);
  }
  ExpressionVector arguments;
  for (const ExpressionPtr& argument : input.arguments)
    arguments.push_back(expression::ImplicitCast(argument, *common));
  auto kernel = ArrayKernel(
      [type, policy = CurrentMapKeyPolicy()](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
        return Concat(context, columns, n, *type, policy);
      });
  return MakeCall(input, std::move(arguments), type, nullable, kernel, {.can_fail = true});
}

arrow::Result<std::shared_ptr<arrow::Array>> FromArrays(const EvalContext& context, const arrow::ArrayVector& columns,
                                                        int64_t n, const types::DataType& type, MapKeyPolicy policy) {
  ARROW_ASSIGN_OR_RAISE(ListColumn keys, ListColumn::Make(columns[0], n, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(ListColumn values, ListColumn::Make(columns[1], n, context.memory_pool));
  ListMaker maker(n, context.memory_pool);
  arrow::Int64Builder key_places(context.memory_pool), value_places(context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    if (keys.IsNull(row) || values.IsNull(row)) {
      maker.SetAdded(key_places.length());
      maker.NullRow();
      continue;
    }
    if (keys.Length(row) != values.Length(row)) return UserError("_LEGACY_ERROR_TEMP_2128");
    ARROW_RETURN_NOT_OK(CheckMapKeys(context, *type.key(), *keys.values(), keys.Begin(row), keys.End(row), policy));
    for (int64_t i = 0; i < keys.Length(row); ++i) {
      ARROW_RETURN_NOT_OK(key_places.Append(keys.Begin(row) + i));
      ARROW_RETURN_NOT_OK(value_places.Append(values.Begin(row) + i));
    }
    maker.SetAdded(key_places.length());
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> key_indices, key_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> value_indices, value_places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> k, Gather(*keys.values(), *key_indices, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> v, Gather(*values.values(), *value_indices, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> made, FinishMaps(context, type, &maker, k, v));
  return DistinctKeys(context, type, std::move(made), policy);
}

arrow::Result<ExpressionPtr> BindFromArrays(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr keys, CoerceToArray(input, 0));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr values, CoerceToArray(input, 1));
  ARROW_RETURN_NOT_OK(ExpectMapKeyType(input, keys->type()->element()));
  DataTypePtr type = types::Map(keys->type()->element(), values->type()->element(), values->type()->contains_null());
  bool nullable = keys->nullable() || values->nullable();
  auto kernel = ArrayKernel(
      [type, policy = CurrentMapKeyPolicy()](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
        return FromArrays(context, columns, n, *type, policy);
      });
  return MakeCall(input, {std::move(keys), std::move(values)}, type, nullable, kernel, {.can_fail = true});
}

arrow::Result<std::shared_ptr<arrow::Array>> FromEntries(const EvalContext& context, const arrow::ArrayVector& columns,
                                                         int64_t n, const types::DataType& type, MapKeyPolicy policy) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const auto& entries = static_cast<const arrow::StructArray&>(*lists.values());
  std::shared_ptr<arrow::Array> keys = entries.field(0), values = entries.field(1);
  ListMaker maker(n, context.memory_pool);
  arrow::Int64Builder places(context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    bool null = lists.IsNull(row);
    for (int64_t i = lists.Begin(row); i < lists.End(row) && !null; ++i) null = entries.IsNull(i);
    if (null) {
      maker.SetAdded(places.length());
      maker.NullRow();
      continue;
    }
    ARROW_RETURN_NOT_OK(CheckMapKeys(context, *type.key(), *keys, lists.Begin(row), lists.End(row), policy));
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) ARROW_RETURN_NOT_OK(places.Append(i));
    maker.SetAdded(places.length());
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> k, Gather(*keys, *indices, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> v, Gather(*values, *indices, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> made, FinishMaps(context, type, &maker, k, v));
  return DistinctKeys(context, type, std::move(made), policy);
}

arrow::Result<ExpressionPtr> BindFromEntries(const BindInput& input) {
  const ExpressionPtr& entries = input.arguments[0];
  const DataTypePtr& from = entries->type();
  if (from->id() != TypeId::kArray || from->element()->id() != TypeId::kStruct ||
      from->element()->fields().size() != 2) {
    return UnexpectedInputType(input, 0, "\"ARRAY\" of pair \"STRUCT\"");
  }
  const auto& fields = from->element()->fields();
  ARROW_RETURN_NOT_OK(ExpectMapKeyType(input, fields[0].type));
  DataTypePtr type = types::Map(fields[0].type, fields[1].type, fields[1].nullable);
  bool nullable = entries->nullable() || from->contains_null();
  auto kernel = ArrayKernel(
      [type, policy = CurrentMapKeyPolicy()](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
        return FromEntries(context, columns, n, *type, policy);
      });
  return MakeCall(input, {entries}, type, nullable, kernel, {.can_fail = true});
}

}  // namespace

extern const FunctionDef kMapKeys{.name = "map_keys",
                                  .family = "collection",
                                  .description = "The map's keys.",
                                  .example = "map_keys(map(1, 'a', 2, 'b'))",
                                  .example_result = "[1, 2]",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindParts<Parts::kKeys>};

extern const FunctionDef kMapValues{.name = "map_values",
                                    .family = "collection",
                                    .description = "The map's values.",
                                    .example = "map_values(map(1, 'a', 2, 'b'))",
                                    .example_result = "[a, b]",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindParts<Parts::kValues>};

extern const FunctionDef kMapEntries{.name = "map_entries",
                                     .family = "collection",
                                     .description = "The map's entries as structs of key and value.",
                                     .example = "map_entries(map(1, 'a', 2, 'b'))",
                                     .example_result = "[{1, a}, {2, b}]",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindParts<Parts::kEntries>};

extern const FunctionDef kMapContainsKey{.name = "map_contains_key",
                                         .family = "collection",
                                         .description = "Whether the map holds the key.",
                                         .example = "map_contains_key(map(1, 'a', 2, 'b'), 1)",
                                         .example_result = "true",
                                         .min_arguments = 2,
                                         .max_arguments = 2,
                                         .bind = BindContainsKey};

extern const FunctionDef kMapConcat{.name = "map_concat",
                                    .family = "collection",
                                    .description = "One map of the entries of all.",
                                    .example = "map_concat(map(1, 'a', 2, 'b'), map(3, 'c'))",
                                    .example_result = "{1 -> a, 2 -> b, 3 -> c}",
                                    .min_arguments = 0,
                                    .max_arguments = -1,
                                    .bind = BindConcat};

extern const FunctionDef kMapFromArrays{.name = "map_from_arrays",
                                        .family = "collection",
                                        .description = "A map of an array of keys and an array of values.",
                                        .example = "map_from_arrays(array(1.0, 3.0), array('2', '4'))",
                                        .example_result = "{1.0 -> 2, 3.0 -> 4}",
                                        .min_arguments = 2,
                                        .max_arguments = 2,
                                        .bind = BindFromArrays};

extern const FunctionDef kMapFromEntries{.name = "map_from_entries",
                                         .family = "collection",
                                         .description = "A map of an array of structs of key and value.",
                                         .example = "map_from_entries(array(struct(1, 'a'), struct(2, 'b')))",
                                         .example_result = "{1 -> a, 2 -> b}",
                                         .min_arguments = 1,
                                         .max_arguments = 1,
                                         .bind = BindFromEntries};

}  // namespace millrace::function
