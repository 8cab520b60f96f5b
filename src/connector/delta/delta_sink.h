#pragma once

#include "connector/sink.h"

namespace millrace::connector::delta_table {

arrow::Result<std::unique_ptr<Write>> OpenDeltaWrite(const SinkRequest& request);
arrow::Result<std::unique_ptr<StreamSink>> OpenDeltaStreamSink(const SinkRequest& request);

/// Extension of a SinkRequest whose rows come from the table they go to: such a write depends on what it read.
std::shared_ptr<const Extension> ReadsTarget();
bool IsTargetRead(const SinkRequest& request);

}  // namespace millrace::connector::delta_table
