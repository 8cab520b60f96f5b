#pragma once

#include <memory>
#include <string>

#include "connector/kafka/range_partition.h"
#include "connector/source.h"

namespace millrace::connector::kafka {

/// Kafka as a bounded source: what lies between two offsets when the read is planned.
/// Errors of PlanPartitions: UserError RESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET; as OffsetReader.
class KafkaBatchScan final : public BatchScan {
 public:
  static arrow::Result<std::unique_ptr<BatchScan>> Open(const SourceRequest& request);

  arrow::Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override;
  std::string Description() const override;

 private:
  explicit KafkaBatchScan(std::shared_ptr<const ReadSession> session) : session_(std::move(session)) {}

  std::shared_ptr<const ReadSession> session_;
};

}  // namespace millrace::connector::kafka
