#pragma once

#include <optional>

#include "physical/expression_set.h"
#include "physical/key/sort_keys.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Sorts the whole result into one partition (partitions are sorted by tasks, then merged), or each partition for
/// itself. With a limit, only the first rows are kept (ORDER BY … LIMIT). Stable: equal rows keep the order of their
/// partitions and rows.
class Sort final : public Operator {
 public:
  struct Order {
    ExpressionSet keys;
    std::vector<KeyOrder> directions;
    bool global = true;
    /// Of a global sort: how many rows are wanted, offset rows skipped first.
    std::optional<int64_t> limit;
    int64_t offset = 0;
    std::string text;
  };

  Sort(Order order, OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;
  std::vector<std::string> DescribeStack() const override;
  bool starts_stage() const override { return order_.global; }

 private:
  Order order_;
};

bool MatchesTopRows(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanTopRows(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);
bool MatchesSort(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanSort(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
