#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "analyzer/expression_resolver.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/plan_conventions.h"

/// Expressions whose value an operator's input must be widened for: window functions and subqueries.

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Expression;
using expression::ExpressionKind;
using logical::FrameBoundKind;
using logical::WindowFunction;
using logical::WindowFunctionKind;
using logical::WindowSpec;

ExpressionPtr Unnamed(ExpressionPtr value) {
  return value->kind() == ExpressionKind::kAlias ? value->children()[0] : value;
}

// These see a whole partition or nothing. Source: Spark, CheckAnalysis.
arrow::Status CheckWholePartition(const expression::AggregateCall& call, const Expression::Window& window,
                                  bool has_frame) {
  const std::string& name = call.function()->name();
  bool ordered_list = name == "listagg" && call.num_arguments() > 2;
  if (name != "percentile_cont" && name != "percentile_disc" && name != "median" && !ordered_list) {
    return arrow::Status::OK();
  }
  const auto& frame = window.frame_spec();
  bool whole = !has_frame || (frame.frame_type() == Expression::Window::WindowFrame::FRAME_TYPE_ROW &&
                              frame.lower().unbounded() && frame.upper().unbounded());
  if (whole && window.order_spec_size() == 0) return arrow::Status::OK();
  std::string text = call.Sql(true);
  if (name.starts_with("percentile")) {
    text = name + "(" + call.children()[0]->Sql(true) + ", " + call.children()[1]->Sql(true) + ")";
  }
  return UserError("INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", {{"aggFunc", QuoteSqlExpression(text)}});
}

}  // namespace

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
    // max() of texts under a collation has a name of its own.
    text = value->kind() == ExpressionKind::kAlias ? static_cast<const expression::Alias&>(*value).name()
                                                   : value->Sql(true);
    value = Unnamed(std::move(value));
    if (value->kind() != ExpressionKind::kAggregateCall) {
      return UserError("UNSUPPORTED_EXPR_FOR_WINDOW", {{"sqlExpr", QuoteSqlExpression(text)}});
    }
    const auto& aggregate = static_cast<const expression::AggregateCall&>(*value);
    distinct = aggregate.distinct();
    ARROW_RETURN_NOT_OK(CheckWholePartition(aggregate, window, has_frame));
    function.kind = WindowFunctionKind::kAggregate;
    function.arguments = {value};
    function.column = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "", value->type(),
                                                                       value->nullable());
  }
  bool takes_frame = !window_only || function.kind == WindowFunctionKind::kNthValue;
  if (takes_frame) {
    function.frame = {};
    if (has_frame) {
      ARROW_ASSIGN_OR_RAISE(function.frame, ResolveFrame(window.frame_spec(), spec));
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

// Takes out what tells two writings of one query apart.
void DropPlaces(google::protobuf::Message* message) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const auto* field : fields) {
    if (field->name() == "common") {
      reflection.ClearField(message, field);
    } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated()) {
      DropPlaces(reflection.MutableMessage(message, field));
    } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
        DropPlaces(reflection.MutableRepeatedMessage(message, field, i));
      }
    }
  }
}

// Equal for two subqueries that are written alike, but for those that have subqueries themselves.
std::string WrittenText(const spark::connect::SubqueryExpression& subquery, const spark::connect::Relation* relation) {
  if (relation == nullptr) return {};
  spark::connect::Relation bare = *relation;
  DropPlaces(&bare);
  return std::to_string(subquery.subquery_type()) + ":" + bare.SerializeAsString();
}

}  // namespace

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveSubquery(const Expression& message) {
  const auto& subquery = message.subquery_expression();
  if (below_ == nullptr) {
    return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY",
                     {{"treeNode", "a subquery in this place"}});
  }
  Subqueries& subqueries = below_->subqueries;
  ARROW_ASSIGN_OR_RAISE(ExpressionVector values, ResolveAll(subquery.in_subquery_values()));
  for (ExpressionPtr& value : values) value = Unnamed(std::move(value));
  // GROUP BY a IN (SELECT …) is the a IN (SELECT …) of the SELECT list.
  std::string text = WrittenText(subquery, relations_->FindSubquery(subquery.plan_id()));
  if (ExpressionPtr same = subqueries.Find(text, values)) return same;
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, relations_->ResolveSubqueryPlan(subquery.plan_id(), input_));
  // Aggregates of this query that the subquery asks for are columns of it.
  AttributeVector outer = input_;
  if (const ExpressionVector* aggregates = relations_->outer_aggregates()) {
    for (const ExpressionPtr& aggregate : *aggregates) outer.push_back(expression::ToAttribute(aggregate));
  }
  ExpressionPtr column;
  switch (subquery.subquery_type()) {
    case connect::SubqueryExpression::SUBQUERY_TYPE_SCALAR: {
      ARROW_ASSIGN_OR_RAISE(column, subqueries.AddScalar(plan, outer, context_.eval));
      break;
    }
    case connect::SubqueryExpression::SUBQUERY_TYPE_EXISTS: {
      ARROW_ASSIGN_OR_RAISE(column, subqueries.AddExists(plan, outer));
      break;
    }
    case connect::SubqueryExpression::SUBQUERY_TYPE_IN: {
      ARROW_ASSIGN_OR_RAISE(column, subqueries.AddIn(values, plan, outer, context_.eval));
      break;
    }
    default:
      return NotSupported("a table argument");
  }
  // Each rand() is another.
  logical::VisitPlan(*plan, [&](const logical::Plan& node) {
    for (const ExpressionPtr& value : node.expressions()) {
      if (!value->deterministic()) text.clear();
    }
  });
  subqueries.NameLast(*column, std::move(text), std::move(values));
  return column;
}

}  // namespace millrace::analyzer
