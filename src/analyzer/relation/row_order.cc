#include <algorithm>
#include <cmath>
#include <set>

#include "analyzer/aggregate_items.h"
#include "analyzer/recursive_table.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "logical/node/aggregate.h"
#include "logical/node/filter.h"
#include "logical/node/limit.h"
#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/sample.h"
#include "logical/node/sort.h"
#include "logical/node/subquery_alias.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/plan_conventions.h"
#include "types/number_text.h"

namespace millrace::analyzer {

namespace {

using expression::AttributePtr;
using expression::ExpressionKind;
using spark::connect::Relation;

// Columns of `wanted` that `plan` hides but its child has: SELECT a FROM t ORDER BY b. Gives the plan that shows them
// too, or null when it cannot be done.
PlanPtr ShowHidden(const PlanPtr& plan, const AttributeVector& wanted) {
  if (plan->kind() == logical::NodeKind::kSubqueryAlias) return nullptr;
  if (plan->kind() == logical::NodeKind::kProject) {
    const auto& project = static_cast<const logical::Project&>(*plan);
    ExpressionVector items = project.items();
    items.insert(items.end(), wanted.begin(), wanted.end());
    return std::make_shared<logical::Project>(std::move(items), project.child());
  }
  return nullptr;
}

AttributeVector Missing(const ExpressionPtr& value, const AttributeVector& input, const AttributeVector& hidden) {
  AttributeVector missing;
  for (expression::AttributeId id : expression::References(*value)) {
    bool present = false;
    for (const AttributePtr& column : input) present = present || column->id() == id;
    if (present) continue;
    for (const AttributePtr& column : hidden) {
      if (column->id() == id) missing.push_back(column);
    }
  }
  return missing;
}

bool ReadsOther(const expression::Expression& value, const AttributeVector& columns) {
  std::vector<expression::AttributeId> ids = expression::References(value);
  return std::any_of(ids.begin(), ids.end(), [&](expression::AttributeId id) {
    return std::none_of(columns.begin(), columns.end(), [&](const AttributePtr& one) { return one->id() == id; });
  });
}

PlanPtr ProjectBack(const AttributeVector& columns, PlanPtr plan) {
  return std::make_shared<logical::Project>(ExpressionVector(columns.begin(), columns.end()), std::move(plan));
}

}  // namespace

namespace {

std::string AggregatesIn(const expression::Expression& condition) {
  std::string list;
  expression::Visit(condition, [&](const expression::Expression& node) {
    if (node.kind() != ExpressionKind::kAggregateCall) return true;
    list += (list.empty() ? "" : ", ") + node.Sql();
    return false;
  });
  return list;
}

// What HAVING or ORDER BY reads above an aggregate is a key or an aggregate, not a column of single rows.
arrow::Status CheckReadsGroups(const expression::Expression& value, const logical::Plan& aggregate,
                               const AttributeVector& rows, const AttributeVector& shown) {
  for (expression::AttributeId id : expression::References(value)) {
    auto has = [&](const AttributeVector& columns) {
      return std::find_if(columns.begin(), columns.end(), [&](const AttributePtr& c) { return c->id() == id; });
    };
    if (has(aggregate.output()) != aggregate.output().end()) continue;
    auto row = has(rows);
    if (row == rows.end()) continue;
    std::vector<std::string> name = (*row)->qualifier();
    if (name.size() > 1) name.erase(name.begin(), name.end() - 1);
    name.push_back((*row)->name());
    return UnresolvedColumn({name.back()}, shown);
  }
  return arrow::Status::OK();
}

// The rows of `input` for which `condition` holds, with the columns of `shown`.
arrow::Result<PlanPtr> FilterOver(const ExpressionPtr& condition, const OperatorInput& below, PlanPtr input,
                                  const AttributeVector& shown, const expression::EvalContext& eval) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, below.time_windows.Apply(std::move(input), eval));
  ARROW_ASSIGN_OR_RAISE(plan, below.subqueries.Filter(condition, std::move(plan), eval));
  return plan->output().size() == shown.size() ? plan : ProjectBack(shown, std::move(plan));
}

// The columns that names mean below an aggregate: of GROUPING SETS the keys as the sets have them, not those they are
// made from.
AttributeVector ColumnsBelow(const logical::Aggregate& aggregate) {
  const AttributeVector& columns = aggregate.child()->output();
  if (aggregate.child()->kind() != logical::NodeKind::kExpand) return columns;
  AttributeVector keys;
  for (const ExpressionPtr& key : aggregate.grouping()) {
    if (key->kind() == ExpressionKind::kAttribute) keys.push_back(expression::ToAttribute(key));
  }
  AttributeVector named;
  for (const AttributePtr& column : columns) {
    bool is_key = std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key->id() == column->id(); });
    bool covered = std::any_of(keys.begin(), keys.end(),
                               [&](const auto& key) { return EqualsIgnoreCase(key->name(), column->name()); });
    if (is_key || !covered) named.push_back(column);
  }
  return named;
}

