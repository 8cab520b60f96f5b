#pragma once

#include "physical/planner.h"

namespace millrace::physical {

/// A random part of the rows: a draw for each row, from a generator of its partition. The same seed over the same
/// partitions draws the same numbers as Spark, so that adjoining bounds part the rows (randomSplit) and a sample can be
/// repeated. With replacement, Poisson draws.
class Sample final : public Operator {
 public:
  struct Spec {
    double lower = 0;
    double upper = 0;
    bool with_replacement = false;
    int64_t seed = 0;
    std::string text;
  };

  Sample(Spec spec, OperatorPtr child);

  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

 private:
  Spec spec_;
};

bool MatchesSample(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanSample(const logical::PlanPtr& node, const RequiredColumns& required, Planner& planner);

}  // namespace millrace::physical
