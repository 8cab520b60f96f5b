#pragma once

#include <functional>
#include <memory>

#include "connector/sink.h"

namespace millrace::connector {

/// Takes the rows of one partition of one micro-batch (Spark's ForeachWriter). Confined to one task.
class PartitionConsumer {
 public:
  virtual ~PartitionConsumer() = default;
  /// False: the rows are not wanted. Close follows, unless this fails.
  virtual arrow::Result<bool> Open(int64_t partition_id, BatchId batch_id) = 0;
  virtual arrow::Status Process(const std::shared_ptr<arrow::RecordBatch>& rows) = 0;
  /// `error`: what ended the partition; OK when all rows were processed.
  virtual void Close(const arrow::Status& error) = 0;
};

/// Called once a partition; may be called from several tasks at once.
using MakePartitionConsumer = std::function<std::unique_ptr<PartitionConsumer>()>;

/// `schema`: of the rows. A micro-batch that fails is run again, whole.
std::unique_ptr<StreamSink> MakeForeachSink(MakePartitionConsumer make, const types::DataType& schema);

}  // namespace millrace::connector
