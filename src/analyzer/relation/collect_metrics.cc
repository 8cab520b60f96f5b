#include "logical/node/collect_metrics.h"

#include "analyzer/aggregate_items.h"
#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

using expression::ExpressionKind;

// Source: Spark, CheckAnalysis.checkCollectedMetrics.
arrow::Status CheckMetric(const expression::Expression& named) {
  const expression::Expression& metric = named.kind() == ExpressionKind::kAlias ? *named.children()[0] : named;
  arrow::Status status;
  expression::Visit(metric, [&](const expression::Expression& node) {
    if (!status.ok()) return false;
    if (node.kind() == ExpressionKind::kAttribute) {
      status = UserError("INVALID_OBSERVED_METRICS.NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE",
                         {{"expr", QuoteSqlExpression(node.Sql(true))}});
    }
    if (node.kind() != ExpressionKind::kAggregateCall) return true;
    if (static_cast<const expression::AggregateCall&>(node).distinct()) {
      status = UserError("INVALID_OBSERVED_METRICS.AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED",
                         {{"expr", QuoteSqlExpression(named.Sql(true))}});
    }
    for (const ExpressionPtr& argument : node.children()) {
      if (expression::Contains(*argument, ExpressionKind::kAggregateCall)) {
        status = UserError("INVALID_OBSERVED_METRICS.NESTED_AGGREGATES_UNSUPPORTED",
                           {{"expr", QuoteSqlExpression(node.Sql(true))}});
      }
    }
    return false;
  });
  return status;
}

}  // namespace

arrow::Result<PlanPtr> ResolveCollectMetrics(RelationResolver& resolver, const spark::connect::Relation& relation) {
  const auto& message = relation.collect_metrics();
  if (message.name().empty()) {
    return UserError("INVALID_OBSERVED_METRICS.MISSING_NAME", {{"operator", "CollectMetrics"}});
  }
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector metrics,
                        resolver.Expressions(child->output()).ResolveItems(message.metrics()));
  for (const ExpressionPtr& metric : metrics) {
    ARROW_RETURN_NOT_OK(CheckMetric(*metric));
  }
  int64_t plan_id = relation.common().has_plan_id() ? relation.common().plan_id() : -1;
  return std::make_shared<logical::CollectMetrics>(message.name(), std::move(metrics), plan_id, std::move(child));
}

}  // namespace millrace::analyzer
