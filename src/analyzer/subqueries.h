#pragma once

#include <string>
#include <vector>

#include "expression/eval_context.h"
#include "logical/plan.h"

namespace millrace::analyzer {

using expression::AttributePtr;
using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::PlanPtr;

/// A subquery's plan without what read the outer query, and the conditions that did: they read columns of the outer
/// query and of `plan`'s output.
struct Decorrelated {
  PlanPtr plan;
  ExpressionVector conditions;
};

/// Moves the conditions of `plan` that read columns of `outer` out of it.
/// Errors: UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.… where such a column stands elsewhere.
/// Source: Spark, PullupCorrelatedPredicates.
arrow::Result<Decorrelated> Decorrelate(const PlanPtr& plan, const AttributeVector& outer);

/// The subqueries that the expressions of one operator contain. Each is a column in those expressions; the operator's
/// input is joined with what makes the columns. Source: Spark, RewritePredicateSubquery,
/// RewriteCorrelatedScalarSubquery.
class Subqueries {
 public:
  /// (SELECT …) as a value: NULL without a row. Errors: INVALID_SUBQUERY_EXPRESSION.…, and Decorrelate's.
  arrow::Result<ExpressionPtr> AddScalar(const PlanPtr& plan, const AttributeVector& outer,
                                         const expression::EvalContext& eval);
  /// EXISTS (SELECT …).
  arrow::Result<ExpressionPtr> AddExists(const PlanPtr& plan, const AttributeVector& outer);
  /// The column of a subquery that was added under the same `text` (its message; empty for none); null when there is
  /// none. `values` are those before IN.
  ExpressionPtr Find(const std::string& text, const ExpressionVector& values) const;
  /// What Find looks for, of the column that was added last.
  void NameLast(const expression::Expression& column, std::string text, ExpressionVector values);
  /// `values` IN (SELECT …).
  arrow::Result<ExpressionPtr> AddIn(const ExpressionVector& values, const PlanPtr& plan, const AttributeVector& outer,
                                     const expression::EvalContext& eval);
  /// Whether `value` is the column of a subquery.
  bool IsColumn(const expression::Expression& value) const;
  /// Those of `columns` that the subqueries and the values before IN read.
  AttributeVector Reads(const AttributeVector& columns) const;
  /// The subqueries of a join's condition, by the input whose columns they read (either, where they read none).
  /// Errors: UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION for both.
  arrow::Status Split(const AttributeVector& left_columns, const AttributeVector& right_columns, Subqueries* left,
                      Subqueries* right) const;
  bool empty() const { return scalars_.empty() && predicates_.empty(); }

  /// `input` with a column for each subquery.
  arrow::Result<PlanPtr> Apply(PlanPtr input, const expression::EvalContext& eval) const;
  /// The rows of `input` for which `condition` holds; EXISTS and IN that stand alone among its conjuncts become semi
  /// and anti joins. The output may have columns more than `input`.
  arrow::Result<PlanPtr> Filter(const ExpressionPtr& condition, PlanPtr input,
                                const expression::EvalContext& eval) const;

 private:
  struct Scalar {
    AttributePtr column;
    Decorrelated subquery;
    /// What the value is where no row matches; null for NULL.
    ExpressionPtr on_empty;
    /// How many rows match, where nothing promises that it is one; null otherwise.
    AttributePtr num_rows;
    /// Outer columns to run `original` for (JoinWithDomain); empty where conditions alone say it.
    AttributeVector domain;
    PlanPtr original;
  };
  struct Predicate {
    AttributePtr column;
    Decorrelated subquery;
    /// IN: value = column of the subquery, all of them; null for EXISTS.
    ExpressionPtr equal;
    /// IN: the values.
    ExpressionVector values;
    /// As of Scalar. `original` is always set; with an empty `domain` and a `subquery.plan` that is null it reads
    /// nothing outside.
    AttributeVector domain;
    PlanPtr original;
  };

  static arrow::Status MakeScalar(const PlanPtr& plan, const AttributeVector& outer,
                                  const expression::EvalContext& eval, Scalar* scalar);
  static arrow::Status Correlate(const PlanPtr& plan, const AttributeVector& outer, Predicate* predicate);
  static arrow::Status CountMatches(Scalar* scalar, const expression::EvalContext& eval);
  arrow::Result<PlanPtr> JoinScalar(const Scalar& scalar, PlanPtr input, const expression::EvalContext& eval) const;
  arrow::Result<PlanPtr> JoinPredicate(const Predicate& predicate, PlanPtr input,
                                       const expression::EvalContext& eval) const;
  arrow::Result<PlanPtr> JoinScalarByDomain(const Scalar& scalar, PlanPtr input,
                                            const expression::EvalContext& eval) const;
  arrow::Result<PlanPtr> JoinPredicateByDomain(const Predicate& predicate, PlanPtr input,
                                               const expression::EvalContext& eval) const;
  arrow::Result<PlanPtr> JoinTuples(const Predicate& predicate, PlanPtr input,
                                    const expression::EvalContext& eval) const;
  arrow::Result<PlanPtr> SemiOrAnti(const Predicate& predicate, bool negated, PlanPtr input,
                                    const expression::EvalContext& eval) const;

  /// A subquery as it was written.
  struct Written {
    std::string text;
    ExpressionVector values;
    expression::AttributeId column;
  };

  std::vector<Scalar> scalars_;
  std::vector<Predicate> predicates_;
  std::vector<Written> written_;
};

}  // namespace millrace::analyzer
