#pragma once

#include <arrow/status.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "delta/action/action.h"
#include "delta/table.h"

namespace millrace::delta {

enum class ConflictKind : uint8_t {
  kProtocolChanged,
  kMetadataChanged,
  kConcurrentTransaction,  ///< the other commit has a txn of an application this one asked for
  kConcurrentAppend,       ///< it added files that should have been read
  kConcurrentDeleteRead,   ///< it removed files that were read
  kConcurrentDeleteDelete,
  kDomainMetadata,
};

/// A lost race that cannot be made good by writing the next version instead.
struct Conflict {
  ConflictKind kind = ConflictKind::kConcurrentAppend;
  TableVersion winning_version;
  CommitInfo winning_commit;
  /// Where files are at stake: `[year=2024, month=1]`; none for tables without partitions.
  std::optional<std::string> partition;
  /// kDomainMetadata: which.
  std::string domain;
};

/// The error delta-spark raises: UserError DELTA_CONCURRENT_APPEND.…, DELTA_METADATA_CHANGED, …
arrow::Status ToStatus(const Conflict& conflict, const std::string& table_path);

/// Which live files a transaction looked at.
struct ReadSet {
  bool whole_table = false;
  /// Files by their path in the log.
  std::set<std::string, std::less<>> files;
  /// Conditions on partition values; a file that meets one of them was, or would have been, read.
  std::vector<std::function<bool(const PartitionValues&)>> predicates;
  /// Applications whose version was asked for.
  std::set<std::string, std::less<>> apps;

  bool empty() const { return !whole_table && files.empty() && predicates.empty(); }
};

/// What a transaction wants to commit, as far as others can be in its way.
struct Intent {
  const Snapshot* read_snapshot = nullptr;  ///< null: the table was not there
  const ReadSet* reads = nullptr;
  const std::vector<Action>* actions = nullptr;
  bool is_blind_append = false;
  /// No row changes: others may add files.
  bool snapshot_isolation = false;
};

/// Whether `winner`, which took the version we wanted, keeps us from committing after it. Isolation is Serializable,
/// Delta's default. Errors: UserError DELTA_UNSUPPORTED_FEATURES_FOR_… when the winner's protocol is not for us.
/// Source: Delta's PROTOCOL.md; delta-spark's ConflictChecker.
arrow::Result<std::optional<Conflict>> CheckConflict(const Intent& intent, const Commit& winner,
                                                     const std::string& table_path);

/// Whether all that changes in a table's definition is how far its identity columns have counted.
bool OnlyCountsIdentities(const Metadata& before, const Metadata& after);

}  // namespace millrace::delta
