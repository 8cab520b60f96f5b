#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include "types/data_type.h"

namespace millrace::delta {

/// The columns to read of a checkpoint file with this schema. The first member of each action is one that the
/// protocol requires. stats_parsed is among them only where there are no JSON statistics, with the types the file has.
arrow::Result<types::DataTypePtr> CheckpointColumns(const arrow::Schema& file_schema, bool with_tombstones);

}  // namespace millrace::delta
