#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "types/arrow_type.h"

/// coalesce, nvl, ifnull, nvl2, nullif, zeroifnull, nullifzero.

namespace millrace::function {

using arrow::Datum;
using expression::CaseWhen;
using expression::Literal;
using expression::ShownCall;
using types::TypeId;

namespace {

arrow::Result<ExpressionPtr> Test(const BindInput& input, std::string_view name, ExpressionVector arguments) {
  return BindCall(name, std::move(arguments), input.context);
}

// a, else b, else c …: an argument is looked at only where all before it are NULL.
arrow::Result<ExpressionPtr> FirstValid(const BindInput& input, ExpressionVector arguments, const std::string& name,
                                        const ExpressionVector& shown) {
  // What stands behind a value that is never NULL is never looked at.
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (!arguments[i]->nullable()) arguments.resize(i + 1);
  }
  if (arguments.size() == 1) arguments.push_back(arguments[0]);
  ExpressionVector children;
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr valid, Test(input, "isnotnull", {arguments[i]}));
    children.push_back(std::move(valid));
    children.push_back(arguments[i]);
  }
  children.push_back(arguments.back());
  return std::make_shared<CaseWhen>(std::move(children), false, std::make_shared<ShownCall>(ShownCall{name, shown}));
}

// The row's first valid value, all arguments being at hand.
arrow::Result<Datum> Coalesce(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                              const std::shared_ptr<arrow::DataType>& type) {
  if (!arguments[0].is_scalar() && arguments[0].null_count() == 0) {
    return Datum(expression::WithType(arguments[0].array(), type));
  }
  arrow::ArrayVector pieces;
  std::vector<int64_t> bases;
  int64_t base = 0;
  for (const Datum& argument : arguments) {
    ARROW_ASSIGN_OR_RAISE(auto piece,
                          expression::ToArray(argument, argument.is_scalar() ? 1 : num_rows, context.memory_pool));
    bases.push_back(base);
    base += piece->length();
    pieces.push_back(arrow::MakeArray(expression::WithType(piece->data(), type)));
  }
  ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(pieces, context.memory_pool));
  arrow::Int64Builder choice(context.memory_pool);
  ARROW_RETURN_NOT_OK(choice.Reserve(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    bool found = false;
    for (size_t k = 0; k < pieces.size() && !found; ++k) {
      int64_t row = arguments[k].is_scalar() ? 0 : i;
      if (pieces[k]->IsNull(row)) continue;
      choice.UnsafeAppend(bases[k] + row);
      found = true;
    }
    if (!found) choice.UnsafeAppendNull();
  }
  ARROW_ASSIGN_OR_RAISE(auto indices, choice.Finish());
  arrow::compute::ExecContext exec(context.memory_pool);
  return arrow::compute::Take(Datum(all), Datum(indices), arrow::compute::TakeOptions::NoBoundsCheck(), &exec);
}

arrow::Result<ExpressionPtr> BindFirstValid(const BindInput& input, std::string name, std::string_view sql_name) {
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments,
                        expression::CoerceToCommonType("coalesce", input.arguments,
                                                       ShownCall{std::string(sql_name), input.arguments}.Sql(true),
                                                       expression::TypeListStyle::kChoice));
  DataTypePtr type = arguments[0]->type();
  bool nullable = true;
  bool lazy = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    nullable = nullable && arguments[i]->nullable();
    lazy = lazy || (i > 0 && arguments[i]->can_fail());
  }
  if (lazy) return FirstValid(input, arguments, name, input.arguments);
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
  return MakeCall(input, std::move(arguments), type, nullable,
                  [arrow_type](const EvalContext& context, const std::vector<Datum>& values, int64_t num_rows) {
                    return expression::OneRowIfScalars(
                        values, num_rows, [&](int64_t rows) { return Coalesce(context, values, rows, arrow_type); });
                  },
                  {.shown_name = std::move(name)});
}

// CASE WHEN a = b THEN NULL ELSE a END.
arrow::Result<ExpressionPtr> BindNullIf(const BindInput& input, const ExpressionPtr& value, const ExpressionPtr& other,
                                        const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, Test(input, "==", {value, other}));
  ExpressionVector children{std::move(equal), Literal::Null(value->type()), value};
  return std::make_shared<CaseWhen>(std::move(children), false,
                                    std::make_shared<ShownCall>(ShownCall{name, input.arguments}));
}

arrow::Result<ExpressionPtr> BindNvl2(const BindInput& input) {
  const ExpressionVector& a = input.arguments;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr valid, Test(input, "isnotnull", {a[0]}));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector values,
                        expression::CoerceToCommonType("nvl2", {a[1], a[2]}, ShownCall{"nvl2", a}.Sql(true)));
  ExpressionVector children{std::move(valid), values[0], values[1]};
  return std::make_shared<CaseWhen>(std::move(children), false, std::make_shared<ShownCall>(ShownCall{"nvl2", a}));
}

}  // namespace

extern const FunctionDef kCoalesce{
    .name = "coalesce",
    .family = "conditional",
    .description = "The first value that is not NULL.",
    .example = "coalesce(NULL, 1, NULL)",
    .example_result = "1",
    .min_arguments = 1,
    .max_arguments = -1,
    .bind = [](const BindInput& input) { return BindFirstValid(input, "coalesce", "coalesce"); }};

extern const FunctionDef kNvl{
    .name = "nvl",
    .aliases = "ifnull",
    .family = "conditional",
    .description = "The first value, or the second where the first is NULL.",
    .example = "nvl(NULL, 2)",
    .example_result = "2",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindFirstValid(input, std::string(input.name), "coalesce"); }};

extern const FunctionDef kNvl2{.name = "nvl2",
                               .family = "conditional",
                               .description = "The second value where the first is not NULL, else the third.",
                               .example = "nvl2(NULL, 2, 1)",
                               .example_result = "1",
                               .min_arguments = 3,
                               .max_arguments = 3,
                               .bind = BindNvl2};

extern const FunctionDef kNullIf{
    .name = "nullif",
    .family = "conditional",
    .description = "NULL where both values are equal, else the first.",
    .example = "nullif(2, 2)",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindNullIf(input, input.arguments[0], input.arguments[1], "nullif"); }};

extern const FunctionDef kNullIfZero{.name = "nullifzero",
                                     .family = "conditional",
                                     .description = "NULL where the number is zero, else the number.",
                                     .example = "nullifzero(0)",
                                     .example_result = "NULL",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = [](const BindInput& input) {
                                       return BindNullIf(input, input.arguments[0], Literal::Integer(0), "nullifzero");
                                     }};

extern const FunctionDef kZeroIfNull{
    .name = "zeroifnull",
    .family = "conditional",
    .description = "Zero where the number is NULL, else the number.",
    .example = "zeroifnull(NULL)",
    .example_result = "0",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      ExpressionVector both{input.arguments[0], Literal::Integer(0)};
      ARROW_ASSIGN_OR_RAISE(
          both, expression::CoerceToCommonType("coalesce", both, ShownCall{"zeroifnull", input.arguments}.Sql(true)));
      return FirstValid(input, both, "zeroifnull", input.arguments);
    }};

}  // namespace millrace::function
