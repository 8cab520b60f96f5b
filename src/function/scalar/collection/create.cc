#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/extract_value.h"
#include "function/scalar/collection/list_column.h"
#include "function/scalar/collection/map_keys_check.h"
#include "types/arrow_type.h"

/// array(…), map(…), struct(…) and named_struct(…).

namespace millrace::function {

namespace {

using types::StructField;
using types::TypeId;

bool AnyNullable(const ExpressionVector& expressions) {
  for (const ExpressionPtr& expression : expressions) {
    if (expression->nullable()) return true;
  }
  return false;
}

// Row by row, the values of `columns` side by side: a Take over them laid end to end.
arrow::Result<std::shared_ptr<arrow::Array>> Interleave(const arrow::ArrayVector& columns, int64_t n,
                                                        arrow::MemoryPool* pool) {
  if (columns.size() == 1) return columns[0];
  arrow::ArrayVector alike;
  for (const auto& column : columns) {
    alike.push_back(arrow::MakeArray(expression::WithType(column->data(), columns[0]->type())));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> together, arrow::Concatenate(alike, pool));
  arrow::Int64Builder places(pool);
  auto width = static_cast<int64_t>(columns.size());
  ARROW_RETURN_NOT_OK(places.Reserve(n * width));
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t c = 0; c < width; ++c) places.UnsafeAppend(c * n + row);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  return Gather(*together, *indices, pool);
}

void EndRows(int64_t n, int64_t width, ListMaker* maker) {
  for (int64_t row = 0; row < n; ++row) {
    maker->SetAdded((row + 1) * width);
    maker->EndRow();
  }
}

arrow::Result<ExpressionPtr> BindArray(const BindInput& input) {
  if (input.arguments.empty()) {
    DataTypePtr type = types::Array(types::Null(), false);
    auto kernel = [type](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
      return arrow::Datum(
          std::make_shared<arrow::ListScalar>(std::make_shared<arrow::NullArray>(0), types::ToArrow(*type)));
    };
    return MakeCall(input, {}, type, false, kernel);
  }
  ARROW_ASSIGN_OR_RAISE(
      ExpressionVector arguments,
      expression::CoerceToCommonType("array", input.arguments, CallSql(input), expression::TypeListStyle::kChoice));
  DataTypePtr type = types::Array(arguments[0]->type(), AnyNullable(arguments));
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> elements, Interleave(columns, n, context.memory_pool));
    ListMaker maker(n, context.memory_pool);
    EndRows(n, static_cast<int64_t>(columns.size()), &maker);
    return maker.FinishWith(*type, elements);
  });
  return MakeCall(input, std::move(arguments), type, false, kernel);
}

arrow::Result<ExpressionVector> CoerceEntries(const BindInput& input, size_t first, std::string_view condition) {
  ExpressionVector entries;
  for (size_t i = first; i < input.arguments.size(); i += 2) entries.push_back(input.arguments[i]);
  auto coerced = expression::CoerceToCommonType("map", entries, CallSql(input), expression::TypeListStyle::kChoice);
  if (coerced.ok()) return coerced;
  std::string list;
  for (const ExpressionPtr& entry : entries) list += (list.empty() ? "" : ", ") + QuoteSqlType(entry->type()->Sql());
  return UserError(condition, {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                               {"functionName", QuoteIdentifier("map")},
                               {"dataType", "[" + list + "]"}});
}

arrow::Result<std::shared_ptr<arrow::Array>> MakeMaps(const EvalContext& context, const arrow::ArrayVector& columns,
                                                      int64_t n, const types::DataType& type, MapKeyPolicy policy) {
  arrow::ArrayVector key_columns, value_columns;
  for (size_t i = 0; i < columns.size(); ++i) (i % 2 == 0 ? key_columns : value_columns).push_back(columns[i]);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> keys, Interleave(key_columns, n, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, Interleave(value_columns, n, context.memory_pool));
  auto width = static_cast<int64_t>(key_columns.size());
  for (int64_t row = 0; row < n; ++row) {
    ARROW_RETURN_NOT_OK(CheckMapKeys(context, *type.key(), *keys, row * width, (row + 1) * width, policy));
  }
  ListMaker maker(n, context.memory_pool);
  EndRows(n, width, &maker);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> maps, FinishMaps(context, type, &maker, keys, values));
  return DistinctKeys(context, type, std::move(maps), policy);
}

arrow::Result<ExpressionPtr> BindMap(const BindInput& input) {
  if (input.arguments.size() % 2 != 0) return WrongNumArgs("map", "2n (n > 0)", input.arguments.size());
  if (input.arguments.empty()) {
    DataTypePtr type = types::Map(types::Null(), types::Null(), false);
    auto kernel = [type](const EvalContext& context, const std::vector<arrow::Datum>&,
                         int64_t) -> arrow::Result<arrow::Datum> {
      ListMaker maker(1, context.memory_pool);
      maker.EndRow();
      auto none = std::make_shared<arrow::NullArray>(0);
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> map, FinishMaps(context, *type, &maker, none, none));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, map->GetScalar(0));
      return arrow::Datum(std::move(scalar));
    };
    return MakeCall(input, {}, type, false, kernel);
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector keys, CoerceEntries(input, 0, "DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES"));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector values,
                        CoerceEntries(input, 1, "DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES"));
  ARROW_RETURN_NOT_OK(ExpectMapKeyType(input, keys[0]->type()));
  DataTypePtr type = types::Map(keys[0]->type(), values[0]->type(), AnyNullable(values));
  ExpressionVector arguments;
  for (size_t i = 0; i < keys.size(); ++i) {
    arguments.push_back(keys[i]);
    arguments.push_back(values[i]);
  }
  auto kernel = ArrayKernel(
      [type, policy = CurrentMapKeyPolicy()](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
        return MakeMaps(context, columns, n, *type, policy);
      });
  return MakeCall(input, std::move(arguments), type, false, kernel, {.can_fail = true});
}

