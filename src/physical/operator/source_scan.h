#pragma once

#include "logical/node/source_scan.h"
#include "physical/planner.h"

namespace millrace::physical {

/// Rows of a connector. A bounded read is planned anew in each run; a stream's partitions come from the context.
/// Counts the rows it read in context.rows_read.
class ConnectorScan final : public Operator {
 public:
  explicit ConnectorScan(const logical::SourceScan& node);

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override;
  int64_t source_key() const { return source_key_; }

 private:
  const connector::InputPartitions* PartitionsIn(const ExecutionContext& context) const;

  const connector::SourceDef* def_;
  std::shared_ptr<const connector::SourceRequest> request_;
  connector::ReadColumns columns_;
  bool streaming_;
  int64_t source_key_;
};

bool MatchesConnectorScan(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanConnectorScan(const logical::PlanPtr& node, const RequiredColumns& required,
                                             Planner& planner);

}  // namespace millrace::physical
