#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "state/compression/compressed_stream.h"
#include "state/unsynced_files.h"

namespace millrace::state {

/// The error of a state file that cannot be used: Spark's condition CANNOT_LOAD_STATE_STORE, the file, what is wrong
/// with it and what can be done. `what` continues "the file …".
arrow::Status DamagedStateFile(const std::string& path, std::string_view what);

/// Writes a delta or snapshot file: a compressed stream of records (big-endian sizes, key, value or -1).
///
/// Format: docs/formats/state_files.md. Crash: under a temporary name until Finish, which replaces what was there.
/// Thread: confined.
class StateFileWriter {
 public:
  static arrow::Result<std::unique_ptr<StateFileWriter>> Create(FileSystem* file_system, std::string path,
                                                                const std::string& codec);
  /// Removes the temporary file when not finished.
  ~StateFileWriter();

  /// Rows of a delta or snapshot get checksums (row_checksum.h).
  void AddRowChecksums() { has_checksums_ = true; }
  /// Of a changelog, before its records: what stands before those of column families, and before those of versions with
  /// unique ids (`ids`: of the versions before; null: they have none).
  arrow::Status BeginChangelog(bool has_families, const std::map<int64_t, std::string>* ids);
  arrow::Status Put(std::string_view key, std::string_view value);
  arrow::Status Remove(std::string_view key);
  /// To a list, in a changelog of column families.
  arrow::Status Append(std::string_view key, std::string_view element);
  /// `failpoint` is hit between the write and the rename. With `later` the file is not synced but added to it.
  arrow::Status Finish(Durability durability, std::string_view failpoint, UnsyncedFiles* later = nullptr);

  int64_t num_bytes() const { return num_bytes_; }

 private:
  StateFileWriter(FileSystem* file_system, std::string path) : file_system_(file_system), path_(std::move(path)) {}
  arrow::Status AppendSized(std::string_view bytes);

  FileSystem* file_system_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<OutputFile> file_;
  std::unique_ptr<CompressedWriter> stream_;
  int64_t num_bytes_ = 0;  // before compression
  bool has_checksums_ = false;
  std::string checked_;
  bool has_types_ = false;  // a byte before each record: changelogs of column families
};

enum class StateFileKind : uint8_t {
  kDelta,
  kSnapshot,
  kChangelog,         ///< RocksDB's: as a delta, but rows are not whole words
  kChangelogWithIds,  ///< the same after the ids of the versions before
};

/// One record; value.data() == nullptr: the key was removed.
using StateRecordVisitor = std::function<arrow::Status(std::string_view key, std::string_view value)>;

/// Visits the records of a file, views valid during the call only.
/// `checked_store`: rows have checksums, and the store is called so; null: they have none.
/// Errors: KeyError when the file is missing, DamagedStateFile; what `visit` says.
arrow::Status ReadStateFile(const FileSystem& file_system, const std::string& path, const std::string& codec,
                            StateFileKind kind, const StateRecordVisitor& visit,
                            const std::string* checked_store = nullptr);
/// A change in a changelog of column families: Spark's changelogs of version 2.
enum class FamilyChange : uint8_t { kPut, kRemove, kAppend };
using FamilyChangeVisitor =
    std::function<arrow::Status(FamilyChange change, std::string_view key, std::string_view value)>;
/// Visits the records of such a changelog; keys with their family's number. Errors: as ReadStateFile; NotImplemented
/// for another version.
arrow::Status ReadFamilyChangelog(const FileSystem& file_system, const std::string& path, const std::string& codec,
                                  const FamilyChangeVisitor& visit);
/// The ids of the versions before that a changelog of checkpoint format 2 tells. Errors: as ReadStateFile.
arrow::Result<std::map<int64_t, std::string>> ReadChangelogIds(const FileSystem& file_system, const std::string& path,
                                                               const std::string& codec);
/// As ReadStateFile, of bytes in memory.
arrow::Status ReadStateRecords(std::string_view bytes, const std::string& path, const std::string& codec,
                               StateFileKind kind, const StateRecordVisitor& visit,
                               const std::string* checked_store = nullptr);

}  // namespace millrace::state
