#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/extract_value.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/collection/list_column.h"
#include "types/arrow_type.h"

/// Arrays into one text, and arrays side by side.

namespace millrace::function {

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> Join(const EvalContext& context, const arrow::ArrayVector& columns,
                                                  int64_t n) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const auto& texts = static_cast<const arrow::StringArray&>(*lists.values());
  const auto& delimiters = static_cast<const arrow::StringArray&>(*columns[1]);
  const arrow::StringArray* replacements =
      columns.size() > 2 ? static_cast<const arrow::StringArray*>(columns[2].get()) : nullptr;
  arrow::StringBuilder builder(context.memory_pool);
  std::string text;
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row) || delimiters.IsNull(row) || (replacements != nullptr && replacements->IsNull(row))) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    text.clear();
    bool first = true;
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
      if (texts.IsNull(i) && replacements == nullptr) continue;
      if (!first) text.append(delimiters.GetView(row));
      first = false;
      text.append(texts.IsNull(i) ? replacements->GetView(row) : texts.GetView(i));
    }
    ARROW_RETURN_NOT_OK(builder.Append(text));
  }
  return builder.Finish();
}

arrow::Result<ExpressionPtr> BindJoin(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  DataTypePtr strings = types::Array(types::String(), array->type()->contains_null());
  if (!expression::CanImplicitCast(array->type()->element(), types::String())) {
    return UnexpectedInputType(input, 0, QuoteSqlType("ARRAY<STRING>"));
  }
  ExpressionVector arguments{expression::ImplicitCast(array, strings)};
  bool nullable = array->nullable();
  for (size_t i = 1; i < input.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr text, CoerceTo(input, i, types::String()));
    nullable = nullable || text->nullable();
    arguments.push_back(std::move(text));
  }
  return MakeCall(input, std::move(arguments), types::String(), nullable, ArrayKernel(Join));
}

arrow::Result<std::shared_ptr<arrow::Array>> Zip(const EvalContext& context, const arrow::ArrayVector& columns,
                                                 int64_t n, const types::DataType& type) {
  std::vector<ListColumn> lists;
  for (const auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(column, n, context.memory_pool));
    lists.push_back(std::move(list));
  }
  std::vector<std::unique_ptr<arrow::Int64Builder>> places;
  for (size_t i = 0; i < lists.size(); ++i)
    places.push_back(std::make_unique<arrow::Int64Builder>(context.memory_pool));
  ListMaker maker(n, context.memory_pool);
  int64_t added = 0;
  for (int64_t row = 0; row < n; ++row) {
    int64_t length = 0;
    bool null = false;
    for (const ListColumn& list : lists) {
      null = null || list.IsNull(row);
      length = std::max(length, list.Length(row));
    }
    if (!null) {
      added += length;
      for (size_t c = 0; c < lists.size(); ++c) {
        for (int64_t i = 0; i < length; ++i) {
          bool inside = i < lists[c].Length(row);
          ARROW_RETURN_NOT_OK(inside ? places[c]->Append(lists[c].Begin(row) + i) : places[c]->AppendNull());
        }
      }
    }
    maker.SetAdded(added);
    null ? maker.NullRow() : maker.EndRow();
  }
  std::shared_ptr<arrow::DataType> element = types::ToArrow(*type.element());
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (size_t c = 0; c < lists.size(); ++c) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places[c]->Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> child,
                          Gather(*lists[c].values(), *indices, context.memory_pool));
    children.push_back(expression::WithType(child->data(), element->field(static_cast<int>(c))->type()));
  }
  return maker.FinishWith(type,
                          arrow::MakeArray(arrow::ArrayData::Make(element, added, {nullptr}, std::move(children), 0)));
}

arrow::Result<ExpressionPtr> BindZip(const BindInput& input) {
  ExpressionVector arguments;
  std::vector<types::StructField> fields;
  bool nullable = false;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, i));
    std::string name = std::to_string(i);
    if (array->kind() == expression::ExpressionKind::kAttribute) {
      name = static_cast<const expression::AttributeReference&>(*array).name();
    } else if (array->kind() == expression::ExpressionKind::kAlias) {
      name = static_cast<const expression::Alias&>(*array).name();
    } else if (auto ordinal = StructFieldOrdinal(*array)) {
      name = array->children()[0]->type()->fields()[static_cast<size_t>(*ordinal)].name;
    }
    fields.push_back({std::move(name), array->type()->element(), true, {}});
    nullable = nullable || array->nullable();
    arguments.push_back(std::move(array));
  }
  DataTypePtr type = types::Array(types::Struct(std::move(fields)), false);
  auto kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
    return Zip(context, columns, n, *type);
  });
  return MakeCall(input, std::move(arguments), type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kArrayJoin{
    .name = "array_join",
    .family = "collection",
    .description = "The elements as one text, a delimiter between them; NULLs left out or replaced.",
    .example = "array_join(array('hello', NULL, 'world'), ' ', ',')",
    .example_result = "hello , world",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = BindJoin};

extern const FunctionDef kArraysZip{.name = "arrays_zip",
                                    .family = "collection",
                                    .description = "An array of structs of the i-th elements of all arrays.",
                                    .example = "arrays_zip(array(1, 2, 3), array(2, 3, 4))",
                                    .example_result = "[{1, 2}, {2, 3}, {3, 4}]",
                                    .min_arguments = 0,
                                    .max_arguments = -1,
                                    .bind = BindZip};

}  // namespace millrace::function
