#pragma once

#include <optional>

#include "physical/aggregation.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Passes rows on and aggregates them aside. What a partition saw counts when its stream ends or is dropped, so that a
/// limit above leaves the metrics of the rows it read.
class CollectMetrics final : public Operator {
 public:
  struct Spec {
    std::string name;
    int64_t plan_id = -1;
    types::DataTypePtr schema;
    std::string text;
  };

  CollectMetrics(Spec spec, AggregationPlan plan, ExpressionSet results, OperatorPtr child);

  arrow::Status Prepare(ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }

  const Spec& spec() const { return spec_; }
  /// After a run: one row with the schema of the metrics. REQUIRES: Prepare was called.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Finish(ExecutionContext& context) const;

 private:
  Spec spec_;
  AggregationPlan plan_;
  ExpressionSet results_;
};

/// The metrics of a run, by name.
struct ObservedMetrics {
  std::string name;
  int64_t plan_id = -1;
  types::DataTypePtr schema;
  std::shared_ptr<arrow::RecordBatch> row;
};
arrow::Result<std::vector<ObservedMetrics>> FinishObservedMetrics(const Operator& root, ExecutionContext& context);

/// Whether any operator of the plan is one.
bool CollectsMetrics(const Operator& root);

bool MatchesCollectMetrics(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanCollectMetrics(const logical::PlanPtr& node, const RequiredColumns& required,
                                              Planner& planner);

}  // namespace millrace::physical
