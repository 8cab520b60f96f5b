#pragma once

#include "logical/node/range.h"
#include "physical/planner.h"

namespace millrace::physical {

/// The numbers of a Range node, cut into partitions as Spark cuts them.
class RangeScan final : public Operator {
 public:
  RangeScan(const logical::Range& range, int num_partitions);

  int num_partitions(const ExecutionContext&) const override { return num_partitions_; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;

 private:
  int64_t start_;
  int64_t end_;
  int64_t step_;
  int num_partitions_;
};

bool MatchesRangeScan(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanRangeScan(const logical::PlanPtr& node, const RequiredColumns& required,
                                         Planner& planner);

}  // namespace millrace::physical
