#pragma once

#include <memory>

#include "connector/source.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

/// After a commit that wrote files: where the table (delta.autoOptimize.autoCompact) or the session
/// (spark.databricks.delta.autoCompact.enabled) wants it, joins the small files of the partitions that were written to,
/// in a commit of its own. A failure leaves the table whole; the next write tries again.
/// Tables that are clustered are left to OPTIMIZE.
/// Source: delta-spark's AutoCompact.
void JoinSmallFiles(const std::shared_ptr<millrace::delta::Table>& table, const millrace::delta::Committed& committed,
                    const ConnectorContext& context);

/// FollowCommit, and small files joined.
void FollowWrite(const std::shared_ptr<millrace::delta::Table>& table, const millrace::delta::Committed& committed,
                 const ConnectorContext& context);

}  // namespace millrace::connector::delta_table
