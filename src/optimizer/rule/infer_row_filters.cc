#include <algorithm>

#include "expression/call.h"
#include "expression/generator.h"
#include "function/bind.h"
#include "logical/node/filter.h"
#include "logical/node/generate.h"
#include "logical/node/join.h"
#include "optimizer/rule.h"

/// What a join or a generator makes nothing of leaves before a watermark below has seen its time, as with Spark. Plans
/// without a watermark gain nothing by it and stay as they are.

namespace millrace::optimizer {

namespace {

using logical::JoinType;
using logical::NodeKind;

// The columns whose NULL makes the value NULL.
void AddColumns(const ExpressionPtr& value, std::map<AttributeId, ExpressionPtr>* columns) {
  if (value->kind() == ExpressionKind::kAttribute) {
    if (value->nullable()) columns->emplace(static_cast<const expression::AttributeReference&>(*value).id(), value);
  } else if (value->kind() == ExpressionKind::kCast) {
    AddColumns(value->children()[0], columns);
  }
}

arrow::Result<PlanPtr> WithoutNulls(const std::map<AttributeId, ExpressionPtr>& columns, const PlanPtr& child,
                                    const EvalContext& context) {
  std::set<AttributeId> own = IdsOf(child->output());
  ExpressionVector conjuncts;
  for (const auto& [id, column] : columns) {
    if (!own.contains(id)) continue;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr known, function::BindCall("isnotnull", {column}, context));
    conjuncts.push_back(std::move(known));
  }
  if (conjuncts.empty() || !HasWatermark(*child)) return child;
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(conjuncts), child);
}

// Rows of a side that keeps only those with a partner.
arrow::Result<PlanPtr> FilterKeys(const logical::Join& join, const EvalContext& context) {
  std::map<AttributeId, ExpressionPtr> columns;
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) {
    if (conjunct->kind() != ExpressionKind::kCall || static_cast<const expression::Call&>(*conjunct).name() != "=")
      continue;
    for (const ExpressionPtr& operand : conjunct->children()) AddColumns(operand, &columns);
  }
  if (columns.empty()) return PlanPtr();
  JoinType type = join.type();
  bool both = type == JoinType::kInner || type == JoinType::kCross || type == JoinType::kLeftSemi;
  PlanPtr left = join.left();
  PlanPtr right = join.right();
  if (both || type == JoinType::kRightOuter) {
    ARROW_ASSIGN_OR_RAISE(left, WithoutNulls(columns, left, context));
  }
  if (both || type == JoinType::kLeftOuter || type == JoinType::kLeftAnti) {
    ARROW_ASSIGN_OR_RAISE(right, WithoutNulls(columns, right, context));
  }
  if (left == join.left() && right == join.right()) return PlanPtr();
  return join.WithChildren({std::move(left), std::move(right)});
}

// Rows of which explode and its like make nothing.
arrow::Result<PlanPtr> FilterEmpty(const logical::Generate& generate, const EvalContext& context) {
  const std::string& name = static_cast<const expression::GeneratorCall&>(*generate.generator()).name();
  if (generate.outer() || (name != "explode" && name != "posexplode" && name != "inline")) return PlanPtr();
  const ExpressionPtr& collection = generate.generator()->children()[0];
  if (collection->kind() != ExpressionKind::kAttribute || !HasWatermark(*generate.child())) return PlanPtr();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr size, function::BindCall("size", {collection}, context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr some, function::BindCall(">", {size, expression::Literal::Integer(0)}, context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr known, function::BindCall("isnotnull", {collection}, context));
  return generate.WithChildren(
      {std::make_shared<logical::Filter>(logical::JoinConjuncts({known, some}), generate.child())});
}

}  // namespace

bool HasWatermark(const logical::Plan& plan) {
  if (plan.kind() == NodeKind::kWatermark) return true;
  return std::any_of(plan.children().begin(), plan.children().end(),
                     [](const PlanPtr& child) { return HasWatermark(*child); });
}

// Runs once: it does not see what it has put in.
arrow::Result<PlanPtr> InferRowFilters(const PlanPtr& plan, const EvalContext& context) {
  std::vector<PlanPtr> children;
  bool changed = false;
  for (const PlanPtr& child : plan->children()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr done, InferRowFilters(child, context));
    changed = changed || done != child;
    children.push_back(std::move(done));
  }
  PlanPtr node = changed ? plan->WithChildren(std::move(children)) : plan;
  PlanPtr filtered;
  if (node->kind() == NodeKind::kJoin) {
    const auto& join = static_cast<const logical::Join&>(*node);
    if (join.condition() == nullptr) return node;
    ARROW_ASSIGN_OR_RAISE(filtered, FilterKeys(join, context));
  } else if (node->kind() == NodeKind::kGenerate) {
    ARROW_ASSIGN_OR_RAISE(filtered, FilterEmpty(static_cast<const logical::Generate&>(*node), context));
  }
  return filtered == nullptr ? node : filtered;
}

}  // namespace millrace::optimizer
