#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/delta/data_files.h"
#include "connector/sink.h"
#include "delta/transaction/transaction.h"

namespace millrace::connector::delta_table {

/// Totals of the data files of one write, for its metrics.
struct WrittenTotals {
  int64_t num_files = 0;
  int64_t num_rows = 0;
  int64_t num_bytes = 0;
};

/// Stages how far the identity columns of `shaper` have counted.
arrow::Status NoteIdentities(const RowShaper& shaper, millrace::delta::Transaction* transaction);

/// Writes the rows of a batch job or a micro-batch as data files and commits them in one transaction.
///
/// Flush writes the files of small results; Commit stages them, lets `finish` stage the rest (removals, what
/// happened) and commits. Crash: see Transaction; files without a commit are VACUUM's.
/// Thread: OpenWriter from tasks, the rest from one thread.
class DeltaWrite final : public Write {
 public:
  /// Called with the files' totals when they are staged: stages what else changes and says what the commit is called.
  using Finish = std::function<arrow::Result<millrace::delta::Operation>(
      millrace::delta::Transaction*, const std::vector<AddedFile>&, const WrittenTotals&)>;
  /// Called with the version that was committed.
  using Done = std::function<arrow::Status(const millrace::delta::Committed&)>;

  DeltaWrite(std::unique_ptr<millrace::delta::Transaction> transaction, std::shared_ptr<const DataFilePlan> files,
             bool data_change, Finish finish, Done done, HeldRows held = HeldRows::kJoined);

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) override;
  arrow::Status Flush(std::vector<WriterCommitMessage>* messages) override;
  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override;
  void Abort() override;

 private:
  std::unique_ptr<millrace::delta::Transaction> transaction_;
  std::shared_ptr<const DataFilePlan> plan_;
  std::shared_ptr<PendingBudget> budget_ = std::make_shared<PendingBudget>();
  bool data_change_;
  Finish finish_;
  Done done_;
  HeldRows held_;
  bool flushed_ = false;
  std::vector<AddedFile> files_;
};

}  // namespace millrace::connector::delta_table
