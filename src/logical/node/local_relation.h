#pragma once

#include <arrow/record_batch.h>

#include "logical/plan.h"

namespace millrace::logical {

/// Rows held in memory, by partition: VALUES, createDataFrame, cached results, the rows of a foreachBatch.
class LocalRelation final : public Plan {
 public:
  using Partition = std::vector<std::shared_ptr<arrow::RecordBatch>>;

  LocalRelation(AttributeVector output, std::shared_ptr<const std::vector<Partition>> partitions)
      : Plan(NodeKind::kLocalRelation, {}, std::move(output)), partitions_(std::move(partitions)) {}
  /// One row without columns: SELECT without FROM.
  static PlanPtr OneRow();

  const std::shared_ptr<const std::vector<Partition>>& partitions() const { return partitions_; }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override {
    return std::make_shared<LocalRelation>(output(), partitions_);
  }
  std::string Describe() const override;

 private:
  std::shared_ptr<const std::vector<Partition>> partitions_;
};

}  // namespace millrace::logical
