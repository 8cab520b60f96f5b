#pragma once

#include "physical/planner.h"

namespace millrace::physical {

/// A random part of the rows. Without replacement, Spark's own draws (its generator, seeded with seed + partition), so
/// that the same partitions give the same sample; with replacement, Poisson draws of our own.
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
