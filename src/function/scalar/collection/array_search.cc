#include "base/error.h"
#include "expression/compare.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"

/// Looking for a value in an array, and its extremes.

namespace millrace::function {

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> Contains(const EvalContext& context, const arrow::ArrayVector& columns,
                                                      int64_t n, const types::DataType& element) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const arrow::Array& wanted = *columns[1];
  arrow::BooleanBuilder builder(context.memory_pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(n));
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || wanted.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    bool found = false, has_null = false;
    for (int64_t i = lists.Begin(row); i < lists.End(row) && !found; ++i) {
      if (lists.values()->IsNull(i)) {
        has_null = true;
      } else {
        found = expression::ValuesEqual(element, *lists.values()->data(), i, *wanted.data(), row);
      }
    }
    if (!found && has_null) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(found);
    }
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> Position(const EvalContext& context, const arrow::ArrayVector& columns,
                                                      int64_t n, const types::DataType& element) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const arrow::Array& wanted = *columns[1];
  arrow::Int64Builder builder(context.memory_pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(n));
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || wanted.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    int64_t position = 0;
    for (int64_t i = lists.Begin(row); i < lists.End(row) && position == 0; ++i) {
      if (lists.values()->IsValid(i) &&
          expression::ValuesEqual(element, *lists.values()->data(), i, *wanted.data(), row)) {
        position = i - lists.Begin(row) + 1;
      }
    }
    builder.UnsafeAppend(position);
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> Remove(const EvalContext& context, const arrow::ArrayVector& columns,
                                                    int64_t n, const types::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const arrow::Array& unwanted = *columns[1];
  ListMaker maker(n, context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || unwanted.IsNull(row)) {
      maker.NullRow();
      continue;
    }
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
      bool equal = lists.values()->IsValid(i) &&
                   expression::ValuesEqual(*type.element(), *lists.values()->data(), i, *unwanted.data(), row);
      if (!equal) ARROW_RETURN_NOT_OK(maker.Add(i));
    }
    maker.EndRow();
  }
  return maker.Finish(type, lists.values());
}

arrow::Result<ExpressionPtr> BindContains(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ArrayAndValue arguments, CoerceSearch(input));
  DataTypePtr element = arguments.value->type();
  ARROW_RETURN_NOT_OK(ExpectOrderable(input, element, element));
  bool nullable =
      arguments.array->nullable() || arguments.value->nullable() || arguments.array->type()->contains_null();
  auto kernel = ArrayKernel([element](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Contains(context, columns, n, *element);
  });
  return MakeCall(input, {arguments.array, arguments.value}, types::Boolean(), nullable, kernel);
}

arrow::Result<ExpressionPtr> BindPosition(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ArrayAndValue arguments, CoerceSearch(input));
  DataTypePtr element = arguments.value->type();
  bool nullable = arguments.array->nullable() || arguments.value->nullable();
  auto kernel = ArrayKernel([element](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Position(context, columns, n, *element);
  });
  return MakeCall(input, {arguments.array, arguments.value}, types::Long(), nullable, kernel);
}

arrow::Result<ExpressionPtr> BindRemove(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ArrayAndValue arguments, CoerceArrayAndValue(input, 0, 1));
  DataTypePtr type = arguments.array->type();
  bool nullable = arguments.array->nullable() || arguments.value->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Remove(context, columns, n, *type);
  });
  return MakeCall(input, {arguments.array, arguments.value}, type, nullable, kernel);
}

template <bool kMax>
arrow::Result<ExpressionPtr> BindExtreme(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  DataTypePtr element = array->type()->element();
  ARROW_RETURN_NOT_OK(ExpectOrderable(input, element, element));
  auto kernel = ArrayKernel([element](const EvalContext& context, const arrow::ArrayVector& columns,
                                      int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
    const arrow::ArrayData& values = *lists.values()->data();
    arrow::Int64Builder places(context.memory_pool);
    ARROW_RETURN_NOT_OK(places.Reserve(n));
    for (int64_t row = 0; row < n; ++row) {
      int64_t best = -1;
      if (!lists.IsNull(row) && element->id() != types::TypeId::kNull) {
        for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
          if (lists.values()->IsNull(i)) continue;
          int order = best < 0 ? 0 : expression::CompareValues(*element, values, i, values, best);
          if (best < 0 || (kMax ? order > 0 : order < 0)) best = i;
        }
      }
      if (best < 0) {
        places.UnsafeAppendNull();
      } else {
        places.UnsafeAppend(best);
      }
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
    return Gather(*lists.values(), *indices, context.memory_pool);
  });
  return MakeCall(input, {std::move(array)}, element, true, kernel);
}

}  // namespace

extern const FunctionDef kArrayContains{.name = "array_contains",
                                        .family = "collection",
                                        .description = "Whether the array holds the value.",
                                        .example = "array_contains(array(1, 2, 3), 2)",
                                        .example_result = "true",
                                        .min_arguments = 2,
                                        .max_arguments = 2,
                                        .bind = BindContains};

extern const FunctionDef kArrayPosition{
    .name = "array_position",
    .family = "collection",
    .description = "Place of the first equal element, from 1; 0 when there is none.",
    .example = "array_position(array(312, 773, 708, 708), 708)",
    .example_result = "3",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = BindPosition};

extern const FunctionDef kArrayRemove{.name = "array_remove",
                                      .family = "collection",
                                      .description = "The array without elements equal to the value.",
                                      .example = "array_remove(array(1, 2, 3, NULL, 3), 3)",
                                      .example_result = "[1, 2, NULL]",
                                      .min_arguments = 2,
                                      .max_arguments = 2,
                                      .bind = BindRemove};

extern const FunctionDef kArrayMax{.name = "array_max",
                                   .family = "collection",
                                   .description = "The array's largest element.",
                                   .example = "array_max(array(1, 20, NULL, 3))",
                                   .example_result = "20",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = BindExtreme<true>};

extern const FunctionDef kArrayMin{.name = "array_min",
                                   .family = "collection",
                                   .description = "The array's smallest element.",
                                   .example = "array_min(array(1, 20, NULL, 3))",
                                   .example_result = "1",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = BindExtreme<false>};

}  // namespace millrace::function
