#pragma once

#include "logical/node/groups_with_state.h"
#include "physical/operator/groups_in_python.h"
#include "physical/planner.h"

namespace millrace::physical {

/// mapGroupsWithState and flatMapGroupsWithState of C++ over rows that are no stream: each group is seen once, with no
/// state but the one that the second child, when there is one, gives it. The children give the rows of a group in one
/// partition, partitions sorted by the keys.
/// Source: Spark, FlatMapGroupsWithStateExec.generateSparkPlanForBatchQueries.
class GroupsOnce final : public Operator {
 public:
  struct Spec {
    expression::NativeFunctionPtr function;
    std::vector<int> key_order;
    std::vector<GroupedInput> inputs;
    logical::GroupStateTimeout timeout = logical::GroupStateTimeout::kNone;
    bool has_watermark = false;
    std::string text;
  };

  GroupsOnce(Spec spec, AttributeVector output, std::vector<OperatorPtr> children)
      : Operator(std::move(children), std::move(output)), spec_(std::move(spec)) {}

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

arrow::Result<OperatorPtr> PlanGroupsOnce(const logical::GroupsWithState& node, Planner& planner);

}  // namespace millrace::physical
