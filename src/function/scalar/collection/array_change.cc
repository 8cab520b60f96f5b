#include <arrow/array/concatenate.h>

#include "base/error.h"
#include "expression/query_settings.h"
#include "expression/type_coercion.h"
#include "function/scalar/collection/array_length.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"

/// Arrays with an element more, fewer elements, or in another order.

namespace millrace::function {

namespace {

// Where a new element goes among `size` others.
struct Insertion {
  int64_t at;           ///< index in the result
  int64_t nulls_after;  ///< of the new element, before the old ones (a negative place before the array's begin)
  int64_t nulls_before;
};

// array_insert's place: from 1, or from the end when negative. `counts_from_last`: -1 is before the last element, as
// Spark 3.3 had it.
arrow::Result<Insertion> PlaceOf(int32_t position, int64_t size, bool counts_from_last) {
  if (position == 0) return UserError("INVALID_INDEX_OF_ZERO");
  if (position > 0) {
    int64_t at = position - 1;
    return Insertion{std::min(at, size), 0, std::max<int64_t>(0, at - size)};
  }
  int64_t at = size + (counts_from_last ? 0 : 1) + position;
  if (at >= 0) return Insertion{at, 0, 0};
  return Insertion{0, -at, 0};
}

// Adds one row: the old elements with `value` (an index) put in.
arrow::Status InsertRow(const ListColumn& lists, int64_t row, int64_t value, const Insertion& place, ListMaker* maker) {
  int64_t split = std::min(lists.Begin(row) + place.at, lists.End(row));
  ARROW_RETURN_NOT_OK(maker->AddRange(lists.Begin(row), split));
  for (int64_t i = 0; i < place.nulls_before; ++i) ARROW_RETURN_NOT_OK(maker->AddNull());
  ARROW_RETURN_NOT_OK(maker->Add(value));
  for (int64_t i = 0; i < place.nulls_after; ++i) ARROW_RETURN_NOT_OK(maker->AddNull());
  ARROW_RETURN_NOT_OK(maker->AddRange(split, lists.End(row)));
  maker->EndRow();
  return arrow::Status::OK();
}

enum class Where : uint8_t { kFront, kBack, kPosition };

// Columns: array, value, [position].
arrow::Result<std::shared_ptr<arrow::Array>> Insert(const EvalContext& context, const arrow::ArrayVector& columns,
                                                    int64_t n, const types::DataType& type, Where where,
                                                    bool counts_from_last = false) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  std::shared_ptr<arrow::ArrayData> added = expression::WithType(columns[1]->data(), lists.values()->type());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values,
                        arrow::Concatenate({lists.values(), arrow::MakeArray(added)}, context.memory_pool));
  int64_t base = lists.values()->length();
  ListMaker maker(n, context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || (where == Where::kPosition && columns[2]->IsNull(row))) {
      maker.NullRow();
      continue;
    }
    Insertion place{where == Where::kBack ? lists.Length(row) : 0, 0, 0};
    if (where == Where::kPosition) {
      int32_t position = static_cast<const arrow::Int32Array&>(*columns[2]).Value(row);
      ARROW_ASSIGN_OR_RAISE(place, PlaceOf(position, lists.Length(row), counts_from_last));
      ARROW_RETURN_NOT_OK(
          CheckArrayLength("array_insert", lists.Length(row) + 1 + place.nulls_after + place.nulls_before));
    }
    ARROW_RETURN_NOT_OK(InsertRow(lists, row, base + row, place, &maker));
  }
  return maker.Finish(type, values);
}

template <Where kWhere>
arrow::Result<ExpressionPtr> BindAppend(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ArrayAndValue arguments, CoerceArrayAndValue(input, 0, 1));
  const DataTypePtr& from = arguments.array->type();
  DataTypePtr type = types::Array(from->element(), from->contains_null() || arguments.value->nullable());
  bool nullable = arguments.array->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Insert(context, columns, n, *type, kWhere);
  });
  return MakeCall(input, {arguments.array, arguments.value}, type, nullable, kernel);
}

