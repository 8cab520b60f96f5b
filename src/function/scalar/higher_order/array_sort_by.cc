#include <algorithm>

#include "base/error.h"
#include "expression/cast.h"
#include "expression/compare.h"
#include "function/scalar/collection/coerce_collection.h"
#include "function/scalar/higher_order/lambda_arguments.h"

/// array_sort: by the elements' own order, NULLs last, or by a comparator.

namespace millrace::function {

namespace {

arrow::Result<std::vector<types::StructField>> ComparatorParameters(const ExpressionVector& arguments, int, int) {
  const DataTypePtr& type = arguments[0]->type();
  if (type->id() != types::TypeId::kArray) return NotACollection(arguments, 0, "ARRAY");
  types::StructField element{"x", type->element(), type->contains_null(), {}};
  return std::vector<types::StructField>{element, element};
}

arrow::Result<std::shared_ptr<arrow::Array>> SortNaturally(const EvalContext& context,
                                                           const arrow::ArrayVector& columns, int64_t n,
                                                           const types::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(columns[0], n, context.memory_pool));
  const arrow::Array& values = *lists.values();
  bool untyped = values.type_id() == arrow::Type::NA;
  ListMaker maker(n, context.memory_pool);
  std::vector<int64_t> places;
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row)) {
      maker.NullRow();
      continue;
    }
    places.clear();
    for (int64_t i = lists.Begin(row); i < lists.End(row); ++i) {
      if (!untyped && values.IsValid(i)) places.push_back(i);
    }
    std::stable_sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
      return expression::CompareValues(*type.element(), *values.data(), a, *values.data(), b) < 0;
    });
    for (int64_t place : places) ARROW_RETURN_NOT_OK(maker.Add(place));
    for (auto i = static_cast<int64_t>(places.size()); i < lists.Length(row); ++i) ARROW_RETURN_NOT_OK(maker.AddNull());
    maker.EndRow();
  }
  return maker.Finish(type, lists.values());
}

arrow::Status ComparatorReturnedNull(const EvalContext& context, const types::DataType& element,
                                     const arrow::Array& values, int64_t index) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> shown,
                        expression::ToPrettyStrings(context, *values.Slice(index, 1), element));
  // Spark names the first value twice.
  std::string value = static_cast<const arrow::StringArray&>(*shown).GetString(0);
  return UserError("COMPARATOR_RETURNS_NULL", {{"firstValue", value}, {"secondValue", value}});
}

// The comparator's answers for all pairs of one row's elements, asked in one go.
arrow::Result<std::vector<int32_t>> ComparePairs(const EvalContext& context, const arrow::RecordBatch& input,
                                                 const LambdaFunction& comparator, const ListColumn& lists, int64_t row,
                                                 const types::DataType& element) {
  arrow::MemoryPool* pool = context.memory_pool;
  arrow::Int32Builder rows(pool);
  arrow::Int64Builder left(pool), right(pool);
  int64_t length = lists.Length(row);
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      ARROW_RETURN_NOT_OK(rows.Append(static_cast<int32_t>(row)));
      ARROW_RETURN_NOT_OK(left.Append(lists.Begin(row) + i));
      ARROW_RETURN_NOT_OK(right.Append(lists.Begin(row) + j));
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> outer_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> left_places, left.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> right_places, right.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> left_values, Gather(*lists.values(), *left_places, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> right_values, Gather(*lists.values(), *right_places, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> answers,
                        ApplyToElements(context, comparator, input, outer_rows, {left_values, right_values}));
  const auto& orders = static_cast<const arrow::Int32Array&>(*answers);
  std::vector<int32_t> result(static_cast<size_t>(orders.length()));
  for (int64_t i = 0; i < orders.length(); ++i) {
    if (orders.IsNull(i) && length > 1) {
      return ComparatorReturnedNull(context, element, *lists.values(), lists.Begin(row) + 1);
    }
    result[static_cast<size_t>(i)] = orders.IsNull(i) ? 0 : orders.Value(i);
  }
  return result;
}

arrow::Result<arrow::Datum> SortBy(const EvalContext& context, const arrow::RecordBatch& input,
                                   const std::vector<arrow::Datum>& arguments, const LambdaFunction& comparator,
                                   const types::DataType& type) {
  int64_t n = input.num_rows();
  ARROW_ASSIGN_OR_RAISE(ListColumn lists, ListColumn::Make(arguments[0], n, context.memory_pool));
  ListMaker maker(n, context.memory_pool);
  std::vector<int64_t> order;
  for (int64_t row = 0; row < n; ++row) {
    if (lists.IsNull(row)) {
      maker.NullRow();
      continue;
    }
    auto length = static_cast<size_t>(lists.Length(row));
    if (length > 1) {
      ARROW_ASSIGN_OR_RAISE(std::vector<int32_t> answers,
                            ComparePairs(context, input, comparator, lists, row, *type.element()));
      order.resize(length);
      for (size_t i = 0; i < length; ++i) order[i] = static_cast<int64_t>(i);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return answers[static_cast<size_t>(a) * length + static_cast<size_t>(b)] < 0;
      });
      for (int64_t i : order) ARROW_RETURN_NOT_OK(maker.Add(lists.Begin(row) + i));
    } else {
      ARROW_RETURN_NOT_OK(maker.AddRange(lists.Begin(row), lists.End(row)));
    }
    maker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> sorted, maker.Finish(type, lists.values()));
  return arrow::Datum(std::move(sorted));
}