// A struct of columns `first`, `first + step`, …
ScalarKernel StructKernel(DataTypePtr type, size_t first, size_t step) {
  return [type, first, step, arrow_type = types::ToArrow(*type)](
             const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      std::vector<std::shared_ptr<arrow::ArrayData>> children;
      for (size_t i = first; i < arguments.size(); i += step) {
        ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> child,
                              expression::ToArray(arguments[i], n, context.memory_pool));
        int field = static_cast<int>(children.size());
        children.push_back(expression::WithType(child->data(), arrow_type->field(field)->type()));
      }
      return arrow::Datum(arrow::ArrayData::Make(arrow_type, n, {nullptr}, std::move(children), 0));
    });
  };
}

// What struct(…) calls a field: its column, alias or struct field, else col1, col2, …
std::string FieldName(const expression::Expression& expression, size_t index) {
  switch (expression.kind()) {
    case expression::ExpressionKind::kAlias:
      return static_cast<const expression::Alias&>(expression).name();
    case expression::ExpressionKind::kAttribute:
      return static_cast<const expression::AttributeReference&>(expression).name();
    default:
      break;
  }
  if (auto ordinal = StructFieldOrdinal(expression)) {
    return expression.children()[0]->type()->fields()[static_cast<size_t>(*ordinal)].name;
  }
  return "col" + std::to_string(index + 1);
}

arrow::Result<ExpressionPtr> BindStruct(const BindInput& input) {
  std::vector<StructField> fields;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    const ExpressionPtr& argument = input.arguments[i];
    fields.push_back({FieldName(*argument, i), argument->type(), argument->nullable(), {}});
  }
  DataTypePtr type = types::Struct(std::move(fields));
  return MakeCall(input, input.arguments, type, false, StructKernel(type, 0, 1));
}

arrow::Result<ExpressionPtr> BindNamedStruct(const BindInput& input) {
  if (input.arguments.size() % 2 != 0) return WrongNumArgs("named_struct", "2n (n > 0)", input.arguments.size());
  std::vector<StructField> fields;
  std::string bad_names;
  for (size_t i = 0; i < input.arguments.size(); i += 2) {
    const ExpressionPtr& name = input.arguments[i];
    std::shared_ptr<arrow::Scalar> scalar;
    if (name->foldable() && name->type()->id() == TypeId::kString) {
      ARROW_ASSIGN_OR_RAISE(scalar, expression::EvaluateFoldable(*name, input.context));
    }
    if (scalar == nullptr || !scalar->is_valid) {
      bad_names += (bad_names.empty() ? "" : ", ") + QuoteSqlExpression(name->Sql());
      continue;
    }
    const ExpressionPtr& value = input.arguments[i + 1];
    fields.push_back({std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view()),
                      value->type(),
                      value->nullable(),
                      {}});
  }
  if (!bad_names.empty()) {
    return UserError("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"inputExprs", "[" + bad_names + "]"}});
  }
  DataTypePtr type = types::Struct(std::move(fields));
  return MakeCall(input, input.arguments, type, false, StructKernel(type, 1, 2));
}

}  // namespace

extern const FunctionDef kArray{.name = "array",
                                .family = "collection",
                                .description = "An array of the values.",
                                .example = "array(1, 2, 3)",
                                .example_result = "[1, 2, 3]",
                                .min_arguments = 0,
                                .max_arguments = -1,
                                .bind = BindArray};

extern const FunctionDef kMap{.name = "map",
                              .family = "collection",
                              .description = "A map of keys and values in turn.",
                              .example = "map(1.0, '2', 3.0, '4')",
                              .example_result = "{1.0 -> 2, 3.0 -> 4}",
                              .min_arguments = 0,
                              .max_arguments = -1,
                              .bind = BindMap};

extern const FunctionDef kStruct{.name = "struct",
                                 .family = "collection",
                                 .description = "A struct of the values, named as their columns are.",
                                 .example = "struct(1, 2, 3)",
                                 .example_result = "{1, 2, 3}",
                                 .min_arguments = 0,
                                 .max_arguments = -1,
                                 .bind = BindStruct};

extern const FunctionDef kNamedStruct{.name = "named_struct",
                                      .family = "collection",
                                      .description = "A struct of names and values in turn.",
                                      .example = "named_struct('a', 1, 'b', 2)",
                                      .example_result = "{1, 2}",
                                      .min_arguments = 0,
                                      .max_arguments = -1,
                                      .bind = BindNamedStruct};

}  // namespace millrace::function