// HAVING of nothing but columns below the aggregate that it groups by. Null when it is something else.
arrow::Result<PlanPtr> FilterGroups(RelationResolver& resolver, const spark::connect::Expression& message,
                                    const PlanPtr& child) {
  const auto& aggregate = static_cast<const logical::Aggregate&>(*child);
  const AttributeVector rows = ColumnsBelow(aggregate);
  OperatorInput below;
  below.window_functions_allowed = false;
  arrow::Result<ExpressionPtr> condition = resolver.Expressions(rows, &below).ResolveCondition(message);
  if (!condition.ok() || !below.empty() || expression::References(**condition).empty()) return PlanPtr();
  if (expression::Contains(**condition, ExpressionKind::kAggregateCall)) return PlanPtr();
  AggregateItems items(aggregate.grouping(), aggregate.items());
  ExpressionPtr above = items.Rewrite(*condition);
  PlanPtr groups = items.Aggregate(aggregate.child());
  if (!CheckReadsGroups(*above, *groups, rows, child->output()).ok()) return PlanPtr();
  return FilterOver(above, below, std::move(groups), child->output(), resolver.context().eval);
}

// HAVING: the condition may aggregate, and may name columns below the aggregate. Null when it cannot be resolved so.
arrow::Result<PlanPtr> FilterAggregate(RelationResolver& resolver, const spark::connect::Expression& message,
                                       const PlanPtr& child, bool aggregates) {
  const auto& aggregate = static_cast<const logical::Aggregate&>(*child);
  const AttributeVector& hidden = aggregate.child()->output();
  AttributeVector visible = child->output();
  visible.insert(visible.end(), hidden.begin(), hidden.end());
  arrow::Status correlated;
  for (const AttributeVector* columns :
       {aggregates ? &visible : &hidden, const_cast<const AttributeVector*>(&visible)}) {
    OperatorInput below;
    below.window_functions_allowed = false;
    ExpressionVector asked;
    ExpressionVector* outside = resolver.outer_aggregates();
    resolver.set_outer_aggregates(&asked);
    arrow::Result<ExpressionPtr> condition = resolver.Expressions(*columns, &below).ResolveCondition(message);
    resolver.set_outer_aggregates(outside);
    if (!condition.ok()) {
      // The names were found: what a caller would say of the same condition without them is that they were not.
      bool is_named =
          IsErrorCondition(condition.status(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE");
      if (is_named) correlated = condition.status();
      continue;
    }
    AggregateItems items(aggregate.grouping(), aggregate.items());
    ExpressionPtr above = items.Rewrite(*condition);
    for (const AttributePtr& column : below.subqueries.Reads(hidden)) items.Show(column);
    for (ExpressionPtr& one : asked) items.Add(std::move(one));
    PlanPtr groups = items.Aggregate(aggregate.child());
    ARROW_RETURN_NOT_OK(CheckReadsGroups(*above, *groups, hidden, child->output()));
    return FilterOver(above, below, std::move(groups), child->output(), resolver.context().eval);
  }
  ARROW_RETURN_NOT_OK(correlated);
  return PlanPtr();
}

}  // namespace

namespace {

// Aggregates over columns of the query outside are computed there.
ExpressionPtr WithoutOuterAggregates(RelationResolver& resolver, const ExpressionPtr& condition) {
  return expression::Transform(condition, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAggregateCall || !resolver.ReadsOnlyOuter(*node)) return nullptr;
    for (const ExpressionPtr& known : *resolver.outer_aggregates()) {
      if (expression::SemanticallyEqual(*known->children()[0], *node)) return expression::ToAttribute(known);
    }
    resolver.outer_aggregates()->push_back(std::make_shared<expression::Alias>(node, node->Sql(true)));
    return expression::ToAttribute(resolver.outer_aggregates()->back());
  });
}

}  // namespace

