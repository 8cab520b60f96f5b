#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Passes rows on and computes `metrics`, named aggregates over them, aside (DataFrame.observe).
class CollectMetrics final : public Plan {
 public:
  CollectMetrics(std::string name, ExpressionVector metrics, int64_t plan_id, PlanPtr child)
      : Plan(NodeKind::kCollectMetrics, {child}, child->output()),
        name_(std::move(name)),
        metrics_(std::move(metrics)),
        plan_id_(plan_id) {}
  const std::string& name() const { return name_; }
  /// As the items of an Aggregate without grouping.
  const ExpressionVector& metrics() const { return metrics_; }
  /// The client's number of the frame; -1 for none.
  int64_t plan_id() const { return plan_id_; }
  /// The metrics as fields of a row.
  types::DataTypePtr MetricsSchema() const;

  ExpressionVector expressions() const override { return metrics_; }
  PlanPtr WithExpressions(ExpressionVector expressions) const override {
    return std::make_shared<CollectMetrics>(name_, std::move(expressions), plan_id_, child());
  }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<CollectMetrics>(name_, metrics_, plan_id_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  std::string name_;
  ExpressionVector metrics_;
  int64_t plan_id_;
};

}  // namespace millrace::logical
