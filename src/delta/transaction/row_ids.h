#pragma once

#include <cstdint>
#include <vector>

#include "delta/snapshot/snapshot.h"
#include "delta/table.h"

namespace millrace::delta {

/// Numbers for the rows of added files, where the table supports row tracking: each file has the id of its first row,
/// and the version that brought it. Ids grow over the life of the table; the highest is kept in the log.
///
/// Source: Delta's PROTOCOL.md, "Row Tracking".
class RowIds {
 public:
  /// `snapshot` null: there was no table. `protocol` and `metadata` as they will be after the commit.
  static arrow::Result<RowIds> Make(const Snapshot* snapshot, const Protocol& protocol, const Metadata& metadata);

  bool assigns() const { return assigns_; }
  /// Somebody else's commit came before ours.
  arrow::Status Follow(const Commit& winner);
  /// Numbers the files of `actions` that have no ids of their own, and says so in a last action. Called again with the
  /// same actions for the next version.
  arrow::Status Assign(TableVersion version, std::vector<Action>* actions);

 private:
  bool assigns_ = false;
  /// The table supports row tracking, and gives no ids for now: files lose theirs.
  bool suspended_ = false;
  int64_t highest_ = -1;
  /// Which actions are ours to number; known at the first Assign.
  std::vector<size_t> fresh_;
  bool found_fresh_ = false;
};

/// The domain whose configuration has the highest id: writers may race for it.
inline constexpr std::string_view kRowTrackingDomain = "delta.rowTracking";

/// Names of columns that files may have for ids of rows that moved, into the properties of a table that tracks rows.
void NameRowTrackingColumns(const Protocol& protocol, Metadata* metadata);

}  // namespace millrace::delta
