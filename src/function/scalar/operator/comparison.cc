#include "function/scalar/operator/comparison.h"

#include "base/error.h"
#include "expression/compare.h"
#include "expression/legacy_coercion.h"
#include "expression/query_settings.h"
#include "expression/type_coercion.h"
#include "function/scalar/operator/arithmetic.h"

/// = == != <> < <= > >= <=> and between.

namespace millrace::function {

using types::TypeId;

namespace {

constexpr std::string_view kSymbols[] = {"=", "<=>", "<", "<=", ">", ">="};

arrow::Result<ExpressionPtr> BindNotEqual(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindComparison(input, Comparison::kEqual));
  return BindCall("not", {std::move(equal)}, input.context);
}

// value >= low AND value <= high, shown as the call it was.
arrow::Result<ExpressionPtr> BindBetween(const BindInput& input) {
  const ExpressionVector& a = input.arguments;
  BindInput at_least{input.def, input.name, {a[0], a[1]}, input.context};
  BindInput at_most{input.def, input.name, {a[0], a[2]}, input.context};
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr low, BindComparison(at_least, Comparison::kGreaterOrEqual));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr high, BindComparison(at_most, Comparison::kLessOrEqual));
  auto shown = std::make_shared<expression::ShownCall>(expression::ShownCall{"between", a});
  return std::make_shared<expression::Logical>(true, std::move(low), std::move(high), std::move(shown));
}

}  // namespace

arrow::Result<ExpressionPtr> BindComparison(const BindInput& input, Comparison op, std::string_view shown_name) {
  ExpressionPtr left = input.arguments[0];
  ExpressionPtr right = input.arguments[1];
  std::string symbol(kSymbols[static_cast<size_t>(op)]);
  if (left->type()->id() == TypeId::kNull && right->type()->id() == TypeId::kNull) {
    left = expression::ImplicitCast(left, types::Boolean());
    right = expression::ImplicitCast(right, types::Boolean());
  }
  if (!left->type()->Equals(*right->type())) {
    bool equality = op == Comparison::kEqual || op == Comparison::kNullSafeEqual;
    std::optional<DataTypePtr> common;
    bool ansi = expression::CurrentQuerySettings().ansi;
    if (!ansi) {
      common = expression::ComparedWithoutAnsi(left->type(), right->type(), equality);
    }
    bool string_and_other = !ansi &&
                            (left->type()->id() == TypeId::kString) != (right->type()->id() == TypeId::kString) &&
                            left->type()->id() != TypeId::kNull && right->type()->id() != TypeId::kNull;
    if (!common && !string_and_other) common = expression::WiderType(left->type(), right->type());
    if (!common) {
      return BinaryOpDiffTypes("(" + left->Sql(true) + " " + symbol + " " + right->Sql(true) + ")", left, right);
    }
    left = expression::ImplicitCast(left, *common);
    right = expression::ImplicitCast(right, *common);
  }
  DataTypePtr type = left->type();
  if (!expression::IsOrderable(*type)) {
    std::string sql = "(" + left->Sql(true) + " " + symbol + " " + right->Sql(true) + ")";
    return UserError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", {{"sqlExpr", QuoteSqlExpression(sql)},
                                                                 {"functionName", QuoteIdentifier(symbol)},
                                                                 {"dataType", QuoteSqlType(type->Sql())}});
  }
  CallOptions options;
  options.style = shown_name.empty() ? CallStyle::kInfix : CallStyle::kFunction;
  options.shown_name = shown_name.empty() ? symbol : std::string(shown_name);
  bool nullable = op != Comparison::kNullSafeEqual && (left->nullable() || right->nullable());
  return MakeCall(input, {left, right}, types::Boolean(), nullable, CompareKernel(op, type), options);
}

extern const FunctionDef kEqual{
    .name = "==",
    .aliases = "=",
    .family = "predicate",
    .description = "Whether two values are equal; NULL when one is NULL.",
    .example = "2 = 2",
    .example_result = "true",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kEqual); }};

extern const FunctionDef kNotEqual{.name = "!=",
                                   .aliases = "<>",
                                   .family = "predicate",
                                   .description = "Whether two values differ; NULL when one is NULL.",
                                   .example = "1 != 2",
                                   .example_result = "true",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindNotEqual};

extern const FunctionDef kNullSafeEqual{
    .name = "<=>",
    .family = "predicate",
    .description = "Whether two values are equal, NULL being equal to NULL.",
    .example = "NULL <=> NULL",
    .example_result = "true",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kNullSafeEqual); }};

extern const FunctionDef kEqualNull{
    .name = "equal_null",
    .family = "predicate",
    .description = "Whether two values are equal, NULL being equal to NULL.",
    .example = "equal_null(1, NULL)",
    .example_result = "false",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kNullSafeEqual, "equal_null"); }};

extern const FunctionDef kLess{.name = "<",
                               .family = "predicate",
                               .description = "Whether the first value is less than the second.",
                               .example = "1 < 2",
                               .example_result = "true",
                               .min_arguments = 2,
                               .max_arguments = 2,
                               .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kLess); }};

extern const FunctionDef kLessOrEqual{
    .name = "<=",
    .family = "predicate",
    .description = "Whether the first value is not greater than the second.",
    .example = "2 <= 2",
    .example_result = "true",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kLessOrEqual); }};

extern const FunctionDef kGreater{
    .name = ">",
    .family = "predicate",
    .description = "Whether the first value is greater than the second.",
    .example = "2 > 1",
    .example_result = "true",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kGreater); }};

extern const FunctionDef kGreaterOrEqual{
    .name = ">=",
    .family = "predicate",
    .description = "Whether the first value is not less than the second.",
    .example = "2 >= 1",
    .example_result = "true",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindComparison(input, Comparison::kGreaterOrEqual); }};

extern const FunctionDef kBetween{.name = "between",
                                  .family = "predicate",
                                  .description = "Whether a value is neither below the second nor above the third.",
                                  .example = "0.5 BETWEEN 0.1 AND 1.0",
                                  .example_result = "true",
                                  .min_arguments = 3,
                                  .max_arguments = 3,
                                  .bind = BindBetween};

}  // namespace millrace::function
