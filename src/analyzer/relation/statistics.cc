#include <algorithm>

#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "expression/cast.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/expand.h"
#include "spark/connect/relations.pb.h"

/// df.describe, df.summary, df.stat: frames that are one aggregate.

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributeReference;
using expression::Cast;
using expression::CastMode;
using expression::Literal;
using function::BindCall;
using spark::connect::Relation;

arrow::Result<ExpressionPtr> Statistic(const std::string& name, const AttributePtr& column,
                                       const expression::EvalContext& eval) {
  if (name == "count" || name == "min" || name == "max") return BindCall(name, {column}, eval);
  // Text counts as the number it may hold.
  ExpressionPtr number = column;
  if (!column->type()->is_numeric()) {
    number = std::make_shared<Cast>(column, types::Double(), CastMode::kTry, false);
  }
  if (name == "mean") return BindCall("avg", {number}, eval);
  if (name == "stddev") return BindCall("stddev_samp", {number}, eval);
  if (name == "count_distinct") return BindCall("count", {column}, eval, true);
  if (name == "approx_count_distinct") return BindCall("approx_count_distinct", {column}, eval);
  if (name.ends_with('%')) {
    double percent = std::atof(name.c_str());
    if (percent < 0 || percent > 100) return arrow::Status::Invalid("Percentiles must be in the range [0, 1]");
    ExpressionPtr fraction = Literal::Double(percent / 100);
    return BindCall("percentile_approx", {number, std::move(fraction)}, eval);
  }
  return arrow::Status::Invalid(name, " is not a recognised statistic");
}

// One row a statistic: its name, then its value for each column, as text. Source: Spark, StatFunctions.summary.
arrow::Result<PlanPtr> Summary(const std::vector<std::string>& statistics, const AttributeVector& columns,
                               PlanPtr child, const expression::EvalContext& eval) {
  ExpressionVector items;
  std::vector<ExpressionVector> projections;
  for (const std::string& statistic : statistics) {
    ExpressionVector& projection = projections.emplace_back(ExpressionVector{Literal::String(statistic)});
    for (const AttributePtr& column : columns) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Statistic(statistic, column, eval));
      items.push_back(std::make_shared<Alias>(std::move(value), statistic));
      ExpressionPtr made = expression::ToAttribute(items.back());
      projection.push_back(std::make_shared<Cast>(std::move(made), types::String(), CastMode::kAnsi, false));
    }
  }
  AttributeVector output{
      std::make_shared<AttributeReference>(expression::NextAttributeId(), "summary", types::String(), true)};
  for (const AttributePtr& column : columns) {
    output.push_back(
        std::make_shared<AttributeReference>(expression::NextAttributeId(), column->name(), types::String(), true));
  }
  PlanPtr row = std::make_shared<logical::Aggregate>(ExpressionVector{}, std::move(items), std::move(child));
  return std::make_shared<logical::Expand>(std::move(projections), std::move(output), std::move(row));
}

arrow::Result<AttributeVector> SummarisedColumns(RelationResolver& resolver, const PlanPtr& child,
                                                 const std::vector<std::string>& names) {
  AttributeVector columns;
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.ResolveColumn(name, child->output()));
    columns.push_back(expression::ToAttribute(column));
  }
  if (!names.empty()) return columns;
  for (const AttributePtr& column : child->output()) {
    if (column->type()->is_numeric() || column->type()->id() == types::TypeId::kString) columns.push_back(column);
  }
  return columns;
}

arrow::Result<PlanPtr> OfTwoColumns(RelationResolver& resolver, PlanPtr child, const std::string& function,
                                    const std::string& left, const std::string& right, const std::string& name,
                                    const std::string& what) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr first, resolver.ResolveColumn(left, child->output()));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr second, resolver.ResolveColumn(right, child->output()));
  for (const ExpressionPtr& column : {first, second}) {
    if (column->type()->is_numeric()) continue;
    return arrow::Status::Invalid("requirement failed: Currently ", what, " calculation for columns with dataType ",
                                  column->type()->CatalogString(), " not supported.");
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, BindCall(function, {first, second}, resolver.context().eval));
  return std::make_shared<logical::Aggregate>(
      ExpressionVector{}, ExpressionVector{std::make_shared<Alias>(std::move(value), name)}, std::move(child));
}

}  // namespace

arrow::Result<PlanPtr> ResolveDescribe(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.describe();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(AttributeVector columns,
                        SummarisedColumns(resolver, child, {message.cols().begin(), message.cols().end()}));
  return Summary({"count", "mean", "stddev", "min", "max"}, columns, std::move(child), resolver.context().eval);
}

arrow::Result<PlanPtr> ResolveSummary(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.summary();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  std::vector<std::string> statistics(message.statistics().begin(), message.statistics().end());
  if (statistics.empty()) statistics = {"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"};
  ARROW_ASSIGN_OR_RAISE(AttributeVector columns, SummarisedColumns(resolver, child, {}));
  return Summary(statistics, columns, std::move(child), resolver.context().eval);
}

arrow::Result<PlanPtr> ResolveCorrelation(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.corr();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  return OfTwoColumns(resolver, std::move(child), "corr", message.col1(), message.col2(), "corr", "correlation");
}

arrow::Result<PlanPtr> ResolveCovariance(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.cov();
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  return OfTwoColumns(resolver, std::move(child), "covar_samp", message.col1(), message.col2(), "cov", "covariance");
}

}  // namespace millrace::analyzer
