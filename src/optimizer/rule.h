#pragma once

#include <map>
#include <set>
#include <string_view>

#include "expression/eval_context.h"
#include "logical/plan.h"

namespace millrace::optimizer {

using expression::AttributeId;
using expression::EvalContext;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::PlanPtr;

/// A rule maps a plan to an equivalent one: same columns (ids, names, types) and rows. It returns the very same pointer
/// when it finds nothing to do; that is how the end of the fixpoint is seen.
struct Rule {
  std::string_view name;
  arrow::Result<PlanPtr> (*apply)(const PlanPtr& plan, const EvalContext& context);
};

// One file each under rule/.
arrow::Result<PlanPtr> EliminateSubqueryAlias(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> FoldConstants(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> SimplifyExpressions(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> SimplifyExtractValue(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> UnwrapCast(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> CombineFilters(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> PushDownFilter(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> PushJoinCondition(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> PushDownSemiJoin(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> EliminateOuterJoin(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> CollapseProjects(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> CombineLimits(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> PruneColumns(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> PruneFromJsonFields(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> OfferFilters(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> PushFilterIntoScan(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> ComputeLocalRows(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> ExtractPythonUdfs(const PlanPtr& plan, const EvalContext& context);
arrow::Result<PlanPtr> RemoveRedundant(const PlanPtr& plan, const EvalContext& context);
/// Not to be repeated: each run adds its filters anew.
arrow::Result<PlanPtr> InferRowFilters(const PlanPtr& plan, const EvalContext& context);

// What several rules need.

using Substitution = std::map<AttributeId, ExpressionPtr>;
/// `root` with each attribute in `substitution` replaced. Lambda parameters have ids of their own and stay.
ExpressionPtr Substitute(const ExpressionPtr& root, const Substitution& substitution);
/// The aliases of named expressions: id → what it stands for.
Substitution AliasesOf(const ExpressionVector& items);
std::set<AttributeId> IdsOf(const expression::AttributeVector& columns);
/// Whether all attributes `root` reads are in `columns` (true when it reads none).
bool ReadsOnly(const ExpressionPtr& root, const std::set<AttributeId>& columns);
/// Computing it twice costs nothing worth saving: columns, literals, fields of structs, casts between numbers.
bool IsCheap(const ExpressionPtr& root);
bool AllDeterministic(const ExpressionVector& expressions);
/// Whether `plan`, or one below, sets a watermark or joins two streams: then it shows which rows come to it.
bool CountsRows(const logical::Plan& plan);
/// Whether it is NULL whenever one of its children is. Source: Spark, NullIntolerant; the usual ones.
bool IsNullIntolerant(const expression::Expression& value);

}  // namespace millrace::optimizer