arrow::Result<ExpressionPtr> BindInsert(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ArrayAndValue arguments, CoerceArrayAndValue(input, 0, 2));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr position, CoerceTo(input, 1, types::Integer()));
  DataTypePtr type = types::Array(arguments.array->type()->element(), true);
  bool nullable = arguments.array->nullable() || position->nullable();
  bool counts_from_last = expression::CurrentQuerySettings().negative_index_in_array_insert;
  auto kernel = ArrayKernel([=](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Insert(context, {columns[0], columns[2], columns[1]}, n, *type, Where::kPosition, counts_from_last);
  });
  return MakeCall(input, {arguments.array, std::move(position), arguments.value}, type, nullable, kernel,
                  {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindCompact(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  DataTypePtr type = types::Array(array->type()->element(), false);
  bool nullable = array->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
    bool untyped = lists.values()->type_id() == arrow::Type::NA;
    ListMaker maker(n, context.memory_pool);
    for (int64_t row = 0; row < n; ++row) {
      if (lists.IsNull(row)) {
        maker.NullRow();
        continue;
      }
      for (int64_t i = lists.Begin(row); i < lists.End(row) && !untyped; ++i) {
        if (lists.values()->IsValid(i)) ARROW_RETURN_NOT_OK(maker.Add(i));
      }
      maker.EndRow();
    }
    return maker.Finish(*type, lists.values());
  });
  return MakeCall(input, {std::move(array)}, type, nullable, kernel);
}

arrow::Result<ExpressionPtr> BindRepeat(const BindInput& input) {
  const ExpressionPtr& value = input.arguments[0];
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr count, CoerceTo(input, 1, types::Integer()));
  DataTypePtr type = types::Array(value->type(), value->nullable());
  bool nullable = count->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& counts = static_cast<const arrow::Int32Array&>(*columns[1]);
    ListMaker maker(n, context.memory_pool);
    for (int64_t row = 0; row < n; ++row) {
      if (counts.IsNull(row)) {
        maker.NullRow();
        continue;
      }
      ARROW_RETURN_NOT_OK(CheckArrayLength("array_repeat", counts.Value(row)));
      for (int32_t i = 0; i < counts.Value(row); ++i) ARROW_RETURN_NOT_OK(maker.Add(row));
      maker.EndRow();
    }
    return maker.Finish(*type, columns[0]);
  });
  return MakeCall(input, {value, std::move(count)}, type, nullable, kernel, {.can_fail = true});
}

arrow::Status InvalidSlice(std::string_view condition, std::string_view parameter, int32_t length) {
  return UserError(condition, {{"parameter", QuoteIdentifier(parameter)},
                               {"functionName", QuoteIdentifier("slice")},
                               {"length", std::to_string(length)}});
}

arrow::Result<std::shared_ptr<arrow::Array>> Slice(const EvalContext& context, const arrow::ArrayVector& columns,
                                                   int64_t n, const types::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const auto& starts = static_cast<const arrow::Int32Array&>(*columns[1]);
  const auto& lengths = static_cast<const arrow::Int32Array&>(*columns[2]);
  ListMaker maker(n, context.memory_pool);
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || starts.IsNull(row) || lengths.IsNull(row)) {
      maker.NullRow();
      continue;
    }
    int32_t start = starts.Value(row), length = lengths.Value(row);
    if (start == 0) return InvalidSlice("INVALID_PARAMETER_VALUE.START", "start", length);
    if (length < 0) return InvalidSlice("INVALID_PARAMETER_VALUE.LENGTH", "length", length);
    int64_t begin = start > 0 ? lists.Begin(row) + start - 1 : lists.End(row) + start;
    // A start before the array gives nothing, whatever the length.
    if (begin >= lists.Begin(row) && begin < lists.End(row)) {
      ARROW_RETURN_NOT_OK(maker.AddRange(begin, std::min(begin + length, lists.End(row))));
    }
    maker.EndRow();
  }
  return maker.Finish(type, lists.values());
}

