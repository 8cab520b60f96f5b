#pragma once

#include "physical/planner.h"
#include "physical/shuffle_order.h"

namespace millrace::physical {

/// The first row for each value of some columns. Several partitions below are each deduplicated by a task, and what
/// is left of them once more in partition order, so the rows kept are those a single task would keep. They come out in
/// Spark's order (shuffle_order.h) while they are few enough to be looked at.
class Deduplicate final : public Operator {
 public:
  /// `keys`: positions in the child's output.
  Deduplicate(std::vector<int> keys, ShuffleOrder order, OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext&) const override { return 1; }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;
  std::vector<std::string> DescribeStack() const override;
  bool starts_stage() const override { return true; }

 private:
  arrow::Result<Batches> Ordered(Batches batches, const ExecutionContext& context) const;

  std::vector<int> keys_;
  ShuffleOrder order_;
  std::vector<std::shared_ptr<arrow::DataType>> key_types_;
};

bool MatchesDeduplicate(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanDeduplicate(const logical::PlanPtr& node, const RequiredColumns& required,
                                           Planner& planner);

}  // namespace millrace::physical
