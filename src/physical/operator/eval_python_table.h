#pragma once

#include "physical/expression_set.h"
#include "physical/planner.h"
#include "python/environment.h"
#include "python/task_protocol.h"

namespace millrace::physical {

/// The rows that a Python table function makes of each row, beside the row's own columns. What it makes when a
/// partition ends (terminate) stands beside the partition's last row.
class EvalPythonTable final : public Operator {
 public:
  struct Spec {
    python::EnvironmentPtr environment;
    python::TaskSpec task;
    ExpressionSet arguments;
    std::vector<types::DataTypePtr> argument_types;
    std::shared_ptr<arrow::Schema> argument_schema;
    std::vector<types::DataTypePtr> result_types;
    std::shared_ptr<arrow::Schema> result_schema;
    /// The rows made of one row sent, for functions without Arrow.
    types::DataTypePtr pickled_type;
    std::vector<int> kept;
    std::string text;
  };

  EvalPythonTable(Spec spec, AttributeVector output, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

/// For a Generate whose generator is a Python function.
arrow::Result<OperatorPtr> PlanEvalPythonTable(const logical::PlanPtr& node, const RequiredColumns& required,
                                               Planner& planner);

}  // namespace millrace::physical
