#pragma once

#include "physical/expression_set.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Each row once for every projection: what becomes of a row stays together, as in Spark.
class Expand final : public Operator {
 public:
  Expand(std::vector<ExpressionSet> projections, AttributeVector output, std::string text, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return text_; }

 private:
  std::vector<ExpressionSet> projections_;
  std::string text_;
};

bool MatchesExpand(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanExpand(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
