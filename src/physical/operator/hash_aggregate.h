#pragma once

#include "physical/aggregation.h"
#include "physical/planner.h"
#include "physical/shuffle_order.h"

namespace millrace::physical {

/// Groups rows by hashing. One partition below is aggregated in one go; several are aggregated by a task each and
/// their groups merged, by key hash over several tasks when there are many groups. What one task merges comes out in
/// Spark's order (shuffle_order.h).
class HashAggregate final : public Operator {
 public:
  /// `text`: "keys=[…]" and "functions=[…]" of explain().
  struct Text {
    std::string keys;
    std::string functions;
    std::string partial_functions;
  };

  HashAggregate(AggregationPlan plan, ExpressionSet results, ShuffleOrder order, AttributeVector output, Text text,
                OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;
  std::vector<std::string> DescribeStack() const override;
  bool starts_stage() const override { return true; }

 private:
  AggregationPlan plan_;
  ExpressionSet results_;
  ShuffleOrder order_;
  Text text_;
};

bool MatchesHashAggregate(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanHashAggregate(const logical::PlanPtr& node, const RequiredColumns& required,
                                             Planner& planner);

}  // namespace millrace::physical
