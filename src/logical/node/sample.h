#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// A random part of the rows: those whose draw lies in [lower, upper), or Poisson draws with replacement.
class Sample final : public Plan {
 public:
  Sample(double lower, double upper, bool with_replacement, int64_t seed, PlanPtr child)
      : Plan(NodeKind::kSample, {child}, child->output()),
        lower_(lower),
        upper_(upper),
        with_replacement_(with_replacement),
        seed_(seed) {}
  double lower() const { return lower_; }
  double upper() const { return upper_; }
  bool with_replacement() const { return with_replacement_; }
  int64_t seed() const { return seed_; }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Sample>(lower_, upper_, with_replacement_, seed_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  double lower_;
  double upper_;
  bool with_replacement_;
  int64_t seed_;
};

}  // namespace millrace::logical
