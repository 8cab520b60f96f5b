#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "connector/sink.h"

namespace millrace::connector {

/// Rows of one micro-batch, by partition.
using PartitionedRows = std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>;
/// Takes a micro-batch: its rows, or why they cannot be computed, which is the answer to whoever asks for them.
using BatchFunction = std::function<arrow::Status(BatchId, arrow::Result<PartitionedRows>)>;

/// A sink that hands each micro-batch to a function, with its number. The function may be called again with the same
/// number after a crash. Its failure fails the query. The function counts in `reads`, if there is one, how often it
/// read the rows.
std::unique_ptr<StreamSink> MakeForeachBatchSink(BatchFunction function,
                                                 std::shared_ptr<const std::atomic<int64_t>> reads = nullptr);

}  // namespace millrace::connector
