#pragma once

#include "expression/generator.h"
#include "physical/expression_set.h"
#include "physical/planner.h"

namespace millrace::physical {

/// For each row, the rows its generator makes, beside those of the row's own columns that are needed.
class Generate final : public Operator {
 public:
  struct Spec {
    std::shared_ptr<const expression::GeneratorCall> generator;
    ExpressionSet arguments;
    /// Positions of the child's columns that go on.
    std::vector<int> kept;
    /// A row for which nothing is made stays, with NULLs.
    bool outer = false;
    std::string text;
  };

  Generate(Spec spec, AttributeVector output, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

bool MatchesGenerate(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanGenerate(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner);

}  // namespace millrace::physical
