#pragma once

#include <functional>
#include <memory>

#include "connector/micro_batch_rows.h"
#include "connector/sink.h"

namespace millrace::connector {

/// Takes a micro-batch. The rows may be asked for until it returns.
using BatchFunction = std::function<arrow::Status(BatchId, std::shared_ptr<MicroBatchRows>)>;

/// A sink that hands each micro-batch to a function, with its number. The function may be called again with the same
/// number after a crash. Its failure fails the query.
std::unique_ptr<StreamSink> MakeForeachBatchSink(BatchFunction function);

}  // namespace millrace::connector
