#pragma once

#include <string>

#include "session/delta_table.h"

/// What it takes to switch features of a Delta table that is there on and off, where a commit of its properties alone
/// would not do. Source: delta-spark's AlterTableDropFeatureDeltaCommand, PreDowngradeTableFeatureCommand,
/// RemoveColumnMappingCommand and RowTrackingBackfillCommand.

namespace millrace::session {

/// ALTER TABLE … DROP FEATURE: the newest state is rid of what uses the feature, then the protocol of the feature.
/// What older versions use of it stays behind checkpoints that readers need not look past; `truncates_history`: is
/// waited for to expire, and removed.
///
/// Errors: UserError DELTA_FEATURE_DROP_….
/// Crash:  several commits; each leaves a whole table, and the statement can be run again.
arrow::Status DropFeature(Session& session, const OpenedTable& opened, const std::string& feature,
                          bool truncates_history);

/// Files are written anew under the columns' own names. `unsets_property`: delta.columnMapping.mode goes; else it
/// becomes none. Errors: UserError DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING.
arrow::Status RemoveColumnMapping(Session& session, const OpenedTable& opened, bool unsets_property);

/// Before delta.enableRowTracking may be set: the protocol has the feature, and every file ids for its rows.
arrow::Status PrepareRowTracking(Session& session, const OpenedTable& opened);

}  // namespace millrace::session
