#pragma once

#include <arrow/record_batch.h>

#include "connector/micro_batch_rows.h"
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
  /// The rows of a micro-batch, which are told of each reading and give what is not held.
  static std::shared_ptr<LocalRelation> Of(AttributeVector output, std::shared_ptr<connector::MicroBatchRows> rows,
                                           Rows origin);
  /// The same rows under other columns.
  std::shared_ptr<LocalRelation> WithOutput(AttributeVector output) const;

  const std::shared_ptr<const std::vector<Partition>>& partitions() const { return partitions_; }
  const std::string& cached_as() const { return cached_as_; }
  Rows rows() const { return rows_; }
  bool unsized() const { return rows_ == Rows::kUnsized; }
  bool known() const { return rows_ == Rows::kKnown; }
  /// Null but for the rows of a micro-batch; where those are not all held, partitions() is empty.
  const std::shared_ptr<connector::MicroBatchRows>& micro_batch() const { return micro_batch_; }
  bool all_held() const { return micro_batch_ == nullptr || micro_batch_->held() != nullptr; }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override { return WithOutput(output()); }
  std::string Describe() const override;

 private:
  std::shared_ptr<const std::vector<Partition>> partitions_;
  std::string cached_as_;
  Rows rows_;
  std::shared_ptr<connector::MicroBatchRows> micro_batch_;
};

}  // namespace millrace::logical
