#pragma once

#include "physical/expression_set.h"
#include "physical/planner.h"
#include "python/environment.h"
#include "python/task_protocol.h"

namespace millrace::physical {

/// Adds the columns that Python functions make of each row: a worker a partition computes, while the next rows are
/// made.
class EvalPython final : public Operator {
 public:
  struct Spec {
    python::EnvironmentPtr environment;
    /// All but the partition.
    python::TaskSpec task;
    /// What the worker is sent: each argument once.
    ExpressionSet arguments;
    std::shared_ptr<arrow::Schema> argument_schema;
    std::vector<types::DataTypePtr> argument_types;
    std::vector<types::DataTypePtr> result_types;
    /// Columns of the child that go on.
    std::vector<int> kept;
    std::string text;
  };

  EvalPython(Spec spec, AttributeVector output, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

bool MatchesEvalPython(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanEvalPython(const logical::PlanPtr& node, const RequiredColumns& required,
                                          Planner& planner);

}  // namespace millrace::physical
