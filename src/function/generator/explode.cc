#include "base/error.h"
#include "expression/generator.h"
#include "function/scalar/collection/list_column.h"

/// explode, posexplode and inline: a row for each element of an array or map.

namespace millrace::function {

namespace {

using expression::Generated;
using expression::GeneratorCall;
using types::StructField;
using types::TypeId;

// Which element each output row shows; -1 for the empty row of OUTER variants.
struct Places {
  std::shared_ptr<arrow::Array> input_rows;
  std::shared_ptr<arrow::Array> elements;
  std::shared_ptr<arrow::Array> positions;
};

arrow::Result<Places> FindPlaces(const ListColumn& lists, bool outer, arrow::MemoryPool* pool) {
  arrow::Int32Builder rows(pool), positions(pool);
  arrow::Int64Builder elements(pool);
  int64_t expected = lists.values()->length() + (outer ? lists.num_rows() : 0);
  ARROW_RETURN_NOT_OK(rows.Reserve(expected));
  ARROW_RETURN_NOT_OK(positions.Reserve(expected));
  ARROW_RETURN_NOT_OK(elements.Reserve(expected));
  for (int64_t row = 0; row < lists.num_rows(); ++row) {
    bool null = lists.IsNull(row);
    int64_t begin = lists.Begin(row), end = null ? begin : lists.End(row);
    // A scalar list is repeated, so the elements may be more than were reserved.
    ARROW_RETURN_NOT_OK(rows.Reserve(end - begin + 1));
    ARROW_RETURN_NOT_OK(positions.Reserve(end - begin + 1));
    ARROW_RETURN_NOT_OK(elements.Reserve(end - begin + 1));
    if (outer && begin == end) {
      rows.UnsafeAppend(static_cast<int32_t>(row));
      elements.UnsafeAppendNull();
      positions.UnsafeAppendNull();
    }
    for (int64_t i = begin; i < end; ++i) {
      rows.UnsafeAppend(static_cast<int32_t>(row));
      elements.UnsafeAppend(i);
      positions.UnsafeAppend(static_cast<int32_t>(i - begin));
    }
  }
  Places places;
  ARROW_ASSIGN_OR_RAISE(places.input_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(places.elements, elements.Finish());
  ARROW_ASSIGN_OR_RAISE(places.positions, positions.Finish());
  return places;
}

template <bool kOuter, bool kPosition>
arrow::Result<ExpressionPtr> BindExplode(const BindInput& input) {
  const ExpressionPtr& argument = input.arguments[0];
  const DataTypePtr& type = argument->type();
  std::vector<StructField> output;
  if (kPosition) output.push_back({"pos", types::Integer(), kOuter, {}});
  bool is_map = type->id() == TypeId::kMap;
  if (is_map) {
    output.push_back({"key", type->key(), kOuter, {}});
    output.push_back({"value", type->value(), kOuter || type->value_contains_null(), {}});
  } else if (type->id() == TypeId::kArray) {
    output.push_back({"col", type->element(), kOuter || type->contains_null(), {}});
  } else {
    return UnexpectedInputType(input, 0, "(\"ARRAY\" or \"MAP\")");
  }
  auto kernel = [is_map](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                         int64_t num_rows) -> arrow::Result<Generated> {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arguments[0], num_rows, context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(Places places, FindPlaces(lists, kOuter, context.memory_pool));
    Generated generated{.input_rows = places.input_rows, .columns = {}};
    if (kPosition) generated.columns.push_back(places.positions);
    arrow::ArrayVector sources;
    if (is_map) {
      sources = {lists.keys(), lists.items()};
    } else {
      sources = {lists.values()};
    }
    for (const auto& source : sources) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column,
                            Gather(*source, *places.elements, context.memory_pool));
      generated.columns.push_back(std::move(column));
    }
    return generated;
  };
  return std::make_shared<GeneratorCall>(std::string(input.name), std::move(output), kernel,
                                         ExpressionVector{argument});
}

template <bool kOuter>
arrow::Result<ExpressionPtr> BindInline(const BindInput& input) {
  const ExpressionPtr& argument = input.arguments[0];
  const DataTypePtr& type = argument->type();
  if (type->id() != TypeId::kArray || type->element()->id() != TypeId::kStruct) {
    return UnexpectedInputType(input, 0, QuoteSqlType("ARRAY<STRUCT>"));
  }
  std::vector<StructField> output = type->element()->fields();
  for (StructField& field : output) field.nullable = field.nullable || kOuter || type->contains_null();
  auto kernel = [](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                   int64_t num_rows) -> arrow::Result<Generated> {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arguments[0], num_rows, context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(Places places, FindPlaces(lists, kOuter, context.memory_pool));
    Generated generated{.input_rows = places.input_rows, .columns = {}};
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector fields,
                          static_cast<const arrow::StructArray&>(*lists.values()).Flatten(context.memory_pool));
    for (const auto& field : fields) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column,
                            Gather(*field, *places.elements, context.memory_pool));
      generated.columns.push_back(std::move(column));
    }
    return generated;
  };
  return std::make_shared<GeneratorCall>(std::string(input.name), std::move(output), kernel,
                                         ExpressionVector{argument});
}

}  // namespace

extern const FunctionDef kExplode{.name = "explode",
                                  .kind = FunctionKind::kGenerator,
                                  .family = "generator",
                                  .description = "A row for each element of an array, or for each entry of a map.",
                                  .example = "explode(array(10, 20))",
                                  .example_result = "",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindExplode<false, false>};

extern const FunctionDef kExplodeOuter{.name = "explode_outer",
                                       .kind = FunctionKind::kGenerator,
                                       .family = "generator",
                                       .description = "As explode, but a row of NULLs for NULL and empty collections.",
                                       .example = "explode_outer(array(10, 20))",
                                       .example_result = "",
                                       .min_arguments = 1,
                                       .max_arguments = 1,
                                       .bind = BindExplode<true, false>};

extern const FunctionDef kPosExplode{.name = "posexplode",
                                     .kind = FunctionKind::kGenerator,
                                     .family = "generator",
                                     .description = "As explode, with the element's position from 0.",
                                     .example = "posexplode(array(10, 20))",
                                     .example_result = "",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindExplode<false, true>};

extern const FunctionDef kPosExplodeOuter{.name = "posexplode_outer",
                                          .kind = FunctionKind::kGenerator,
                                          .family = "generator",
                                          .description = "As explode_outer, with the element's position from 0.",
                                          .example = "posexplode_outer(array(10, 20))",
                                          .example_result = "",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = BindExplode<true, true>};

extern const FunctionDef kInline{.name = "inline",
                                 .kind = FunctionKind::kGenerator,
                                 .family = "generator",
                                 .description = "A row for each struct in an array, a column for each of its fields.",
                                 .example = "inline(array(struct(1, 'a'), struct(2, 'b')))",
                                 .example_result = "",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindInline<false>};

extern const FunctionDef kInlineOuter{.name = "inline_outer",
                                      .kind = FunctionKind::kGenerator,
                                      .family = "generator",
                                      .description = "As inline, but a row of NULLs for NULL and empty arrays.",
                                      .example = "inline_outer(array(struct(1, 'a'), struct(2, 'b')))",
                                      .example_result = "",
                                      .min_arguments = 1,
                                      .max_arguments = 1,
                                      .bind = BindInline<true>};

}  // namespace millrace::function