arrow::Result<PlanPtr> ResolveFilter(RelationResolver& resolver, const Relation& relation) {
  const auto& filter = relation.filter();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(filter.input()));
  const spark::connect::Expression* message = &filter.condition();
  bool having = message->has_unresolved_function() && message->unresolved_function().is_internal() &&
                message->unresolved_function().function_name() == sql::kHaving;
  if (having) message = &message->unresolved_function().arguments(0);
  if (having && child->kind() == logical::NodeKind::kAggregate) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr groups, FilterGroups(resolver, *message, child));
    if (groups != nullptr) return groups;
  }
  const expression::EvalContext& eval = resolver.context().eval;
  OperatorInput below;
  below.window_functions_allowed = false;
  below.hidden = resolver.HiddenOf(child);
  below.rows = child;
  arrow::Result<ExpressionPtr> condition = resolver.Expressions(child->output(), &below).ResolveCondition(*message);
  bool aggregates = condition.ok() && expression::Contains(**condition, ExpressionKind::kAggregateCall);
  if (condition.ok() && !aggregates) {
    return FilterOver(*condition, below, resolver.WithHidden(child, below), child->output(), eval);
  }
  if (having && IsErrorCondition(condition.status(), "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE")) {
    return UserError("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", {{"clauseName", "HAVING"}});
  }
  if (IsErrorCondition(condition.status(), "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS")) {
    std::string text = GetErrorDetail(condition.status())->parameters().find("expression")->second;
    return UserError("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", {{"plan", "'Filter " + text.substr(1, text.size() - 2)}});
  }
  if (child->kind() == logical::NodeKind::kAggregate) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr groups, FilterAggregate(resolver, *message, child, aggregates));
    if (groups != nullptr) return groups;
  }
  if (child->kind() == logical::NodeKind::kProject && !condition.ok()) {
    // DataFrame.filter may name a column that the select before it dropped.
    const AttributeVector& hidden = child->child()->output();
    AttributeVector visible = child->output();
    visible.insert(visible.end(), hidden.begin(), hidden.end());
    OperatorInput unused;
    auto over_hidden = resolver.Expressions(visible, &unused).ResolveCondition(*message);
    if (over_hidden.ok() && unused.empty()) {
      PlanPtr wider = ShowHidden(child, Missing(*over_hidden, child->output(), hidden));
      if (wider != nullptr) {
        return ProjectBack(child->output(), std::make_shared<logical::Filter>(*over_hidden, std::move(wider)));
      }
    }
  }
  ARROW_RETURN_NOT_OK(condition.status());
  if (resolver.outer_aggregates() != nullptr) {
    ExpressionPtr local = WithoutOuterAggregates(resolver, *condition);
    if (!expression::Contains(*local, ExpressionKind::kAggregateCall)) {
      return FilterOver(local, below, resolver.WithHidden(child, below), child->output(), eval);
    }
  }
  return UserError("INVALID_WHERE_CONDITION", {{"condition", QuoteSqlExpression((*condition)->Sql(true))},
                                               {"expressionList", AggregatesIn(**condition)}});
}

namespace {

// ORDER BY ALL: every column, in the direction given.
bool IsAll(const spark::connect::Sort& sort, const AttributeVector& columns) {
  if (sort.order_size() != 1 || !sort.order(0).child().has_unresolved_attribute()) return false;
  const auto& attribute = sort.order(0).child().unresolved_attribute();
  if (attribute.has_plan_id() || !EqualsIgnoreCase(attribute.unparsed_identifier(), "all")) return false;
  return std::none_of(columns.begin(), columns.end(),
                      [](const AttributePtr& column) { return EqualsIgnoreCase(column->name(), "all"); });
}

// Rows are put in order by what each of them has: no aggregates, which no aggregate below could give, no generators.
arrow::Status CheckOrders(const std::vector<expression::SortOrder>& orders, bool global) {
  std::string all;
  bool generates = false;
  ExpressionVector values;
  for (const expression::SortOrder& order : orders) {
    generates = generates || order.child->kind() == ExpressionKind::kGeneratorCall;
    values.push_back(order.child);
    all += (all.empty() ? "" : ", ") + order.child->Sql(true) + (order.ascending ? " ASC" : " DESC") +
           (order.nulls_first ? " NULLS FIRST" : " NULLS LAST");
  }
  if (generates) {
    std::string plan = "Sort [" + all + "], " + (global ? "true" : "false");
    return UserError("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", {{"plan", plan}});
  }
  return CheckWithoutAggregates(values);
}

// ORDER BY a subquery; a window function must be in the SELECT list.
arrow::Result<PlanPtr> WidenForOrder(const OperatorInput& below, PlanPtr child, const expression::EvalContext& eval) {
  if (!below.window_functions.empty()) {
    return UserError("UNSUPPORTED_EXPR_FOR_OPERATOR",
                     {{"invalidExprSqls", QuoteSqlExpression(below.window_functions.FirstText())}});
  }
  return below.empty() ? arrow::Result<PlanPtr>(child) : below.Apply(std::move(child), eval);
}

}  // namespace

