#pragma once

#include "physical/expression_set.h"
#include "physical/planner.h"

namespace millrace::physical {

/// The rows sorted by their keys, as Spark's sort-merge join leaves few rows. One partition; more rows than anybody
/// looks through come as they are.
class KeySort final : public Operator {
 public:
  /// `keys`: lists of as many keys; a row's are the first that are not NULL.
  static arrow::Result<OperatorPtr> Make(const std::vector<expression::ExpressionVector>& keys, OperatorPtr child);

  KeySort(std::vector<ExpressionSet> keys, OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return "Sort"; }
  std::vector<std::string> DescribeStack() const override { return {}; }
  bool starts_stage() const override { return true; }

 private:
  std::vector<ExpressionSet> keys_;
};

}  // namespace millrace::physical
