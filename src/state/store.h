#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "state/row_time.h"
#include "state/unsafe_row.h"
#include "types/data_type.h"

namespace millrace::state {

/// Which state of a partition: micro-batch N reads version N and leaves version N + 1; 0 is empty.
using StateVersion = StrongId<struct StateVersionTag>;

inline constexpr std::string_view kDefaultStoreName = "default";

/// One store of one partition of one stateful operator: a folder of the checkpoint.
struct StateStoreId {
  int64_t operator_id = 0;
  int32_t partition = 0;
  std::string store_name{kDefaultStoreName};

  auto operator<=>(const StateStoreId&) const = default;
  /// As Spark's messages have it.
  std::string ToString() const {
    return "StateStoreId[ operatorId=" + std::to_string(operator_id) + ", partitionId=" + std::to_string(partition) +
           ", storeName=" + store_name + " ]";
  }
};

/// What the rows of a store look like. Both types are structs.
struct StateStoreSchema {
  types::DataTypePtr key;
  types::DataTypePtr value;
  /// The store can be scanned by so many leading key columns (session windows); 0: it cannot.
  int num_columns_prefix_key = 0;
  /// The event time by which rows are evicted; nullopt when none are.
  std::optional<StoreTime> time = {};
};

/// Figures of Spark's progress, of one store after its last commit.
struct StateStoreMetrics {
  int64_t num_keys = 0;
  int64_t memory_used_bytes = 0;
  /// Spark's customMetrics, by name.
  std::map<std::string, int64_t> custom;
};

/// A row seen by a scan. Views are valid until the store is changed.
struct StateEntry {
  std::string_view key;
  std::string_view value;
  /// Ascending in the order in which Spark's store would have iterated; where equal, the bytes of the keys decide. Rows
  /// are visited in another order (that of memory); whoever shows rows to a user sorts those he shows by it.
  uint64_t order = 0;
};

/// Key-value rows (UnsafeRow bytes) of one partition at one version, with the changes of the micro-batch that runs.
///
/// Life: StateStores::Open at version N → reads and changes → Commit, which writes version N + 1, or Abort. A failed
/// micro-batch is run again by opening version N again.
/// Views: what Get returns is valid until the same key is changed or the store is committed.
/// Errors: IOError of the files; never on data. Thread: confined to the task that has the partition.
class StateStore {
 public:
  virtual ~StateStore() = default;

  virtual const StateStoreId& id() const = 0;
  /// The version that was opened or last committed.
  virtual StateVersion version() const = 0;
  /// What that version's files are called beside its number (checkpoint format 2); empty in format 1.
  virtual std::string unique_id() const { return {}; }

  /// data() == nullptr when the key is absent.
  virtual arrow::Result<std::string_view> Get(std::string_view key) = 0;
  /// As Get, with the place in Spark's order; key.data() == nullptr when absent.
  virtual arrow::Result<StateEntry> Find(std::string_view key) = 0;
  virtual arrow::Status Put(std::string_view key, std::string_view value) = 0;
  /// An absent key is no error.
  virtual arrow::Status Remove(std::string_view key) = 0;

  /// As Get, Find, Put for each row in order: one call a batch, with the memory fetched ahead. Keys may repeat.
  virtual arrow::Status GetAll(const UnsafeRows& keys, std::vector<std::string_view>* values) = 0;
  virtual arrow::Status FindAll(const UnsafeRows& keys, std::vector<StateEntry>* entries) = 0;
  virtual arrow::Status PutAll(const UnsafeRows& keys, const UnsafeRows& values) = 0;
  /// Puts, in order, the rows whose key is not there yet, and appends their numbers to `inserted`. Keys may repeat: the
  /// first is put.
  virtual arrow::Status PutAbsent(const UnsafeRows& keys, const UnsafeRows& values, std::vector<int32_t>* inserted) = 0;

  /// Visits every row once, in chunks. `visit` may Remove any row; rows that it puts may be visited or not.
  using Visitor = std::function<arrow::Status(std::span<const StateEntry>)>;
  virtual arrow::Status Scan(const Visitor& visit) = 0;
  /// Visits every row whose event time (StateStoreSchema::time) is at or below `time_us`, once; rows without a time are
  /// never visited. All that were visited are to be removed, or put anew with a later time, before the commit: they are
  /// not visited again. `earliest_us` (may be null) gets the least time of the other rows, INT64_MAX when there are
  /// none.
  virtual arrow::Status ScanUpTo(int64_t time_us, const Visitor& visit, int64_t* earliest_us) = 0;
  /// The rows whose first num_columns_prefix_key key columns equal `prefix` (an UnsafeRow of just these), appended.
  virtual arrow::Status PrefixScan(std::string_view prefix, std::vector<StateEntry>* rows) = 0;

  /// Writes the changes as version() + 1, even when there are none (each version has its file). A crash of the process
  /// leaves them, a crash of the machine only after StateStores::Sync.
  virtual arrow::Result<StateVersion> Commit() = 0;
  /// Forgets the changes. The next Open reads the version from its files.
  virtual void Abort() = 0;

  virtual StateStoreMetrics metrics() const = 0;
};

/// Sorts rows by `order`.
void SortInSparkOrder(std::vector<StateEntry>* rows);

}  // namespace millrace::state
