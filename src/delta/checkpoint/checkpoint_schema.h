#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include "types/data_type.h"

namespace millrace::delta {

/// What is wanted of a checkpoint.
enum class CheckpointPart {
  kState,       ///< the table's state: everything but tombstones
  kTombstones,  ///< removed files only: the next checkpoint keeps them for a while
};

/// The columns to read of a checkpoint file with this schema. The first member of each action is one that the
/// protocol requires. stats_parsed is among them only where there are no JSON statistics, with the types the file has.
arrow::Result<types::DataTypePtr> CheckpointColumns(const arrow::Schema& file_schema, CheckpointPart part);

}  // namespace millrace::delta
