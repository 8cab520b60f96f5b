#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "connector/sink.h"

namespace millrace::connector {

/// Rows of one micro-batch, by partition.
using PartitionedRows = std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>;

/// A sink that hands each micro-batch to a function, with its number. The function may be called again with the same
/// number after a crash. Its failure fails the query.
std::unique_ptr<StreamSink> MakeForeachBatchSink(std::function<arrow::Status(BatchId, PartitionedRows)> function);

}  // namespace millrace::connector
