#pragma once

#include <arrow/record_batch.h>

#include "logical/plan.h"

namespace millrace::logical {

/// Rows held in memory, by partition: VALUES, createDataFrame, cached results, the rows of a foreachBatch.
class LocalRelation final : public Plan {
 public:
  using Partition = std::vector<std::shared_ptr<arrow::RecordBatch>>;

  /// `cached_as`: of a persisted frame whose rows are not fetched, only shown; its name in the text of a plan.
  /// `unsized`: createDataFrame. In a Spark driver such rows are an RDD, of which Spark's planner takes the size for
  /// unknown, so that it joins by sorting.
  LocalRelation(AttributeVector output, std::shared_ptr<const std::vector<Partition>> partitions,
                std::string cached_as = {}, bool unsized = false)
      : Plan(NodeKind::kLocalRelation, {}, std::move(output)),
        partitions_(std::move(partitions)),
        cached_as_(std::move(cached_as)),
        unsized_(unsized) {}
  /// One row without columns: SELECT without FROM.
  static PlanPtr OneRow();

  const std::shared_ptr<const std::vector<Partition>>& partitions() const { return partitions_; }
  const std::string& cached_as() const { return cached_as_; }
  bool unsized() const { return unsized_; }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override {
    return std::make_shared<LocalRelation>(output(), partitions_, cached_as_, unsized_);
  }
  std::string Describe() const override;

 private:
  std::shared_ptr<const std::vector<Partition>> partitions_;
  std::string cached_as_;
  bool unsized_;
};

}  // namespace millrace::logical
