#pragma once

#include <arrow/record_batch.h>

#include <atomic>

#include "logical/plan.h"

namespace millrace::logical {

/// Rows held in memory, by partition: VALUES, createDataFrame, cached results, the rows of a foreachBatch.
class LocalRelation final : public Plan {
 public:
  using Partition = std::vector<std::shared_ptr<arrow::RecordBatch>>;

  /// What Spark's planner knows of the rows.
  enum class Rows : uint8_t {
    kComputed,  ///< of a plan that ran before
    kOfNoFile,  ///< the same, of a foreachBatch whose stream reads no file
    kKnown,     ///< VALUES, what a client has sent: the planner computes with them
    kUnsized,   ///< createDataFrame of a Spark driver: an RDD, whose size is taken for unknown, so that joins sort
  };

  /// `cached_as`: of a persisted frame whose rows are not fetched, only shown; its name in the text of a plan.
  /// `streaming`: what is left of a stream of which no row is wanted; operators above it keep their state.
  LocalRelation(AttributeVector output, std::shared_ptr<const std::vector<Partition>> partitions,
                std::string cached_as = {}, Rows rows = Rows::kComputed, bool streaming = false)
      : Plan(NodeKind::kLocalRelation, {}, std::move(output), streaming),
        partitions_(std::move(partitions)),
        cached_as_(std::move(cached_as)),
        rows_(rows) {}
  /// One row without columns: SELECT without FROM.
  static PlanPtr OneRow();
  /// How often a plan reads the rows is added to `reads`. Each fails with `failure` when that is one.
  std::shared_ptr<LocalRelation> CountReads(std::shared_ptr<std::atomic<int64_t>> reads, arrow::Status failure) const;
  /// The same rows under other columns.
  std::shared_ptr<LocalRelation> WithOutput(AttributeVector output) const;

  const std::shared_ptr<const std::vector<Partition>>& partitions() const { return partitions_; }
  const std::string& cached_as() const { return cached_as_; }
  Rows rows() const { return rows_; }
  bool unsized() const { return rows_ == Rows::kUnsized; }
  bool known() const { return rows_ == Rows::kKnown; }
  const std::shared_ptr<std::atomic<int64_t>>& reads() const { return reads_; }
  const arrow::Status& failure() const { return failure_; }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override { return WithOutput(output()); }
  std::string Describe() const override;

 private:
  std::shared_ptr<const std::vector<Partition>> partitions_;
  std::string cached_as_;
  Rows rows_;
  std::shared_ptr<std::atomic<int64_t>> reads_;
  arrow::Status failure_;
};

}  // namespace millrace::logical