arrow::Result<PlanPtr> ResolveSort(RelationResolver& resolver, const Relation& relation) {
  const auto& sort = relation.sort();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(sort.input()));
  const AttributeVector shown = child->output();
  bool global = !sort.has_is_global() || sort.is_global();
  // Sorting spreads the rows anew whatever a hint below has said, and it may name columns that the SELECT below both
  // leaves out.
  bool hinted = sort.input().has_hint() && sql::IsPartitioningHint(ToUpperAscii(sort.input().hint().name()));
  while (global && hinted && child->kind() == logical::NodeKind::kRepartition) child = child->children()[0];
  std::vector<expression::SortOrder> orders;
  bool all = IsAll(sort, shown);
  for (const auto& order : sort.order()) {
    spark::connect::Expression message;
    *message.mutable_sort_order() = order;
    if (all) {
      spark::connect::Expression direction = message;
      direction.mutable_sort_order()->mutable_child()->mutable_literal()->set_boolean(true);
      ARROW_ASSIGN_OR_RAISE(expression::SortOrder each, resolver.Expressions(shown).ResolveSortOrder(direction));
      for (const AttributePtr& column : shown) orders.push_back({column, each.ascending, each.nulls_first});
      continue;
    }
    // ORDER BY 2 means the second column.
    const auto& key = order.child();
    bool ordinal = key.has_literal() && key.literal().has_integer();
    if (ordinal && !resolver.context().ConfIs("spark.sql.orderByOrdinal", "false")) {
      int32_t position = key.literal().integer();
      if (position < 1 || position > static_cast<int32_t>(shown.size())) {
        return UserError("ORDER_BY_POS_OUT_OF_RANGE",
                         {{"index", std::to_string(position)}, {"size", std::to_string(shown.size())}});
      }
      spark::connect::Expression placeholder = message;
      placeholder.mutable_sort_order()->mutable_child()->mutable_literal()->set_boolean(true);
      ARROW_ASSIGN_OR_RAISE(auto resolved, resolver.Expressions(shown).ResolveSortOrder(placeholder));
      resolved.child = shown[static_cast<size_t>(position - 1)];
      orders.push_back(std::move(resolved));
      continue;
    }
    OperatorInput made_below;
    made_below.hidden = resolver.HiddenOf(child);
    made_below.rows = child;
    const AttributeVector columns = child->output();
    arrow::Result<expression::SortOrder> resolved =
        resolver.Expressions(columns, &made_below).ResolveSortOrder(message);
    bool aggregates = resolved.ok() && expression::Contains(*resolved->child, ExpressionKind::kAggregateCall);
    // Of a column that the SELECT does not show and one of the query outside, the nearer is meant.
    bool outer = resolved.ok() && made_below.empty() && !made_below.reads_hidden &&
                 child->kind() == logical::NodeKind::kProject && ReadsOther(*resolved->child, columns);
    if (resolved.ok() && !aggregates && !outer) {
      child = resolver.WithHidden(child, made_below);
      ARROW_ASSIGN_OR_RAISE(child, WidenForOrder(made_below, std::move(child), resolver.context().eval));
      orders.push_back(*resolved);
      continue;
    }
    if (child->kind() == logical::NodeKind::kAggregate) {
      const auto& aggregate = static_cast<const logical::Aggregate&>(*child);
      AttributeVector visible = child->output();
      visible.insert(visible.end(), aggregate.child()->output().begin(), aggregate.child()->output().end());
      auto below = resolver.Expressions(aggregate.child()->output()).ResolveSortOrder(message);
      if (!below.ok()) below = resolver.Expressions(visible).ResolveSortOrder(message);
      ARROW_RETURN_NOT_OK(resolved.ok() || below.ok() ? arrow::Status::OK() : resolved.status());
      if (below.ok()) {
        AggregateItems items(aggregate.grouping(), aggregate.items());
        below->child = items.Rewrite(below->child);
        PlanPtr extended = items.Aggregate(aggregate.child());
        ARROW_RETURN_NOT_OK(CheckReadsGroups(*below->child, *extended, aggregate.child()->output(), child->output()));
        child = std::move(extended);
        orders.push_back(*below);
        continue;
      }
    }
    // SELECT … is a projection, perhaps over an aggregate or a filter (HAVING).
    const PlanPtr hidden_from = child->children().empty() ? nullptr : child->child();
    if (hidden_from != nullptr && child->kind() == logical::NodeKind::kProject && (!resolved.ok() || outer)) {
      AttributeVector visible = child->output();
      visible.insert(visible.end(), hidden_from->output().begin(), hidden_from->output().end());
      auto below = resolver.Expressions(visible).ResolveSortOrder(message);
      if (!below.ok()) below = resolver.Expressions(hidden_from->output()).ResolveSortOrder(message);
      if (below.ok()) {
        PlanPtr wider = ShowHidden(child, Missing(below->child, child->output(), hidden_from->output()));
        if (wider != nullptr) {
          child = std::move(wider);
          orders.push_back(*below);
          continue;
        }
      }
    }
    ARROW_RETURN_NOT_OK(resolved.status());
    orders.push_back(*resolved);
  }
  ARROW_RETURN_NOT_OK(CheckOrders(orders, global));
  bool widened = child->output().size() != shown.size();
  PlanPtr sorted = std::make_shared<logical::Sort>(std::move(orders), global, std::move(child));
  return widened ? ProjectBack(shown, std::move(sorted)) : sorted;
}

