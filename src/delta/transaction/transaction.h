#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "delta/table.h"
#include "delta/transaction/conflict.h"
#include "delta/transaction/operation.h"

namespace millrace::delta {

struct Committed {
  TableVersion version;
  /// The table with this commit (and perhaps later ones of others); null when it could not be read back: the commit
  /// stands all the same.
  SnapshotPtr snapshot;
  /// Partitions that the commit added files to.
  std::vector<PartitionValues> added_to;
};
/// A commit is made, or it lost a race that writing a later version does not make good.
using CommitOutcome = std::variant<Committed, Conflict>;

struct TransactionSettings {
  Durability durability = Durability::kMachine;
  Clock* clock = nullptr;
  /// engineInfo of the commits.
  std::string engine_info;
  /// userMetadata of the commits whose operation has none (spark.databricks.delta.commitInfo.userMetadata).
  std::optional<std::string> user_metadata;
  /// What the transaction needs of the table's files.
  SnapshotDetail detail = SnapshotDetail::kFiles;
  /// Versions tried before giving up against faster writers.
  int max_attempts = 1000;
};

/// What a removed file still says of its rows. Which it is depends on the operation, as in delta-spark.
enum class RemovedStats : uint8_t { kNone, kNumRecords, kAll };

/// One change of a table: reads a version, stages what changes, and commits all of it as the next version, or nothing.
///
/// Order:  data files are durable before Commit is called. Commit writes `.<version>.json.<uuid>.tmp`, syncs it, gives
///         it the version's name if nobody has it, and syncs the directory.
/// Races:  a version that another writer took is read and checked against what this transaction read and removes
///         (conflict.h); without a conflict the next version is tried.
/// Crash:  before the name is given nothing has happened, after it everything; a left .tmp is ignored by readers. A
///         failure of the last sync leaves a commit that others see: the error does not mean that there is none.
/// Thread: confined.
/// Source: Delta's PROTOCOL.md, "Delta Log Entries"; docs/formats/delta_log.md.
class Transaction {
 public:
  /// Starts from the newest version, or from "no table". Errors: those of Table::Update; a protocol we cannot write.
  static arrow::Result<std::unique_ptr<Transaction>> Begin(std::shared_ptr<Table> table, TransactionSettings settings);
  /// Starts from a version read before. `snapshot` null: there was no table.
  static arrow::Result<std::unique_ptr<Transaction>> BeginAt(std::shared_ptr<Table> table, SnapshotPtr snapshot,
                                                             TransactionSettings settings);

  const std::shared_ptr<Table>& table() const { return table_; }
  /// Null when the table is not there yet.
  const SnapshotPtr& snapshot() const { return snapshot_; }
  /// As they will be after the commit.
  const Metadata& metadata() const { return new_metadata_ ? *new_metadata_ : snapshot_->metadata(); }
  const Protocol& protocol() const { return new_protocol_ ? *new_protocol_ : snapshot_->protocol(); }
  bool creates_table() const { return snapshot_ == nullptr; }

  /// The application's newest version, as of what was read; others that move it meanwhile are a conflict.
  std::optional<int64_t> TxnVersion(const std::string& app_id);
  void ReadWholeTable() { reads_.whole_table = true; }
  void ReadFile(std::string path) { reads_.files.insert(std::move(path)); }
  void ReadPartitions(std::function<bool(const PartitionValues&)> predicate) {
    reads_.predicates.push_back(std::move(predicate));
  }

  void SetMetadata(Metadata metadata) { new_metadata_ = std::move(metadata); }
  void SetProtocol(Protocol protocol) { new_protocol_ = std::move(protocol); }
  void SetTxn(std::string app_id, int64_t version);
  void Stage(Action action) { actions_.push_back(std::move(action)); }
  /// Whether what is staged from now on removes rows, or only lays them out anew.
  void set_data_change(bool data_change) { data_change_ = data_change; }
  /// Nothing is staged: a commit would say nothing.
  bool IsEmpty() const { return !new_metadata_ && !new_protocol_ && actions_.empty(); }
  /// Stages the removal of live files of the snapshot, now. Errors: DELTA_CANNOT_MODIFY_APPEND_ONLY.
  arrow::Status StageRemove(const FileRef& file, RemovedStats stats = RemovedStats::kNone);

  /// Errors: of the world; UserError of invalid actions. Nothing is committed then, but see Crash.
  arrow::Result<CommitOutcome> Commit(const Operation& operation);

 private:
  Transaction(std::shared_ptr<Table> table, SnapshotPtr snapshot, TransactionSettings settings);
  arrow::Status CreateLog();
  std::vector<Action> PreparedActions() const;
  CommitInfo MakeCommitInfo(const Operation& operation, bool is_blind_append, bool snapshot_isolation) const;
  std::string CommitText(const std::vector<Action>& actions) const;
  void UseInCommitTimestamp(int64_t previous_timestamp_ms, TableVersion version, std::vector<Action>* actions);
  arrow::Result<bool> WriteCommit(TableVersion version, const std::string& text);
  Committed Finish(TableVersion version, const std::vector<Action>& actions);

  std::shared_ptr<Table> table_;
  SnapshotPtr snapshot_;
  TransactionSettings settings_;
  std::string txn_id_;
  ReadSet reads_;
  std::optional<Metadata> new_metadata_;
  std::optional<Protocol> new_protocol_;
  std::vector<Action> actions_;
  bool data_change_ = true;
};

/// Whether commits of tables with these properties carry their own time.
bool UsesInCommitTimestamps(const Metadata& metadata);

}  // namespace millrace::delta
