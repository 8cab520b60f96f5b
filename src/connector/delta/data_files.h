#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "connector/delta/partition_router.h"
#include "connector/delta/row_shaper.h"
#include "connector/sink.h"
#include "delta/action/add.h"
#include "delta/transaction/file_statistics.h"
#include "format/file_format.h"

namespace millrace::connector::delta_table {

/// Directories that are known to survive a crash of the machine. Thread-safe.
class DurableDirectories {
 public:
  /// False the first time a directory is asked for.
  bool Contains(const std::string& directory) const {
    std::lock_guard lock(mutex_);
    return directories_.count(directory) > 0;
  }
  void Insert(const std::string& directory) {
    std::lock_guard lock(mutex_);
    directories_.insert(directory);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> directories_;
};

/// How the rows of one write become data files. Immutable once made; shared by its tasks.
struct DataFilePlan {
  FileSystem* file_system = nullptr;
  Durability durability = Durability::kMachine;
  std::string table_path;
  std::shared_ptr<const RowShaper> shaper;
  std::shared_ptr<const PartitionRouter> router;
  /// Columns of the files, called as files call them.
  types::DataTypePtr file_schema;
  millrace::delta::StatisticsPlan statistics;
  format::OptionMap options;
  format::SessionFormat session;
  std::string extension;
  /// What names of files begin with.
  const char* name_prefix = "part";
  /// 0: no limit.
  int64_t max_rows_per_file = 0;
  /// Directories with a random name of so many characters instead of the partition's; 0: none.
  int random_prefix_length = 0;
  std::shared_ptr<DurableDirectories> durable_directories;
};

/// A data file that is written and, where the plan says so, durable.
struct AddedFile {
  millrace::delta::Add add;
  int64_t num_rows = 0;
};

/// Rows that wait to be joined with those of other tasks.
struct PendingRows {
  millrace::delta::PartitionValues values;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t num_bytes = 0;
};
using PendingByDirectory = std::map<std::string, PendingRows>;

/// Writes data files of one task: a file a partition, or more where a file may only have so many rows.
///
/// Names:  part-<task>-<uuid>-c<n>.snappy.parquet, as delta-spark; a dot before `c` below partition directories.
/// Crash:  leaves files no commit speaks of; VACUUM removes them.
/// Thread: confined.
class DataFileWriter {
 public:
  DataFileWriter(std::shared_ptr<const DataFilePlan> plan, int task_index)
      : plan_(std::move(plan)), task_index_(task_index) {}

  arrow::Status Write(const std::string& directory, const millrace::delta::PartitionValues& values,
                      const std::shared_ptr<arrow::RecordBatch>& rows);
  bool is_open(const std::string& directory) const { return open_.count(directory) > 0; }
  /// Finishes all files; durable when it returns.
  arrow::Result<std::vector<AddedFile>> Finish();
  /// Removes what was written.
  void Abort();

 private:
  struct OpenFile {
    std::string relative_path;
    millrace::delta::PartitionValues values;
    std::unique_ptr<format::FileWriter> writer;
    std::unique_ptr<millrace::delta::FileStatistics> statistics;
    int64_t num_rows = 0;
  };

  arrow::Result<OpenFile*> Open(const std::string& directory, const millrace::delta::PartitionValues& values);
  arrow::Status FinishFile(OpenFile* file);
  arrow::Status PrepareDirectory(const std::string& relative);

  std::shared_ptr<const DataFilePlan> plan_;
  int task_index_;
  int next_file_ = 0;
  std::map<std::string, OpenFile> open_;
  std::vector<AddedFile> finished_;
  std::set<std::string> directories_;
};

/// Rows that tasks of one write hold back in all, so that small results make few files and large ones need no memory.
struct PendingBudget {
  static constexpr int64_t kTaskBytesMax = 8 << 20;
  static constexpr int64_t kAllBytesMax = 48 << 20;
  std::atomic<int64_t> num_bytes{0};
};

/// What a task hands to the write's commit.
struct TaskResult {
  std::vector<AddedFile> files;
  PendingByDirectory pending;
};

/// The writer of a task: shapes and routes its rows, holds small ones back, writes files of the others. Commit gives a
/// std::shared_ptr<TaskResult>.
class DeltaTaskWriter final : public DataWriter {
 public:
  DeltaTaskWriter(std::shared_ptr<const DataFilePlan> plan, std::shared_ptr<PendingBudget> budget, int task_index)
      : plan_(std::move(plan)), budget_(std::move(budget)), files_(plan_, task_index) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override;
  /// Rows that the plan's shaper made.
  arrow::Status WriteShaped(const std::shared_ptr<arrow::RecordBatch>& shaped);
  arrow::Result<WriterCommitMessage> Commit() override;
  void Abort() override;

 private:
  arrow::Status Hold(PartitionRows part);
  arrow::Status Release();

  std::shared_ptr<const DataFilePlan> plan_;
  std::shared_ptr<PendingBudget> budget_;
  DataFileWriter files_;
  PendingByDirectory pending_;
  int64_t held_bytes_ = 0;
};

/// What becomes of the rows that tasks held back.
enum class HeldRows : uint8_t {
  kJoined,  ///< those of all tasks in one file a partition
  kByTask,  ///< those of each task in files of its own
};
/// Writes what tasks held back. The files of all tasks, in order.
arrow::Result<std::vector<AddedFile>> WriteHeldRows(const std::shared_ptr<const DataFilePlan>& plan,
                                                    std::vector<WriterCommitMessage>* messages,
                                                    HeldRows held = HeldRows::kJoined);

}  // namespace millrace::connector::delta_table