arrow::Result<PlanPtr> ResolveLimit(RelationResolver& resolver, const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(relation.limit().input()));
  if (relation.limit().limit() < 0) {
    return UserError("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
                     {{"name", "limit"},
                      {"expr", QuoteSqlExpression(std::to_string(relation.limit().limit()))},
                      {"v", std::to_string(relation.limit().limit())}});
  }
  int64_t wanted = relation.limit().limit();
  if (child->kind() == logical::NodeKind::kLimit) {
    const auto& skipped = static_cast<const logical::Limit&>(*child);
    bool only_skips = !skipped.limit() && !skipped.tail();
    if (only_skips) child = child->WithChildren({StopRecursionAt(child->child(), wanted + skipped.offset())});
  } else {
    child = StopRecursionAt(child, wanted);
  }
  return std::make_shared<logical::Limit>(wanted, 0, false, std::move(child));
}

arrow::Result<PlanPtr> ResolveOffset(RelationResolver& resolver, const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(relation.offset().input()));
  if (relation.offset().offset() < 0) {
    return UserError("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
                     {{"name", "offset"},
                      {"expr", QuoteSqlExpression(std::to_string(relation.offset().offset()))},
                      {"v", std::to_string(relation.offset().offset())}});
  }
  return std::make_shared<logical::Limit>(std::nullopt, relation.offset().offset(), false, std::move(child));
}

arrow::Result<PlanPtr> ResolveTail(RelationResolver& resolver, const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(relation.tail().input()));
  return std::make_shared<logical::Limit>(relation.tail().limit(), 0, true, std::move(child));
}

arrow::Result<PlanPtr> ResolveSubqueryAlias(RelationResolver& resolver, const Relation& relation) {
  const auto& alias = relation.subquery_alias();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(alias.input()));
  std::vector<std::string> name(alias.qualifier().begin(), alias.qualifier().end());
  name.push_back(alias.alias());
  return std::make_shared<logical::SubqueryAlias>(std::move(name), std::move(child));
}

namespace {

// Source: Spark, Sample: bounds are differences of decimal fractions, so a little over or under is none.
arrow::Status CheckSampleBounds(const spark::connect::Sample& message) {
  constexpr double kRounding = 1e-6;
  double fraction = message.upper_bound() - message.lower_bound();
  bool refused = fraction < -kRounding || (!message.with_replacement() && fraction > 1 + kRounding);
  if (!refused && !std::isnan(fraction)) return arrow::Status::OK();
  return arrow::Status::Invalid(
      "requirement failed: Sampling fraction (", types::DoubleText(fraction), ") must be ",
      message.with_replacement() ? "nonnegative with replacement" : "on interval [0, 1] without replacement");
}

}  // namespace

arrow::Result<PlanPtr> ResolveSample(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.sample();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_RETURN_NOT_OK(CheckSampleBounds(message));
  int64_t seed = message.has_seed() ? message.seed() : resolver.context().eval.current_timestamp_us;
  // randomSplit puts rows in order before it draws; only a stream minds.
  if (message.deterministic_order() && child->is_streaming()) {
    std::vector<expression::SortOrder> order;
    for (const AttributePtr& column : child->output()) order.push_back({column, true, true});
    child = std::make_shared<logical::Sort>(std::move(order), /*global=*/false, std::move(child));
  }
  return std::make_shared<logical::Sample>(message.lower_bound(), message.upper_bound(), message.with_replacement(),
                                           seed, std::move(child));
}

}  // namespace millrace::analyzer
