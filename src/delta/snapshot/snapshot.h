#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delta/action/action.h"
#include "delta/snapshot/file_list.h"
#include "delta/table_version.h"
#include "types/data_type.h"

namespace millrace::delta {

using TxnMap = std::map<std::string, Txn, std::less<>>;
using DomainMetadataMap = std::map<std::string, DomainMetadata, std::less<>>;

/// The table at one version. Immutable, thread-safe; copies of its parts share memory.
class Snapshot {
 public:
  struct State {
    std::string table_path;
    TableVersion version;
    /// When the commit of `version` was made: its in-commit timestamp where the table has them, else the modification
    /// time of its file.
    int64_t timestamp_ms = 0;
    /// Why the commit's own time is not known: the table's commits hold their times, this one does not. The state can
    /// be read all the same; who asks for its time or writes after it is told.
    arrow::Status timestamp_status;
    Protocol protocol;
    Metadata metadata;
    std::shared_ptr<const TxnMap> txns;
    /// Live domains only.
    std::shared_ptr<const DomainMetadataMap> domain_metadata;
    FileList files;
    /// Newest complete checkpoint not after `version` that we know of.
    std::optional<TableVersion> checkpoint_version;
  };

  /// `same_metadata`: a state with the same metadata, whose schema need not be parsed again; may be null.
  /// Errors: UserError INVALID_JSON_DATA_TYPE for a schema that cannot be parsed, FIELD_NOT_FOUND for a partition
  /// column that is not there.
  static arrow::Result<std::shared_ptr<const Snapshot>> Make(State state, const Snapshot* same_metadata = nullptr);

  /// The same state with its files counted only.
  std::shared_ptr<const Snapshot> WithoutFiles() const;

  const std::string& table_path() const { return state_.table_path; }
  TableVersion version() const { return state_.version; }
  int64_t timestamp_ms() const { return state_.timestamp_ms; }
  /// Errors: UserError DELTA_MISSING_COMMIT_INFO, DELTA_MISSING_COMMIT_TIMESTAMP: timestamp_ms() is the file's.
  const arrow::Status& timestamp_status() const { return state_.timestamp_status; }
  const Protocol& protocol() const { return state_.protocol; }
  const Metadata& metadata() const { return state_.metadata; }
  /// Logical names and types, with the columns' metadata as it stands in the log (ids, physical names, expressions).
  const types::DataTypePtr& schema() const { return schema_; }
  /// Indices into schema()'s fields, in the order of the table's partitioning.
  const std::vector<int>& partition_columns() const { return partition_columns_; }
  const FileList& files() const { return state_.files; }
  const TxnMap& txns() const { return *state_.txns; }
  /// The newest version this application committed; none when it never did.
  std::optional<int64_t> TxnVersion(std::string_view app_id) const;
  const DomainMetadataMap& domain_metadata() const { return *state_.domain_metadata; }
  std::optional<TableVersion> checkpoint_version() const { return state_.checkpoint_version; }
  bool in_commit_timestamps() const;
  const State& state() const { return state_; }

 private:
  Snapshot() = default;
  State state_;
  types::DataTypePtr schema_;
  std::vector<int> partition_columns_;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace millrace::delta
