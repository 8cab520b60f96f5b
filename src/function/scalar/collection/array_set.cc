#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/element_set.h"
#include "function/scalar/collection/list_column.h"

/// Arrays as sets.

namespace millrace::function {

namespace {

enum class SetOp : uint8_t { kUnion, kIntersect, kExcept };

// Both arrays' elements in one column: those of the second begin at `base`.
struct TwoLists {
  ListColumn left;
  ListColumn right;
  std::shared_ptr<arrow::Array> values;
  int64_t base = 0;
};

arrow::Result<TwoLists> Together(const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
  TwoLists lists;
  ARROW_ASSIGN_OR_RAISE(lists.left, ListColumn::Make(columns[0], n, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(lists.right, ListColumn::Make(columns[1], n, context.memory_pool));
  lists.base = lists.left.values()->length();
  std::shared_ptr<arrow::ArrayData> right =
      expression::WithType(lists.right.values()->data(), lists.left.values()->type());
  ARROW_ASSIGN_OR_RAISE(lists.values,
                        arrow::Concatenate({lists.left.values(), arrow::MakeArray(right)}, context.memory_pool));
  return lists;
}

arrow::Status CombineRow(SetOp op, const TwoLists& lists, int64_t row, ElementSet* other, ElementSet* taken,
                         ListMaker* maker) {
  other->Clear();
  taken->Clear();
  int64_t right_begin = lists.base + lists.right.Begin(row), right_end = lists.base + lists.right.End(row);
  if (op != SetOp::kUnion) {
    for (int64_t i = right_begin; i < right_end; ++i) other->Insert(i);
  }
  for (int64_t i = lists.left.Begin(row); i < lists.left.End(row); ++i) {
    bool wanted = op == SetOp::kUnion || other->Contains(i) == (op == SetOp::kIntersect);
    if (wanted && taken->Insert(i)) ARROW_RETURN_NOT_OK(maker->Add(i));
  }
  if (op == SetOp::kUnion) {
    for (int64_t i = right_begin; i < right_end; ++i) {
      if (taken->Insert(i)) ARROW_RETURN_NOT_OK(maker->Add(i));
    }
  }
  maker->EndRow();
  return arrow::Status::OK();
}

template <SetOp kOp>
arrow::Result<ExpressionPtr> BindSetOp(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto arrays, CoerceTwoArrays(input));
  const DataTypePtr& left = arrays.first->type();
  const DataTypePtr& right = arrays.second->type();
  bool contains_null = kOp == SetOp::kUnion       ? left->contains_null() || right->contains_null()
                       : kOp == SetOp::kIntersect ? left->contains_null() && right->contains_null()
                                                  : left->contains_null();
  DataTypePtr type = types::Array(left->element(), contains_null);
  bool nullable = arrays.first->nullable() || arrays.second->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(TwoLists lists, Together(context, columns, n));
    ElementSet other(*type->element(), *lists.values->data()), taken(*type->element(), *lists.values->data());
    ListMaker maker(n, context.memory_pool);
    for (int64_t row = 0; row < n; ++row) {
      if (lists.left.IsNull(row) || lists.right.IsNull(row)) {
        maker.NullRow();
      } else {
        ARROW_RETURN_NOT_OK(CombineRow(kOp, lists, row, &other, &taken, &maker));
      }
    }
    return maker.Finish(*type, lists.values);
  });
  return MakeCall(input, {arrays.first, arrays.second}, type, nullable, kernel);
}

// NULL where no common element is found but one side holds a NULL and the other is not empty.
arrow::Result<std::shared_ptr<arrow::Array>> Overlap(const EvalContext& context, const arrow::ArrayVector& columns,
                                                     int64_t n, const types::DataType& element) {
  ARROW_ASSIGN_OR_RAISE(TwoLists lists, Together(context, columns, n));
  const arrow::ArrayData& values = *lists.values->data();
  ElementSet seen(element, values);
  arrow::BooleanBuilder builder(context.memory_pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(n));
  for (int64_t row = 0; row < n; ++row) {
    if (lists.left.IsNull(row) || lists.right.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    seen.Clear();
    bool has_null = false, found = false;
    for (int64_t i = lists.left.Begin(row); i < lists.left.End(row); ++i) {
      if (lists.values->IsNull(i)) {
        has_null = true;
      } else {
        seen.Insert(i);
      }
    }
    for (int64_t i = lists.base + lists.right.Begin(row); i < lists.base + lists.right.End(row) && !found; ++i) {
      if (lists.values->IsNull(i)) {
        has_null = true;
      } else {
        found = seen.Contains(i);
      }
    }
    if (!found && has_null && lists.left.Length(row) > 0 && lists.right.Length(row) > 0) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(found);
    }
  }
  return builder.Finish();
}

arrow::Result<ExpressionPtr> BindOverlap(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto arrays, CoerceTwoArrays(input));
  DataTypePtr element = arrays.first->type()->element();
  bool nullable = arrays.first->nullable() || arrays.second->nullable() || arrays.first->type()->contains_null() ||
                  arrays.second->type()->contains_null();
  auto kernel = ArrayKernel([element](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Overlap(context, columns, n, *element);
  });
  return MakeCall(input, {arrays.first, arrays.second}, types::Boolean(), nullable, kernel);
}

