#pragma once

#include "logical/node/groups_in_python.h"
#include "physical/planner.h"
#include "python/environment.h"
#include "python/task_protocol.h"

namespace millrace::physical {

/// The columns of one child of an operator that hands groups of rows to Python.
struct GroupedInput {
  /// Positions in the child's output.
  std::vector<int> keys;
  /// What the worker is sent: keys that are no values, then the values.
  std::vector<int> columns;
  std::shared_ptr<arrow::Schema> schema;
};
/// `arguments` gets what tells the worker which of the columns sent are keys and which values.
arrow::Result<GroupedInput> MakeGroupedInput(const logical::GroupedColumns& columns, const Operator& child,
                                             const python::Environment& environment,
                                             std::vector<python::TaskArgument>* arguments);

/// The rows of a group side by side in one partition, partitions sorted by the keys; 0: any number of partitions.
arrow::Result<OperatorPtr> PlanSortedGroups(const logical::GroupedColumns& columns, const logical::PlanPtr& child,
                                            int num_partitions, const std::set<expression::AttributeId>& needed,
                                            Planner& planner);
/// A task that runs one function over groups with state; its arguments are not yet known.
python::TaskSpec TaskOf(const python::UserFunctionPtr& function, const python::Environment& environment);

/// The rows that a Python function makes of each group: applyInPandas, applyInArrow; of two children the groups of
/// equal keys. The children give the rows of a group in one partition, partitions sorted by the keys.
class GroupsInPython final : public Operator {
 public:
  struct Spec {
    python::EnvironmentPtr environment;
    python::TaskSpec task;
    std::vector<GroupedInput> inputs;
    /// The function takes each row as one struct.
    bool as_struct = false;
    std::vector<types::DataTypePtr> output_types;
    std::string text;
  };

  GroupsInPython(Spec spec, AttributeVector output, std::vector<OperatorPtr> children);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

bool MatchesGroupsInPython(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanGroupsInPython(const logical::PlanPtr& node, const RequiredColumns& required,
                                              Planner& planner);

}  // namespace millrace::physical
