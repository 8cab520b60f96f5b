#pragma once

#include "analyzer/subqueries.h"
#include "logical/node/join.h"

namespace millrace::analyzer {

/// Columns of `outer` that `plan` reads, once each, in the order in which they are met.
AttributeVector OuterColumns(const logical::Plan& plan, const AttributeVector& outer);
/// "a, b, a": every reading of a column of `outer`, as Spark shows a subquery.
std::string OuterReferencesText(const logical::Plan& plan, const AttributeVector& outer);

/// A subquery that reads outer columns anywhere, made to read `domain` columns of its own: one result for each of the
/// domain's rows.
struct DomainPlan {
  PlanPtr plan;
  /// Columns of `plan`, one for each outer column.
  AttributeVector domain;
};

/// Runs the subquery for all values of `columns` in `input` at once: the distinct values are joined where the subquery
/// reads them, and go through its operators as further keys.
/// Errors: UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.… for operators that cannot have them.
/// Source: T. Neumann, A. Kemper: Unnesting Arbitrary Queries (BTW 2015); Spark, DecorrelateInnerQuery.
arrow::Result<DomainPlan> JoinWithDomain(const PlanPtr& plan, const AttributeVector& columns, const PlanPtr& input,
                                         const expression::EvalContext& eval);

/// Joins `left` with what `right` is for each of its rows (LATERAL); `conditions` are over the columns of both. The
/// output is that of both.
arrow::Result<PlanPtr> JoinBeside(logical::JoinType type, PlanPtr left, PlanPtr right, ExpressionVector conditions,
                                  const expression::EvalContext& eval);

/// left[i] <=> right[i], for all.
arrow::Result<ExpressionVector> SameValues(const AttributeVector& left, const AttributeVector& right,
                                           const expression::EvalContext& eval);

}  // namespace millrace::analyzer
