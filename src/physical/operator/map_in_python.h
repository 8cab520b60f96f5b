#pragma once

#include "physical/planner.h"
#include "python/environment.h"
#include "python/task_protocol.h"

namespace millrace::physical {

/// The rows that a Python function makes of all rows of a partition: mapInPandas, mapInArrow, foreachPartition.
/// The function is called for an empty partition too.
class MapInPython final : public Operator {
 public:
  struct Spec {
    python::EnvironmentPtr environment;
    python::TaskSpec task;
    /// Columns of the child, in the order the function sees them.
    std::vector<int> columns;
    std::shared_ptr<arrow::Schema> input_schema;
    std::vector<types::DataTypePtr> output_types;
    std::string text;
  };

  MapInPython(Spec spec, AttributeVector output, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

/// The position of column `id` among those of `child`. Errors: InternalError when it is not there.
arrow::Result<int> ColumnIndex(const Operator& child, expression::AttributeId id);

bool MatchesMapInPython(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanMapInPython(const logical::PlanPtr& node, const RequiredColumns& required,
                                           Planner& planner);

}  // namespace millrace::physical