// What Spark shows as the comparator where none is given.
constexpr std::string_view kNaturalOrder =
    "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, "
    "(IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, "
    "(IF((namedlambdavariable() < namedlambdavariable()), -1, "
    "(IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), "
    "namedlambdavariable(), namedlambdavariable())";

arrow::Result<ExpressionPtr> BindArraySort(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr array, CoerceToArray(input, 0));
  DataTypePtr type = array->type();
  bool nullable = array->nullable();
  if (input.arguments.size() == 1) {
    ARROW_RETURN_NOT_OK(ExpectOrderable(input, type->element(), type));
    auto info = std::make_shared<expression::CallInfo>();
    info->name = input.name;
    info->kernel = ArrayKernel([type](const EvalContext& context, const arrow::ArrayVector& columns, int64_t n) {
      return SortNaturally(context, columns, n, *type);
    });
    info->style = expression::CallStyle::kCustom;
    info->render = [](const std::vector<std::string>& texts) {
      return "array_sort(" + texts[0] + ", " + std::string(kNaturalOrder) + ")";
    };
    return std::make_shared<expression::Call>(std::move(info), type, nullable, expression::ExpressionVector{array});
  }
  ARROW_ASSIGN_OR_RAISE(auto parameters, ComparatorParameters(input.arguments, 1, 2));
  auto lambda = AsLambda(input.arguments[1], parameters);
  if (lambda->type()->id() != types::TypeId::kInteger) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                  {"functionName", QuoteIdentifier("lambdafunction")},
                                                                  {"expectedType", QuoteSqlType("INT")},
                                                                  {"actualType", QuoteSqlType(lambda->type()->Sql())}});
  }
  auto kernel = [type](const EvalContext& context, const arrow::RecordBatch& batch,
                       const std::vector<arrow::Datum>& arguments, const std::vector<const LambdaFunction*>& lambdas) {
    return SortBy(context, batch, arguments, *lambdas[0], *type);
  };
  return MakeHigherOrder(input, {std::move(array), lambda}, type, nullable, kernel);
}

}  // namespace

extern const FunctionDef kArraySort{.name = "array_sort",
                                    .family = "collection",
                                    .description = "The array in order, NULLs last, or in the order of a comparator.",
                                    .example = "array_sort(array('b', 'd', NULL, 'c', 'a'))",
                                    .example_result = "[a, b, c, d, NULL]",
                                    .min_arguments = 1,
                                    .max_arguments = 2,
                                    .bind = BindArraySort,
                                    .lambda_parameters = ComparatorParameters};

}  // namespace millrace::function
