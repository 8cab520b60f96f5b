#include "function/aggregate/within_group.h"

#include <algorithm>
#include <optional>
#include <string>

#include "analyzer/expression_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "spark/connect/expressions.pb.h"
#include "types/collation.h"

/// f(…) WITHIN GROUP (ORDER BY …).

namespace millrace::analyzer {

namespace {

using expression::ExpressionKind;
using expression::SortOrder;

ExpressionPtr Unnamed(ExpressionPtr value) {
  return value->kind() == ExpressionKind::kAlias ? value->children()[0] : value;
}

struct WithinGroup {
  std::string name;
  bool distinct = false;
  ExpressionVector arguments;
  std::vector<SortOrder> orders;
};

arrow::Status CheckNumOrders(const WithinGroup& call, size_t expected) {
  if (call.orders.size() == expected) return arrow::Status::OK();
  return UserError("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS",
                   {{"funcName", QuoteIdentifier(call.name)},
                    {"expectedNum", std::to_string(expected)},
                    {"actualNum", std::to_string(call.orders.size())}});
}

arrow::Status WrongNumArguments(const WithinGroup& call, const std::string& expected) {
  return UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", {{"functionName", QuoteIdentifier(call.name)},
                                                         {"expectedNum", expected},
                                                         {"actualNum", std::to_string(call.arguments.size())},
                                                         {"docroot", "https://spark.apache.org/docs/latest"}});
}

// DISTINCT keeps one of equal texts; what they are texts of must be equal too.
arrow::Status CheckDistinctList(const WithinGroup& call, const ExpressionPtr& value) {
  const ExpressionPtr& given = call.arguments[0];
  ExpressionPtr source = value->kind() == ExpressionKind::kCast ? value->children()[0] : value;
  bool same = call.orders.size() == 1 && (expression::SemanticallyEqual(*call.orders[0].child, *value) ||
                                          expression::SemanticallyEqual(*call.orders[0].child, *source));
  std::string name = QuoteIdentifier(call.name);
  if (!same) {
    std::string keys;
    for (const SortOrder& each : call.orders) {
      keys += (keys.empty() ? "" : ", ") + QuoteSqlExpression(each.child->Sql(true));
    }
    return UserError("INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT",
                     {{"funcName", name}, {"funcArg", QuoteSqlExpression(given->Sql(true))}, {"orderingExpr", keys}});
  }
  const types::DataType& from = *source->type();
  bool unsafe = from.id() == types::TypeId::kFloat || from.id() == types::TypeId::kDouble ||
                from.id() == types::TypeId::kTimestamp;
  if (!unsafe || expression::SemanticallyEqual(*call.orders[0].child, *value)) return arrow::Status::OK();
  return UserError(
      "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST",
      {{"funcName", name}, {"inputType", QuoteSqlType(from.Sql())}, {"castType", QuoteSqlType(value->type()->Sql())}});
}

arrow::Result<ExpressionPtr> OrderedList(const WithinGroup& call, const expression::EvalContext& eval) {
  if (call.arguments.empty() || call.arguments.size() > 2) return WrongNumArguments(call, "[1, 2]");
  // The plain function checks the arguments.
  ARROW_RETURN_NOT_OK(function::BindCall("listagg", call.arguments, eval));
  bool binary = call.arguments[0]->type()->id() == types::TypeId::kBinary;
  const types::DataTypePtr type = binary ? types::Binary() : types::String();
  ExpressionPtr value = expression::ImplicitCast(call.arguments[0], type);
  std::optional<std::string> delimiter;
  if (call.arguments.size() > 1 && call.arguments[1]->type()->id() != types::TypeId::kNull) {
    ARROW_ASSIGN_OR_RAISE(auto scalar,
                          expression::EvaluateFoldable(*expression::ImplicitCast(call.arguments[1], type), eval));
    if (scalar->is_valid) delimiter = std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  }
  if (call.distinct) ARROW_RETURN_NOT_OK(CheckDistinctList(call, value));
  return function::MakeOrderedListAgg(std::move(value), std::move(delimiter), call.orders, call.distinct, eval);
}

arrow::Result<ExpressionPtr> MakeCall(const WithinGroup& call, const expression::EvalContext& eval) {
  if (call.name == "listagg") return OrderedList(call, eval);
  if (call.distinct) {
    return UserError("INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED",
                     {{"funcName", QuoteIdentifier(call.name)}});
  }
  if (call.name == "mode") {
    ARROW_RETURN_NOT_OK(CheckNumOrders(call, call.arguments.empty() ? 1 : 0));
    return function::MakeOrderedMode(call.orders[0].child, !call.orders[0].ascending, eval);
  }
  if (call.arguments.size() != 1) return WrongNumArguments(call, "1");
  ARROW_RETURN_NOT_OK(CheckNumOrders(call, 1));
  return function::MakeOrderedPercentile({.value = call.orders[0].child,
                                          .percentage = call.arguments[0],
                                          .ascending = call.orders[0].ascending,
                                          .discrete = call.name == "percentile_disc"},
                                         eval);
}

}  // namespace

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveWithinGroup(const spark::connect::Expression& message) {
  const auto& outer = message.unresolved_function();
  const auto& function = outer.arguments(0).unresolved_function();
  WithinGroup call;
  call.name = ToLowerAscii(function.function_name());
  call.distinct = function.is_distinct();
  if (call.name == "string_agg") call.name = "listagg";
  bool known =
      call.name == "listagg" || call.name == "mode" || call.name == "percentile_cont" || call.name == "percentile_disc";
  if (!known) {
    ARROW_RETURN_NOT_OK(Resolve(outer.arguments(0)));
    return UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                     {{"prettyName", QuoteIdentifier(call.name)}, {"syntax", "WITHIN GROUP (ORDER BY ...)"}});
  }
  ARROW_ASSIGN_OR_RAISE(call.arguments, ResolveAll(function.arguments()));
  for (ExpressionPtr& argument : call.arguments) argument = Unnamed(std::move(argument));
  for (int i = 1; i < outer.arguments_size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(SortOrder each, ResolveSortOrder(outer.arguments(i)));
    each.child = Unnamed(std::move(each.child));
    call.orders.push_back(std::move(each));
  }
  auto collated = [](const ExpressionPtr& value) { return types::HoldsCollation(*value->type()); };
  bool any = std::any_of(call.arguments.begin(), call.arguments.end(), collated);
  for (const SortOrder& order : call.orders) any = any || collated(order.child);
  if (any) return NotSupported(call.name + " WITHIN GROUP over a collated STRING");
  return MakeCall(call, context_.eval);
}

}  // namespace millrace::analyzer
