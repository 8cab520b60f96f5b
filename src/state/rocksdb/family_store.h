#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/rocksdb/local_folder.h"
#include "state/rocksdb/rocksdb_files.h"
#include "state/state_stores.h"

namespace millrace::state {

/// Key-value rows of one partition in column families, one for each variable of a user's function (or each store of a
/// join), of one version, with the changes of the micro-batch that runs. What StateStore reads and writes by UnsafeRow
/// keys it refuses.
///
/// Keys are given as they lie in RocksDB (FamilyKey), values as RocksDB has them: a 0 byte and the row, or of lists
/// each row after its size. Format: docs/formats/state_rocksdb.md. Life, Thread: as StateStore.
class FamilyStore : public StateStore {
 public:
  using Entry = std::pair<std::string, std::string>;

  /// The family called `name`, made when it is not there. Internal ones do not count as rows of the state.
  virtual arrow::Result<int> OpenFamily(const std::string& name, bool is_internal) = 0;
  /// Removes a family and what is in it. False when there is none.
  virtual arrow::Result<bool> DropFamily(const std::string& name) = 0;

  /// data() == nullptr when absent; valid until the next call.
  virtual arrow::Result<std::string_view> GetIn(int family, std::string_view key) = 0;
  virtual arrow::Status PutIn(int family, std::string_view key, std::string_view value) = 0;
  virtual arrow::Status RemoveIn(int family, std::string_view key) = 0;
  /// Appends to the value, which is a list.
  virtual arrow::Status AppendIn(int family, std::string_view key, std::string_view element) = 0;
  /// Visits the entries whose keys begin with `prefix`, in order; `visit` may change any.
  using FamilyVisitor = std::function<arrow::Status(std::string_view key, std::string_view value)>;
  virtual arrow::Status VisitIn(int family, std::string_view prefix, const FamilyVisitor& visit) = 0;
  /// The entries whose keys begin with `prefix` and, when given, lie before `end`, in order; at most `limit`.
  virtual arrow::Result<std::vector<Entry>> EntriesIn(int family, std::string_view prefix,
                                                      std::optional<std::string> end = std::nullopt,
                                                      size_t limit = SIZE_MAX) = 0;
  /// The rows of a list; views into `value`. Errors: Invalid.
  virtual arrow::Result<std::vector<std::string_view>> ListRows(std::string_view value) const = 0;
};

/// Keys of a family, without the family's number.
std::string WholeKey(std::string_view row);
/// Of a family that is scanned by its first column: that as a row of its own, and the row of the others.
std::string PrefixedKey(std::string_view prefix_row, std::string_view rest_row);
/// What all keys with this prefix begin with.
std::string KeyPrefix(std::string_view prefix_row);
/// The row of the other columns in such a key. Errors: Invalid.
arrow::Result<std::string_view> RestOfKey(std::string_view key);
/// The prefix row of a family that is scanned in the order of its first column, a long.
std::string OrderedPrefixRow(int64_t value);
arrow::Result<int64_t> OrderedValueOf(std::string_view key);

/// One of a list's rows, or a plain value, as it is stored.
std::string StoredValue(std::string_view row);
std::string StoredElement(std::string_view row);
/// The row in a plain value; data() == nullptr for no value. Errors: Invalid.
arrow::Result<std::string_view> RowOfValue(std::string_view value);

/// Keeps a FamilyStore's versions as zips and, with changelog checkpointing, as changelogs (see RocksDbFiles).
class FamilyStoreProvider final : public StateStoreProvider {
 public:
  /// `unsynced` gets the files of commits; null where nothing is committed.
  FamilyStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id, StateStoreConf conf,
                      UnsyncedFiles* unsynced);
  ~FamilyStoreProvider() override;

  using StateStoreProvider::Open;
  arrow::Result<StateStore*> Open(StateVersion version, const std::string& unique_id) override;
  arrow::Status Maintain() override;

  /// As Open, from exactly the snapshot `snapshot` and the changelogs after it.
  arrow::Result<StateStore*> OpenFrom(StateVersion snapshot, StateVersion version, const std::string& unique_id);
  /// As RocksDbStateStoreProvider's.
  arrow::Status FindIds(int64_t earliest, int64_t version, const std::string& unique_id) {
    return files_.FindIds(earliest, version, unique_id);
  }
  /// Visits what `version` changed in a family, in order, keys and values as GetIn has them. Errors:
  /// CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE where it has no changelog.
  arrow::Status ReadChanges(int64_t version, int family, const FamilyChangeVisitor& visit) const;

 private:
  class Store;

  RocksDbFiles files_;
  StateStoreId id_;
  StateStoreConf conf_;
  LocalFolder local_folder_;  // outlives what is open in it
  std::unique_ptr<Store> store_;
  std::atomic<int64_t> committed_version_{0};
  std::atomic<int64_t> last_snapshot_{-1};
};

}  // namespace millrace::state
