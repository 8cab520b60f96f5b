#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "connector/micro_batch_rows.h"
#include "connector/sink.h"
#include "physical/operator.h"

namespace millrace::physical {

/// The rows of one run of a plan, for those who ask for them once it is under way (docs/adr/0016).
///
/// Compute reads ahead and keeps what it reads as long as `held_bytes` allow. Where that is not all, the first reading
/// goes on with the run where Compute left it, and each further one makes a run of its own.
/// Thread: Compute and Close on the query's thread, the rest on any.
class ComputedRows final : public connector::MicroBatchRows, public std::enable_shared_from_this<ComputedRows> {
 public:
  /// `context` of the run; it is kept, and further runs are made like it.
  ComputedRows(OperatorPtr root, std::shared_ptr<ExecutionContext> context, int64_t held_bytes);
  ~ComputedRows() override;

  /// Prepares the plan, calls `after_prepare` (may be empty) and reads ahead. The first failure, which readings meet
  /// behind the rows before it.
  arrow::Status Compute(const std::function<void()>& after_prepare);
  /// Ends all runs; readings of rows that are not held fail from now on.
  void Close();

  int64_t id() const override { return id_; }
  std::shared_ptr<const std::vector<Partition>> held() const override { return held_; }
  arrow::Result<std::shared_ptr<Reading>> Begin() override;

  /// How often a reading began.
  int64_t num_readings() const { return num_readings_.load(); }
  /// Rows that all readings together asked of each scan, by its key, as if each had computed what it read.
  std::map<int64_t, int64_t> RowsRead() const;

 private:
  class Cursor;
  class Reader;
  class FirstRun;
  class FurtherRun;
  /// What was read ahead of one partition.
  struct Ahead;

  arrow::Status ReadAhead(int partition);
  /// True when the first run has rows that were not read ahead.
  bool MayGoOn() const;
  std::shared_ptr<Cursor> NewCursor(std::unique_ptr<BatchStream> stream);
  arrow::Result<std::shared_ptr<Cursor>> Continue(int partition);

  const OperatorPtr root_;
  const std::shared_ptr<ExecutionContext> context_;
  const int64_t held_bytes_;
  const int64_t id_;
  arrow::Status failure_;
  /// Rows of each scan that were read before rows could flow.
  std::map<int64_t, int64_t> below_exchanges_;
  std::vector<Ahead> ahead_;
  std::shared_ptr<const std::vector<Partition>> held_;
  std::atomic<int64_t> bytes_ahead_{0};
  std::atomic<int64_t> rows_computed_{0};
  std::atomic<int64_t> rows_handed_out_{0};
  std::atomic<int64_t> num_readings_{0};
  /// Close waits for those who begin a run.
  std::shared_mutex gate_;
  /// Guarded by gate_.
  bool closed_ = false;
  mutable std::mutex mutex_;
  /// Guarded by mutex_, as what follows: a reading goes on with the first run, or did.
  bool first_run_is_taken_ = false;
  std::vector<std::weak_ptr<Cursor>> cursors_;
  std::vector<std::shared_ptr<ExecutionContext>> further_;
};

/// Hands `rows` to `write`, which takes them (connector::Write::takes_rows). `before_commit` and `after_prepare` as for
/// RunWrite. Why rows cannot be computed is told to `not_computed` too. The rows are closed when it returns.
arrow::Status RunHandOver(const std::shared_ptr<ComputedRows>& rows, connector::Write* write,
                          const std::function<arrow::Status()>& before_commit,
                          const std::function<void()>& after_prepare, arrow::Status* not_computed);

}  // namespace millrace::physical
