#pragma once

#include "logical/node/local_relation.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Rows in memory. A large relation of fewer partitions than cores is cut, so that every core has some.
class LocalScan final : public Operator {
 public:
  using Partitions = std::vector<logical::LocalRelation::Partition>;

  /// `columns`: positions of `output` in the batches.
  LocalScan(AttributeVector output, std::vector<int> columns, std::shared_ptr<const Partitions> partitions,
            std::string cached_as, std::shared_ptr<std::atomic<int64_t>> reads = nullptr,
            arrow::Status failure = arrow::Status::OK());

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext&) const override { return static_cast<int>(partitions_->size()); }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;

 private:
  std::vector<int> columns_;
  std::shared_ptr<const Partitions> partitions_;
  std::string cached_as_;
  std::shared_ptr<std::atomic<int64_t>> reads_;
  arrow::Status failure_;
};

bool MatchesLocalScan(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanLocalScan(const logical::PlanPtr& node, const RequiredColumns& required,
                                         Planner& planner);

}  // namespace millrace::physical
