#pragma once

#include <vector>

#include "connector/delta/data_file_scan.h"
#include "connector/delta/table_request.h"
#include "delta/table.h"

namespace millrace::connector::delta_table {

/// The file actions of one commit that a change feed reads.
struct CommitChanges {
  delta::TableVersion version;
  int64_t timestamp_ms = 0;
  std::vector<delta::Cdc> cdc;
  /// Only those that change data, and only where there is no cdc action.
  std::vector<delta::Add> adds;
  std::vector<delta::Remove> removes;
};

/// The changes of a commit: its cdc files, else its added and removed ones. `timestamp_ms`: when it was made.
CommitChanges ChangesOf(const delta::Commit& commit, int64_t timestamp_ms);

/// The files with the rows of these changes, as `snapshot` names the partition columns. Where only the deletion vector
/// of a file changed, the rows that are in one vector and not in the other.
void AppendChangeFiles(const delta::Snapshot& snapshot, const CommitChanges& changes, std::vector<DataFile>* files);

/// Whether the table records changes: delta.enableChangeDataFeed.
bool RecordsChanges(const delta::Metadata& metadata);

/// DELTA_MISSING_CHANGE_DATA: `version`, one of those from `start` to `end`, is of a table that did not record them.
arrow::Status ChangesNotRecorded(int64_t version, int64_t start, int64_t end);

/// A bounded read of a range of versions: options startingVersion | startingTimestamp, endingVersion | endingTimestamp.
/// REQUIRES: request.schema is set.
arrow::Result<std::unique_ptr<BatchScan>> OpenChangeFeedScan(const SourceRequest& request, TableRequest table);

/// The first version at or after a time. Errors: UserError DELTA_TIMESTAMP_GREATER_THAN_COMMIT.
arrow::Result<delta::TableVersion> StartingVersionFromTimestamp(const delta::Table& table,
                                                                const delta::Snapshot& newest, int64_t timestamp_us,
                                                                const ConnectorContext& context);

}  // namespace millrace::connector::delta_table
