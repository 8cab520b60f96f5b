#include <algorithm>

#include "base/error.h"
#include "expression/compare.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"

/// sort_array, and what array_sort does without a comparator.

namespace millrace::function {

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> Sort(const EvalContext& context, const arrow::ArrayVector& columns,
                                                  int64_t n, const types::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const arrow::Array& values = *lists.values();
  bool untyped = values.type_id() == arrow::Type::NA;
  ListMaker maker(n, context.memory_pool);
  std::vector<int64_t> places;
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || columns[1]->IsNull(row)) {
      maker.NullRow();
      continue;
    }
    bool ascending = static_cast<const arrow::BooleanArray&>(*columns[1]).Value(row);
    int64_t num_nulls = 0;
    places.clear();
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
      if (untyped || values.IsNull(i)) {
        ++num_nulls;
      } else {
        places.push_back(i);
      }
    }
    std::stable_sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
      int order = expression::CompareValues(*type.element(), *values.data(), a, *values.data(), b);
      return ascending ? order < 0 : order > 0;
    });
    // NULLs stand where they would if they were smaller than everything.
    for (int64_t i = 0; ascending && i < num_nulls; ++i) ARROW_RETURN_NOT_OK(maker.AddNull());
    for (int64_t place : places) ARROW_RETURN_NOT_OK(maker.Add(place));
    for (int64_t i = 0; !ascending && i < num_nulls; ++i) ARROW_RETURN_NOT_OK(maker.AddNull());
    maker.EndRow();
  }
  return maker.Finish(type, lists.values());
}

arrow::Result<ExpressionPtr> BindSortArray(const BindInput& input) {
  BindInput full = input;
  if (full.arguments.size() == 1) full.arguments.push_back(expression::Literal::Boolean(true));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(full, 0));
  if (full.arguments[1]->type()->id() != types::TypeId::kBoolean) {
    return UnexpectedInputType(full, 1, QuoteSqlType("BOOLEAN"));
  }
  ARROW_RETURN_NOT_OK(ExpectOrderable(full, array->type()->element(), array->type()));
  DataTypePtr type = array->type();
  bool nullable = array->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Sort(context, columns, n, *type);
  });
  return MakeCall(full, {std::move(array), full.arguments[1]}, type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kSortArray{.name = "sort_array",
                                    .family = "collection",
                                    .description = "The array in order; NULLs first, or last when descending.",
                                    .example = "sort_array(array('b', 'd', NULL, 'c', 'a'), true)",
                                    .example_result = "[NULL, a, b, c, d]",
                                    .min_arguments = 1,
                                    .max_arguments = 2,
                                    .bind = BindSortArray};

}  // namespace millrace::function
