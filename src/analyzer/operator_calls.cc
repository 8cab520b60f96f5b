#include "analyzer/expression_resolver.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "spark/connect/expressions.pb.h"
#include "sql/plan_conventions.h"

/// Expressions whose value an operator's input must be widened for: window functions and subqueries.

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Expression;
using expression::ExpressionKind;
using logical::FrameBound;
using logical::FrameBoundKind;
using logical::WindowFunction;
using logical::WindowFunctionKind;
using logical::WindowSpec;

ExpressionPtr Unnamed(ExpressionPtr value) {
  return value->kind() == ExpressionKind::kAlias ? value->children()[0] : value;
}

arrow::Result<int64_t> RowsOffset(const ExpressionPtr& value, const expression::EvalContext& eval) {
  if (!value->foldable() || !value->type()->is_integral()) {
    return UserError("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
                     {{"sqlExpr", QuoteSqlExpression(value->Sql(true))},
                      {"location", "lower"},
                      {"exprType", QuoteSqlType(value->type()->Sql())},
                      {"expectedType", QuoteSqlType("INT")}});
  }
  expression::Cast as_long(value, types::Long(), expression::CastMode::kAnsi, false);
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(as_long, eval));
  return scalar->is_valid ? static_cast<const arrow::Int64Scalar&>(*scalar).value : 0;
}

// A negated offset precedes, unless a cast hides that it is one.
std::string OffsetText(const ExpressionPtr& offset, bool is_cast) {
  std::string text = offset->Sql(true);
  constexpr std::string_view kMinus = "(- ";
  if (is_cast || !text.starts_with(kMinus) || offset->children().size() != 1) return text + " FOLLOWING";
  return offset->children()[0]->Sql(true) + " PRECEDING";
}

}  // namespace

arrow::Result<FrameBound> ExpressionResolver::ResolveFrameBound(
    const Expression::Window::WindowFrame::FrameBoundary& message, bool is_rows, bool is_lower,
    const WindowSpec& spec) {
  FrameBound bound;
  if (message.unbounded()) {
    bound.kind = is_lower ? FrameBoundKind::kUnboundedPreceding : FrameBoundKind::kUnboundedFollowing;
    return bound;
  }
  if (!message.has_value()) return bound;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Resolve(message.value()));
  bound.kind = FrameBoundKind::kOffset;
  if (is_rows) {
    ARROW_ASSIGN_OR_RAISE(bound.rows, RowsOffset(value, context_.eval));
    if (bound.rows == 0) bound.kind = FrameBoundKind::kCurrentRow;
    bound.text = OffsetText(value, /*is_cast=*/false);
    return bound;
  }
  if (spec.order.size() != 1) {
    return UserError(spec.order.empty() ? "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER"
                                        : "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER",
                     {{"sqlExpr", QuoteSqlExpression(value->Sql(true))}, {"orderSpec", "several"}});
  }
  const expression::SortOrder& order = spec.order[0];
  // Of numbers the offset counts as the type of the key: 1.1 is 1 for an INT.
  expression::CastMode mode = context_.eval.ansi ? expression::CastMode::kAnsi : expression::CastMode::kLegacy;
  const types::DataTypePtr& type = order.child->type();
  bool as_key = type->is_numeric() && !value->type()->EqualsIgnoreNullability(*type) &&
                expression::CanCast(*value->type(), *type, mode);
  bound.text = OffsetText(value, as_key);
  if (as_key) value = std::make_shared<expression::Cast>(value, type, mode, /*user_specified=*/false);
  ARROW_ASSIGN_OR_RAISE(bound.key,
                        function::BindCall(order.ascending ? "+" : "-", {order.child, value}, context_.eval));
  bound.key = expression::ImplicitCast(bound.key, order.child->type());
  return bound;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveWindow(const Expression& message) {
  if (below_ == nullptr || !below_->window_functions_allowed) {
    return UserError("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", {{"clauseName", "WHERE"}});
  }
  const auto& window = message.window();
  WindowSpec spec;
  for (const Expression& key : window.partition_spec()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Resolve(key));
    spec.partition.push_back(Unnamed(std::move(value)));
  }
  for (const auto& key : window.order_spec()) {
    Expression order;
    *order.mutable_sort_order() = key;
    ARROW_ASSIGN_OR_RAISE(expression::SortOrder resolved, ResolveSortOrder(order));
    resolved.child = Unnamed(std::move(resolved.child));
    spec.order.push_back(std::move(resolved));
  }
  const Expression* call = &window.window_function();
  bool ignore_nulls = false;
  if (call->has_unresolved_function() && call->unresolved_function().is_internal() &&
      call->unresolved_function().function_name() == sql::kIgnoreNulls) {
    ignore_nulls = true;
    call = &call->unresolved_function().arguments(0);
  }
  std::string name = call->has_unresolved_function() ? ToLowerAscii(call->unresolved_function().function_name()) : "";
  bool has_frame = window.has_frame_spec();

  WindowFunction function;
  std::string text;
  bool distinct = false;
  bool window_only = WindowFunctions::IsWindowOnly(name);
  if (window_only) {
    ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments, ResolveAll(call->unresolved_function().arguments()));
    for (ExpressionPtr& argument : arguments) argument = Unnamed(std::move(argument));
    // The frame these functions have anyway may be written out.
    const auto& frame = window.frame_spec();
    bool own_frame = name != "lag" && name != "lead" &&
                     frame.frame_type() == Expression::Window::WindowFrame::FRAME_TYPE_ROW &&
                     frame.lower().unbounded() && frame.upper().current_row();
    // DataFrame functions say IGNORE NULLS by an argument.
    if (name == "nth_value" && arguments.size() == 3 && arguments[2]->type()->id() == types::TypeId::kBoolean &&
        arguments[2]->foldable()) {
      ARROW_ASSIGN_OR_RAISE(auto flag, expression::EvaluateFoldable(*arguments[2], context_.eval));
      ignore_nulls = flag->is_valid && static_cast<const arrow::BooleanScalar&>(*flag).value;
      arguments.pop_back();
    }
    ARROW_ASSIGN_OR_RAISE(function,
                          WindowFunctions::Bind(name, arguments, spec, has_frame && !own_frame, context_.eval));
    function.ignore_nulls = ignore_nulls;
    text = WindowFunctions::Text(name, std::move(arguments));
  } else {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Resolve(window.window_function()));
    value = Unnamed(std::move(value));
    text = value->Sql(true);
    if (value->kind() != ExpressionKind::kAggregateCall) {
      return UserError("UNSUPPORTED_EXPR_FOR_WINDOW", {{"sqlExpr", QuoteSqlExpression(text)}});
    }
    const auto& aggregate = static_cast<const expression::AggregateCall&>(*value);
    distinct = aggregate.distinct();
    if (aggregate.filter() != nullptr) return NotSupported("FILTER of a window function");
    function.kind = WindowFunctionKind::kAggregate;
    function.arguments = {value};
    function.column = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "", value->type(),
                                                                       value->nullable());
  }
  bool takes_frame = !window_only || function.kind == WindowFunctionKind::kNthValue;
  if (takes_frame) {
    function.frame = {};
    if (has_frame) {
      const auto& frame = window.frame_spec();
      function.frame.is_rows = frame.frame_type() == Expression::Window::WindowFrame::FRAME_TYPE_ROW;
      ARROW_ASSIGN_OR_RAISE(function.frame.lower, ResolveFrameBound(frame.lower(), function.frame.is_rows, true, spec));
      ARROW_ASSIGN_OR_RAISE(function.frame.upper,
                            ResolveFrameBound(frame.upper(), function.frame.is_rows, false, spec));
    } else if (spec.order.empty()) {
      function.frame.is_rows = true;
    } else {
      function.frame.upper.kind = FrameBoundKind::kCurrentRow;
    }
  }
  if (distinct) {
    return UserError("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
                     {{"windowExpr", QuoteSqlExpression(WindowFunctions::OverText(text, spec, function))}});
  }
  return below_->window_functions.Add(std::move(spec), std::move(function), text);
}

