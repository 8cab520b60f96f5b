#pragma once

#include "logical/node/local_relation.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Rows in memory, or of a micro-batch. A large relation of fewer partitions than cores is cut, so that every core has
/// some.
class LocalScan final : public Operator {
 public:
  using Partitions = std::vector<logical::LocalRelation::Partition>;

  /// `columns`: positions of `output` in the batches.
  LocalScan(AttributeVector output, std::vector<int> columns, std::shared_ptr<const Partitions> partitions,
            const logical::LocalRelation& relation);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;

 private:
  std::vector<int> columns_;
  std::shared_ptr<const Partitions> partitions_;
  std::string cached_as_;
  std::shared_ptr<connector::MicroBatchRows> micro_batch_;
};

/// Of each partition below `root` no more than `num_rows` rows will be asked for: rows of a micro-batch beyond those do
/// not count as read. False where no rows of a micro-batch pass one by one. REQUIRES: `root` is prepared.
bool BoundRowsRead(const Operator& root, int64_t num_rows, ExecutionContext& context);

bool MatchesLocalScan(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanLocalScan(const logical::PlanPtr& node, const RequiredColumns& required,
                                         Planner& planner);

}  // namespace millrace::physical
