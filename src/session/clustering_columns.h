#pragma once

#include <arrow/status.h>

#include "types/data_type.h"

namespace spark::connect {
class WriteStreamOperationStart;
}

namespace millrace::session {

/// The columns of a stream writer's clusterBy are columns of its rows. Errors: UserError _LEGACY_ERROR_TEMP_1196.
arrow::Status CheckClusteringColumns(const spark::connect::WriteStreamOperationStart& start,
                                     const types::DataType& rows, bool case_sensitive);

}  // namespace millrace::session
