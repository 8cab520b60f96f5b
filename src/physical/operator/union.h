#pragma once

#include "physical/planner.h"

namespace millrace::physical {

/// All partitions of all children, one after another.
class Union final : public Operator {
 public:
  Union(AttributeVector output, std::vector<OperatorPtr> children);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return "Union"; }
};

bool MatchesUnion(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanUnion(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
