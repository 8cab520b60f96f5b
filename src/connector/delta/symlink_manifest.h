#pragma once

#include <arrow/status.h>

#include "connector/source.h"
#include "delta/snapshot/snapshot.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

/// Writes `_symlink_format_manifest`: for each partition a file that lists the data files of a state by their whole
/// paths, for engines that read Hive's SymlinkTextInputFormat. Manifests of partitions that are gone are removed.
/// Errors: UserError DELTA_UNSUPPORTED_MANIFEST_GENERATION_WITH_COLUMN_MAPPING,
/// DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS.
/// Source: delta-spark's GenerateSymlinkManifest.
arrow::Status WriteSymlinkManifests(const millrace::delta::Snapshot& snapshot, FileSystem* file_system);

/// The same after a commit, of a table that keeps its manifests up to date
/// (delta.compatibility.symlinkFormatManifest.…).
void KeepManifests(millrace::delta::Table& table, const millrace::delta::Committed& committed);

/// What follows a commit: the checkpoint that may be due, and the manifests of a table that keeps them up to date. A
/// failure leaves the table whole; the next commit tries again.
void FollowCommit(millrace::delta::Table& table, const millrace::delta::Committed& committed,
                  const ConnectorContext& context);

}  // namespace millrace::connector::delta_table
