#pragma once

#include "connector/delta/stream_options.h"

namespace millrace::connector::delta_table {

/// Follows a table: first the files of its state (or from a starting version on none), then those its commits add.
/// REQUIRES: request.schema is set.
arrow::Result<std::unique_ptr<MicroBatchStream>> OpenDeltaStream(const SourceRequest& request);

/// What a stream shows. Errors: UserError DELTA_SCHEMA_NOT_SET, DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS,
/// DELTA_READ_SOURCE_SCHEMA_CONFLICT.
arrow::Result<types::DataTypePtr> DeltaStreamSchema(const SourceRequest& request);

}  // namespace millrace::connector::delta_table