arrow::Result<ExpressionPtr> BindSlice(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr start, CoerceTo(input, 1, types::Integer()));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr length, CoerceTo(input, 2, types::Integer()));
  DataTypePtr type = array->type();
  bool nullable = array->nullable() || start->nullable() || length->nullable();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Slice(context, columns, n, *type);
  });
  return MakeCall(input, {std::move(array), std::move(start), std::move(length)}, type, nullable, kernel,
                  {.can_fail = true});
}

arrow::Result<ExpressionPtr> BindFlatten(const BindInput& input) {
  const ExpressionPtr& array = input.arguments[0];
  const DataTypePtr& from = array->type();
  if (from->id() != types::TypeId::kArray || from->element()->id() != types::TypeId::kArray) {
    return UnexpectedInputType(input, 0, "\"ARRAY\" of \"ARRAY\"");
  }
  DataTypePtr type = from->element();
  bool nullable = array->nullable() || from->contains_null();
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns,
                                   int64_t n) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(ListColumn outer, ListColumn::Make(columns[0], n, context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(ListColumn inner,
                          ListColumn::Make(outer.values(), outer.values()->length(), context.memory_pool));
    ListMaker maker(n, context.memory_pool);
    for (int64_t row = 0; row < n; ++row) {
      bool null = outer.IsNull(row);
      for (int64_t i = outer.Begin(row); i < outer.End(row) && !null; ++i) null = inner.IsNull(i);
      if (null) {
        maker.NullRow();
        continue;
      }
      for (int64_t i = outer.Begin(row); i < outer.End(row); ++i) {
        ARROW_RETURN_NOT_OK(maker.AddRange(inner.Begin(i), inner.End(i)));
      }
      maker.EndRow();
    }
    return maker.Finish(*type, inner.values());
  });
  return MakeCall(input, {array}, type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kArrayAppend{.name = "array_append",
                                      .family = "collection",
                                      .description = "The array with an element at its end.",
                                      .example = "array_append(array('b', 'd'), 'd')",
                                      .example_result = "[b, d, d]",
                                      .min_arguments = 2,
                                      .max_arguments = 2,
                                      .bind = BindAppend<Where::kBack>};

extern const FunctionDef kArrayPrepend{.name = "array_prepend",
                                       .family = "collection",
                                       .description = "The array with an element before its first.",
                                       .example = "array_prepend(array('b', 'd'), 'd')",
                                       .example_result = "[d, b, d]",
                                       .min_arguments = 2,
                                       .max_arguments = 2,
                                       .bind = BindAppend<Where::kFront>};

extern const FunctionDef kArrayInsert{.name = "array_insert",
                                      .family = "collection",
                                      .description = "The array with an element at a place from 1, or from the end.",
                                      .example = "array_insert(array(1, 2, 3, 4), 5, 5)",
                                      .example_result = "[1, 2, 3, 4, 5]",
                                      .min_arguments = 3,
                                      .max_arguments = 3,
                                      .bind = BindInsert};

extern const FunctionDef kArrayCompact{.name = "array_compact",
                                       .family = "collection",
                                       .description = "The array without its NULLs.",
                                       .example = "array_compact(array(1, 2, 3, NULL))",
                                       .example_result = "[1, 2, 3]",
                                       .min_arguments = 1,
                                       .max_arguments = 1,
                                       .bind = BindCompact};

extern const FunctionDef kArrayRepeat{.name = "array_repeat",
                                      .family = "collection",
                                      .description = "An array of so many times the value.",
                                      .example = "array_repeat('123', 2)",
                                      .example_result = "[123, 123]",
                                      .min_arguments = 2,
                                      .max_arguments = 2,
                                      .bind = BindRepeat};

extern const FunctionDef kSlice{
    .name = "slice",
    .family = "collection",
    .description = "Part of an array: from a place (from 1, or from the end), so many elements.",
    .example = "slice(array(1, 2, 3, 4), 2, 2)",
    .example_result = "[2, 3]",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = BindSlice};

extern const FunctionDef kFlatten{.name = "flatten",
                                  .family = "collection",
                                  .description = "The elements of the arrays in an array, one after another.",
                                  .example = "flatten(array(array(1, 2), array(3, 4)))",
                                  .example_result = "[1, 2, 3, 4]",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindFlatten};

}  // namespace millrace::function
