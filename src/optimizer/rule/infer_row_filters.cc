#include <algorithm>

#include "expression/call.h"
#include "expression/generator.h"
#include "function/bind.h"
#include "logical/node/filter.h"
#include "logical/node/generate.h"
#include "logical/node/join.h"
#include "optimizer/constraints.h"
#include "optimizer/rule.h"

/// What a join or a generator makes nothing of leaves before a watermark below has seen its time and before it enters
/// state, as with Spark. Other plans gain nothing by it and stay as they are.

namespace millrace::optimizer {

namespace {

using logical::JoinType;
using logical::NodeKind;

// `plan` filtered by what is known of its rows and does not hold for them yet. A predicate that can fail stays where
// the user has it.
arrow::Result<PlanPtr> Filtered(const Constraints& known, const PlanPtr& plan, const EvalContext& context) {
  Constraints all = known;
  ARROW_RETURN_NOT_OK(AddNotNull(known, plan->output(), context, &all));
  ARROW_ASSIGN_OR_RAISE(Constraints held, ConstraintsOf(*plan, context));
  std::set<AttributeId> own = IdsOf(plan->output());
  ExpressionVector conjuncts;
  for (const ExpressionPtr& predicate : all.all()) {
    if (expression::References(*predicate).empty() || !ReadsOnly(predicate, own) || predicate->can_fail()) continue;
    if (!held.Has(*predicate)) conjuncts.push_back(predicate);
  }
  if (conjuncts.empty()) return plan;
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(conjuncts), plan);
}

// A side that keeps only rows with a partner: what its partners are known to be holds for them where keys are equal.
arrow::Result<PlanPtr> FilterSides(const logical::Join& join, const EvalContext& context) {
  JoinType type = join.type();
  bool both = type == JoinType::kInner || type == JoinType::kCross || type == JoinType::kLeftSemi;
  bool to_left = (both || type == JoinType::kRightOuter) && join.left()->is_streaming();
  bool to_right = (both || type == JoinType::kLeftOuter || type == JoinType::kLeftAnti) && join.right()->is_streaming();
  if (!to_left && !to_right) return PlanPtr();
  ARROW_ASSIGN_OR_RAISE(Constraints base, ConstraintsOf(*join.left(), context));
  ARROW_ASSIGN_OR_RAISE(Constraints of_right, ConstraintsOf(*join.right(), context));
  base.AddAll(of_right);
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) base.Add(conjunct);
  Constraints known = base;
  AddInferred(base, &known);
  PlanPtr left = join.left();
  PlanPtr right = join.right();
  if (to_left) {
    ARROW_ASSIGN_OR_RAISE(left, Filtered(known, left, context));
  }
  if (to_right) {
    ARROW_ASSIGN_OR_RAISE(right, Filtered(known, right, context));
  }
  if (left == join.left() && right == join.right()) return PlanPtr();
  return join.WithChildren({std::move(left), std::move(right)});
}

// What the condition says beside: columns that are not NULL, and what holds for one holds for its equals.
arrow::Result<PlanPtr> Completed(const logical::Filter& filter, const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(Constraints all, ConstraintsOf(filter, context));
  ARROW_ASSIGN_OR_RAISE(Constraints held, ConstraintsOf(*filter.child(), context));
  ExpressionVector own = logical::SplitConjuncts(filter.condition());
  for (const ExpressionPtr& conjunct : own) held.Add(conjunct);
  ExpressionVector conjuncts;
  for (const ExpressionPtr& predicate : all.all()) {
    if (!predicate->can_fail() && !held.Has(*predicate)) conjuncts.push_back(predicate);
  }
  if (conjuncts.empty()) return PlanPtr();
  conjuncts.insert(conjuncts.end(), own.begin(), own.end());
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(conjuncts), filter.child());
}

// Rows of which explode and its like make nothing.
arrow::Result<PlanPtr> FilterEmpty(const logical::Generate& generate, const EvalContext& context) {
  const std::string& name = static_cast<const expression::GeneratorCall&>(*generate.generator()).name();
  if (generate.outer() || (name != "explode" && name != "posexplode" && name != "inline")) return PlanPtr();
  const ExpressionPtr& collection = generate.generator()->children()[0];
  if (collection->kind() != ExpressionKind::kAttribute) return PlanPtr();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr size, function::BindCall("size", {collection}, context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr some, function::BindCall(">", {size, expression::Literal::Integer(0)}, context));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr known, function::BindCall("isnotnull", {collection}, context));
  return generate.WithChildren(
      {std::make_shared<logical::Filter>(logical::JoinConjuncts({known, some}), generate.child())});
}

bool IsJoinOfStreams(const logical::Plan& plan) {
  return plan.kind() == NodeKind::kJoin && plan.children()[0]->is_streaming() && plan.children()[1]->is_streaming();
}

}  // namespace

bool CountsRows(const logical::Plan& plan) {
  if (plan.kind() == NodeKind::kWatermark || IsJoinOfStreams(plan)) return true;
  return std::any_of(plan.children().begin(), plan.children().end(),
                     [](const PlanPtr& child) { return CountsRows(*child); });
}

// Runs once, from above: what it puts in is seen below. Source: Spark, InferFiltersFromConstraints and
// InferFiltersFromGenerate.
arrow::Result<PlanPtr> InferRowFilters(const PlanPtr& plan, const EvalContext& context) {
  if (!plan->is_streaming()) return plan;
  PlanPtr filtered;
  if (plan->kind() == NodeKind::kJoin) {
    ARROW_ASSIGN_OR_RAISE(filtered, FilterSides(static_cast<const logical::Join&>(*plan), context));
  } else if (plan->kind() == NodeKind::kFilter) {
    ARROW_ASSIGN_OR_RAISE(filtered, Completed(static_cast<const logical::Filter&>(*plan), context));
  } else if (plan->kind() == NodeKind::kGenerate) {
    ARROW_ASSIGN_OR_RAISE(filtered, FilterEmpty(static_cast<const logical::Generate&>(*plan), context));
  }
  PlanPtr node = filtered == nullptr ? plan : filtered;
  std::vector<PlanPtr> children;
  bool changed = false;
  for (const PlanPtr& child : node->children()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr done, InferRowFilters(child, context));
    changed = changed || done != child;
    children.push_back(std::move(done));
  }
  return changed ? node->WithChildren(std::move(children)) : node;
}

}  // namespace millrace::optimizer
