#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

#include "delta/schema/schema_edit.h"
#include "delta/snapshot/snapshot.h"

/// Columns by which the rows of a table are laid out. Source: Delta's PROTOCOL.md, "Clustered Table"; delta-spark's
/// ClusteredTableUtils.

namespace millrace::delta {

/// The domain that says which columns these are, by the names files have for them.
inline constexpr std::string_view kClusteringDomain = "delta.clustering";
/// Who laid out a file's rows, in the log.
inline constexpr std::string_view kClusteringProvider = "liquid";
inline constexpr size_t kClusteringColumnsMax = 4;

/// What says it for columns of `schema`; none of them: the table is clustered by nothing, for now.
/// Errors: UserError DELTA_COLUMN_NOT_FOUND_IN_SCHEMA, DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS,
/// DELTA_CLUSTERING_COLUMN_MISSING_STATS, DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED.
arrow::Result<DomainMetadata> ClusteringDomain(const types::DataTypePtr& schema, const Metadata& metadata,
                                               const std::vector<ColumnPath>& columns);

/// Columns of the table; empty: none, though the table is a clustered one; nullopt: it is not.
std::optional<std::vector<ColumnPath>> ClusteringColumns(const Snapshot& snapshot);

/// `["a","s.b"]`, as operations tell of them.
std::string ClusteringText(const std::vector<ColumnPath>& columns);

}  // namespace millrace::delta
