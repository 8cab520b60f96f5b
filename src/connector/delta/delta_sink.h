#pragma once

#include "connector/sink.h"

namespace millrace::connector::delta_table {

arrow::Result<std::unique_ptr<Write>> OpenDeltaWrite(const SinkRequest& request);
arrow::Result<std::unique_ptr<StreamSink>> OpenDeltaStreamSink(const SinkRequest& request);

}  // namespace millrace::connector::delta_table