namespace {

// listagg(value, delimiter) WITHIN GROUP (ORDER BY key): the rows as structs, sorted, their texts joined.
arrow::Result<ExpressionPtr> OrderedListAgg(const ExpressionVector& arguments,
                                            const std::vector<expression::SortOrder>& orders, bool distinct,
                                            const expression::EvalContext& eval) {
  using expression::Literal;
  using function::BindCall;
  const ExpressionPtr value = expression::ImplicitCast(arguments[0], types::String());
  ExpressionPtr delimiter = arguments.size() > 1 ? arguments[1] : Literal::String("");
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr present, BindCall("isnotnull", {value}, eval));
  ExpressionVector fields;
  for (size_t i = 0; i < orders.size(); ++i) {
    fields.push_back(Literal::String("key" + std::to_string(i)));
    fields.push_back(orders[i].child);
  }
  fields.push_back(Literal::String("text"));
  fields.push_back(value);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr row, BindCall("named_struct", std::move(fields), eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr rows,
                        BindCall(distinct ? "collect_set" : "collect_list", {row}, eval, false, present));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr sorted,
                        BindCall("sort_array", {rows, Literal::Boolean(orders[0].ascending)}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr texts, function::ExtractValue(sorted, Literal::String("text"), true));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr joined, BindCall("array_join", {texts, delimiter}, eval));
  if (arguments[0]->type()->id() == types::TypeId::kBinary) {
    ARROW_ASSIGN_OR_RAISE(joined, BindCall("binary", {joined}, eval));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr count, BindCall("count", {value}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr none, BindCall("==", {count, Literal::Long(0)}, eval));
  ExpressionPtr null = Literal::Null(joined->type());
  return std::make_shared<expression::CaseWhen>(ExpressionVector{none, null, joined}, true);
}

}  // namespace

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveWithinGroup(const Expression& message) {
  const auto& outer = message.unresolved_function();
  const auto& call = outer.arguments(0).unresolved_function();
  std::string name = ToLowerAscii(call.function_name());
  bool lists = name == "listagg" || name == "string_agg";
  if (!lists && (outer.arguments_size() != 2 || call.is_distinct())) {
    return NotSupported(name + " WITHIN GROUP of this form");
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments, ResolveAll(call.arguments()));
  for (ExpressionPtr& argument : arguments) argument = Unnamed(std::move(argument));
  std::vector<expression::SortOrder> orders;
  for (int i = 1; i < outer.arguments_size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(expression::SortOrder each, ResolveSortOrder(outer.arguments(i)));
    each.child = Unnamed(std::move(each.child));
    if (!orders.empty() && each.ascending != orders[0].ascending) {
      return NotSupported(name + " WITHIN GROUP of this form");
    }
    orders.push_back(std::move(each));
  }
  const expression::SortOrder& order = orders[0];
  const expression::EvalContext& eval = context_.eval;
  ExpressionPtr made;
  if (name == "percentile_cont" && arguments.size() == 1) {
    ExpressionPtr fraction = arguments[0];
    if (!order.ascending) {
      ARROW_ASSIGN_OR_RAISE(fraction, function::BindCall("-", {expression::Literal::Double(1), fraction}, eval));
    }
    ARROW_ASSIGN_OR_RAISE(made, function::BindCall("percentile", {order.child, fraction}, eval));
  } else if (name == "percentile_disc" && arguments.size() == 1 && order.child->type()->is_ansi_interval()) {
    return NotSupported("percentile_disc of intervals");
  } else if (name == "percentile_disc" && arguments.size() == 1) {
    ExpressionPtr number = expression::ImplicitCast(order.child, types::Double());
    // The other way round the smallest is the negative of the largest.
    if (!order.ascending) {
      ARROW_ASSIGN_OR_RAISE(number, function::BindCall("-", {number}, eval));
    }
    ARROW_ASSIGN_OR_RAISE(made, function::BindCall("percentile_approx", {number, arguments[0]}, eval));
    if (!order.ascending) {
      ARROW_ASSIGN_OR_RAISE(made, function::BindCall("-", {made}, eval));
    }
  } else if (name == "mode" && arguments.empty() && order.ascending) {
    ARROW_ASSIGN_OR_RAISE(made, function::BindCall("mode", {order.child, expression::Literal::Boolean(true)}, eval));
  } else if (lists && !arguments.empty()) {
    ExpressionPtr value = arguments[0];
    // What is listed may be the text of what is ordered.
    if (value->kind() == expression::ExpressionKind::kCast) value = value->children()[0];
    bool same = orders.size() == 1 && (expression::SemanticallyEqual(*order.child, *value) ||
                                       expression::SemanticallyEqual(*order.child, *arguments[0]));
    if (call.is_distinct() && !same) {
      std::string keys;
      for (const auto& each : orders) {
        keys += (keys.empty() ? "" : ", ") + QuoteSqlExpression(each.child->Sql(true));
      }
      return UserError("INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT",
                       {{"funcName", QuoteIdentifier("listagg")},
                        {"funcArg", QuoteSqlExpression(arguments[0]->Sql(true))},
                        {"orderingExpr", keys}});
    }
    ARROW_ASSIGN_OR_RAISE(made, OrderedListAgg(arguments, orders, call.is_distinct(), eval));
  } else {
    return NotSupported(name + " WITHIN GROUP of this form");
  }
  std::string text;
  for (const ExpressionPtr& argument : arguments) text += (text.empty() ? "" : ", ") + argument->Sql(true);
  if (lists && arguments.size() == 1) text += ", NULL";
  std::string by;
  for (const auto& each : orders) {
    by += (by.empty() ? "" : ", ") + each.child->Sql(true);
    if (lists) {
      by += (each.ascending ? " ASC" : " DESC");
      by += each.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    } else if (!each.ascending || name == "mode") {
      by += " DESC";
    }
  }
  text = (lists ? "listagg" : name) + (call.is_distinct() ? "(DISTINCT " : "(") + text + ") WITHIN GROUP (ORDER BY " +
         by + ")";
  return std::make_shared<expression::Alias>(std::move(made), text);
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveSubquery(const Expression& message) {
  const auto& subquery = message.subquery_expression();
  if (below_ == nullptr) {
    return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY",
                     {{"treeNode", "a subquery in this place"}});
  }
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, relations_->ResolveSubqueryPlan(subquery.plan_id(), input_));
  switch (subquery.subquery_type()) {
    case connect::SubqueryExpression::SUBQUERY_TYPE_SCALAR:
      return below_->subqueries.AddScalar(plan, input_, context_.eval);
    case connect::SubqueryExpression::SUBQUERY_TYPE_EXISTS:
      return below_->subqueries.AddExists(plan, input_);
    case connect::SubqueryExpression::SUBQUERY_TYPE_IN: {
      ARROW_ASSIGN_OR_RAISE(ExpressionVector values, ResolveAll(subquery.in_subquery_values()));
      for (ExpressionPtr& value : values) value = Unnamed(std::move(value));
      return below_->subqueries.AddIn(values, plan, input_, context_.eval);
    }
    default:
      return NotSupported("a table argument");
  }
}

}  // namespace millrace::analyzer
