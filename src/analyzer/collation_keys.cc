#include "analyzer/collation_keys.h"

#include <algorithm>

#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/collated_text.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/project.h"
#include "logical/node/sort.h"
#include "logical/node/window.h"
#include "types/collation.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributePtr;
using expression::AttributeVector;
using expression::CollationKey;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::NodeKind;
using logical::PlanPtr;

bool Collated(const ExpressionPtr& value) { return types::HoldsCollation(*value->type()); }

bool AnyCollated(const AttributeVector& columns) {
  return std::any_of(columns.begin(), columns.end(), [](const AttributePtr& column) { return Collated(column); });
}

bool HoldsAny(const logical::Plan& plan) {
  bool found = false;
  logical::VisitPlan(plan, [&](const logical::Plan& node) { found = found || AnyCollated(node.output()); });
  return found;
}

// State finds keys by their bytes.
arrow::Status CheckBatch(const logical::Plan& node) {
  if (!node.is_streaming()) return arrow::Status::OK();
  std::vector<types::StructField> fields;
  for (const AttributePtr& column : node.output()) fields.push_back(column->ToField());
  return UserError("STATE_STORE_UNSUPPORTED_OPERATION_BINARY_INEQUALITY",
                   {{"schema", types::Struct(std::move(fields))->ToJson()}});
}

// What stands in `value` for a key, outside of aggregates, becomes any of the group's texts: the first.
arrow::Result<ExpressionPtr> FirstOfGroup(const ExpressionPtr& value, const ExpressionVector& keys,
                                          const expression::EvalContext& eval) {
  if (value->kind() == ExpressionKind::kAggregateCall) return value;
  for (const ExpressionPtr& key : keys) {
    if (expression::SemanticallyEqual(*key, *value)) return function::BindCall("first", {value}, eval);
  }
  ExpressionVector children;
  for (const ExpressionPtr& child : value->children()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, FirstOfGroup(child, keys, eval));
    children.push_back(std::move(made));
  }
  return children.empty() ? value : value->WithChildren(std::move(children));
}

arrow::Result<PlanPtr> GroupByKeys(const logical::Aggregate& aggregate, const expression::EvalContext& eval) {
  ExpressionVector collated, grouping;
  for (const ExpressionPtr& key : aggregate.grouping()) {
    if (Collated(key)) collated.push_back(key);
    grouping.push_back(CollationKey(key));
  }
  if (collated.empty()) return PlanPtr();
  ARROW_RETURN_NOT_OK(CheckBatch(aggregate));
  ExpressionVector items;
  for (const ExpressionPtr& item : aggregate.items()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, FirstOfGroup(item, collated, eval));
    if (item->kind() == ExpressionKind::kAttribute && made != item) {
      AttributePtr column = expression::ToAttribute(item);
      made = std::make_shared<Alias>(std::move(made), column->name(), column->id(), column->metadata_json());
    }
    items.push_back(std::move(made));
  }
  return std::make_shared<logical::Aggregate>(std::move(grouping), std::move(items), aggregate.child());
}

arrow::Result<PlanPtr> DeduplicateByKeys(const logical::Deduplicate& distinct) {
  if (!AnyCollated(distinct.keys())) return PlanPtr();
  ARROW_RETURN_NOT_OK(CheckBatch(distinct));
  const AttributeVector columns = distinct.output();
  ExpressionVector items(columns.begin(), columns.end());
  AttributeVector keys;
  for (const AttributePtr& key : distinct.keys()) {
    if (!Collated(key)) {
      keys.push_back(key);
      continue;
    }
    items.push_back(std::make_shared<Alias>(CollationKey(key), key->name()));
    keys.push_back(expression::ToAttribute(items.back()));
  }
  PlanPtr keyed = std::make_shared<logical::Project>(std::move(items), distinct.child());
  PlanPtr once = std::make_shared<logical::Deduplicate>(std::move(keys), distinct.within_watermark(), std::move(keyed));
  return std::make_shared<logical::Project>(ExpressionVector(columns.begin(), columns.end()), std::move(once));
}

std::vector<expression::SortOrder> OrderedByKeys(std::vector<expression::SortOrder> orders) {
  for (expression::SortOrder& order : orders) order.child = CollationKey(order.child);
  return orders;
}

arrow::Result<PlanPtr> RewriteNode(const PlanPtr& node, const expression::EvalContext& eval) {
  switch (node->kind()) {
    case NodeKind::kAggregate:
      return GroupByKeys(static_cast<const logical::Aggregate&>(*node), eval);
    case NodeKind::kDeduplicate:
      return DeduplicateByKeys(static_cast<const logical::Deduplicate&>(*node));
    case NodeKind::kSort: {
      const auto& sort = static_cast<const logical::Sort&>(*node);
      return std::make_shared<logical::Sort>(OrderedByKeys(sort.orders()), sort.global(), sort.child());
    }
    case NodeKind::kWindow: {
      const auto& window = static_cast<const logical::Window&>(*node);
      logical::WindowSpec spec = window.spec();
      for (ExpressionPtr& key : spec.partition) key = CollationKey(key);
      spec.order = OrderedByKeys(std::move(spec.order));
      return std::make_shared<logical::Window>(std::move(spec), window.functions(), window.child());
    }
    default:
      return PlanPtr();
  }
}

arrow::Result<PlanPtr> Rewrite(const PlanPtr& plan, const expression::EvalContext& eval) {
  std::vector<PlanPtr> children;
  bool changed = false;
  for (const PlanPtr& child : plan->children()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr made, Rewrite(child, eval));
    changed = changed || made != child;
    children.push_back(std::move(made));
  }
  PlanPtr node = changed ? plan->WithChildren(std::move(children)) : plan;
  ARROW_ASSIGN_OR_RAISE(PlanPtr rewritten, RewriteNode(node, eval));
  return rewritten == nullptr ? node : rewritten;
}

}  // namespace

arrow::Result<PlanPtr> CompareByCollation(const PlanPtr& plan, const expression::EvalContext& eval) {
  return HoldsAny(*plan) ? Rewrite(plan, eval) : arrow::Result<PlanPtr>(plan);
}

}  // namespace millrace::analyzer
