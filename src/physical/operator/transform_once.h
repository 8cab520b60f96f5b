#pragma once

#include "physical/operator/transform_with_state.h"

namespace millrace::physical {

/// transformWithState of rows that are no stream: the same operator in one run, over state that is empty before it and
/// forgotten after it.
///
/// Source: Spark, TransformWithStateInPySparkExec.generateSparkPlanForBatchQueries.
class TransformOnce final : public Operator {
 public:
  explicit TransformOnce(std::shared_ptr<const TransformWithState> transform);

  int num_partitions(const ExecutionContext& context) const override { return transform_->num_partitions(context); }
  arrow::Status Prepare(ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override {
    return transform_->Open(partition, context);
  }
  std::string Describe() const override { return transform_->Describe(); }
  bool starts_stage() const override { return true; }

 private:
  std::shared_ptr<const TransformWithState> transform_;
};

}  // namespace millrace::physical
