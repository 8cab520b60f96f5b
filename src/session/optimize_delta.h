#pragma once

#include "connector/delta/optimize.h"
#include "session/delta_table.h"

namespace millrace::session {

/// Which files a reorganization rewrites.
enum class ReorgKind : uint8_t {
  kPurge,    ///< those with deleted rows, or with columns the table has no more
  kRetypes,  ///< those whose columns have other types than the table's
};

/// Rewrites them in one commit; none where there are none. Gives how many files went.
arrow::Result<int64_t> ReorganizeFiles(Session& session, const OpenedTable& opened, ReorgKind kind);

}  // namespace millrace::session