arrow::Result<ExpressionPtr> BindDistinct(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  DataTypePtr type = array->type();
  bool nullable = array->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
    ElementSet seen(*type->element(), *lists.values()->data());
    ListMaker maker(n, context.memory_pool);
    for (int64_t row = 0; row < n; ++row) {
      if (lists.IsNull(row)) {
        maker.NullRow();
        continue;
      }
      seen.Clear();
      for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
        if (seen.Insert(i)) ARROW_RETURN_NOT_OK(maker.Add(i));
      }
      maker.EndRow();
    }
    return maker.Finish(*type, lists.values());
  });
  return MakeCall(input, {std::move(array)}, type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kArrayUnion{.name = "array_union",
                                     .family = "collection",
                                     .description = "Elements of either array, each once.",
                                     .example = "array_union(array(1, 2, 3), array(1, 3, 5))",
                                     .example_result = "[1, 2, 3, 5]",
                                     .min_arguments = 2,
                                     .max_arguments = 2,
                                     .bind = BindSetOp<SetOp::kUnion>};

extern const FunctionDef kArrayIntersect{.name = "array_intersect",
                                         .family = "collection",
                                         .description = "Elements of both arrays, each once.",
                                         .example = "array_intersect(array(1, 2, 3), array(1, 3, 5))",
                                         .example_result = "[1, 3]",
                                         .min_arguments = 2,
                                         .max_arguments = 2,
                                         .bind = BindSetOp<SetOp::kIntersect>};

extern const FunctionDef kArrayExcept{
    .name = "array_except",
    .family = "collection",
    .description = "Elements of the first array that are not in the second, each once.",
    .example = "array_except(array(1, 2, 3), array(1, 3, 5))",
    .example_result = "[2]",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = BindSetOp<SetOp::kExcept>};

extern const FunctionDef kArraysOverlap{.name = "arrays_overlap",
                                        .family = "collection",
                                        .description = "Whether two arrays have an element in common that is not NULL.",
                                        .example = "arrays_overlap(array(1, 2, 3), array(3, 4, 5))",
                                        .example_result = "true",
                                        .min_arguments = 2,
                                        .max_arguments = 2,
                                        .bind = BindOverlap};

extern const FunctionDef kArrayDistinct{.name = "array_distinct",
                                        .family = "collection",
                                        .description = "The array's elements, each once.",
                                        .example = "array_distinct(array(1, 2, 3, 3))",
                                        .example_result = "[1, 2, 3]",
                                        .min_arguments = 1,
                                        .max_arguments = 1,
                                        .bind = BindDistinct};

}  // namespace millrace::function
