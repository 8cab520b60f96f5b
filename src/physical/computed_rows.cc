#include "physical/computed_rows.h"

#include <arrow/util/byte_size.h>

#include <algorithm>
#include <cmath>

#include "physical/stateful/stateful_operator.h"

namespace millrace::physical {

namespace {

int64_t NextId() {
  static std::atomic<int64_t> next{0};
  return next.fetch_add(1);
}

/// A further run of a micro-batch. What its operators report of event times nobody asks for.
struct FurtherContext final : ExecutionContext {
  StreamingBatch batch;
};

std::shared_ptr<ExecutionContext> Again(const ExecutionContext& first) {
  auto again = std::make_shared<FurtherContext>();
  again->eval = first.eval;
  again->pool = first.pool;
  again->shuffle_partitions = first.shuffle_partitions;
  again->batch_rows = first.batch_rows;
  again->cancelled = first.cancelled;
  again->stream_partitions = first.stream_partitions;
  if (first.streaming != nullptr) {
    again->batch.batch_id = first.streaming->batch_id;
    again->batch.timestamp_ms = first.streaming->timestamp_ms;
    again->streaming = &again->batch;
  }
  return again;
}

arrow::Status IsOver() { return arrow::Status::Cancelled("The micro-batch is over: its rows cannot be read any more"); }

}  // namespace

/// A partition of a run, which Close can end while a reader holds it.
class ComputedRows::Cursor {
 public:
  Cursor(std::unique_ptr<BatchStream> stream, std::atomic<int64_t>* rows_computed)
      : stream_(std::move(stream)), rows_computed_(rows_computed) {}

  /// Null at the end; never an empty batch.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    std::lock_guard lock(mutex_);
    while (true) {
      if (stream_ == nullptr) return IsOver();
      ARROW_ASSIGN_OR_RAISE(auto batch, stream_->Next());
      if (batch == nullptr) return batch;
      if (batch->num_rows() == 0) continue;
      rows_computed_->fetch_add(batch->num_rows());
      return batch;
    }
  }
  void Close() {
    std::lock_guard lock(mutex_);
    stream_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<BatchStream> stream_;
  std::atomic<int64_t>* rows_computed_;
};

struct ComputedRows::Ahead {
  Partition rows;
  /// Of the computation, behind `rows`.
  arrow::Status failure;
  /// Where the first run goes on; null when it has not begun with this partition, or is done with it.
  std::shared_ptr<Cursor> rest;
  bool is_done = false;
};

/// Rows that were read ahead, then those of a run.
class ComputedRows::Reader final : public connector::BatchReader {
 public:
  using Continuation = std::function<arrow::Result<std::shared_ptr<Cursor>>()>;

  /// `ahead` may be null: all rows come from the run.
  Reader(std::shared_ptr<ComputedRows> rows, const Ahead* ahead, Continuation go_on)
      : rows_(std::move(rows)), ahead_(ahead), go_on_(std::move(go_on)) {}
  ~Reader() override {
    if (cursor_ != nullptr) cursor_->Close();
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (ahead_ != nullptr) {
      if (next_ < ahead_->rows.size()) return ahead_->rows[next_++];
      if (ahead_->is_done) {
        ARROW_RETURN_NOT_OK(ahead_->failure);
        return nullptr;
      }
    }
    if (cursor_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(cursor_, go_on_());
    }
    return cursor_->Next();
  }

 private:
  std::shared_ptr<ComputedRows> rows_;
  const Ahead* ahead_;
  size_t next_ = 0;
  Continuation go_on_;
  std::shared_ptr<Cursor> cursor_;
};

/// Reads what was read ahead and goes on with the first run.
class ComputedRows::FirstRun final : public Reading {
 public:
  FirstRun(std::shared_ptr<ComputedRows> rows, bool took_it) : rows_(std::move(rows)), took_it_(took_it) {}
  ~FirstRun() override {
    // Where nobody asked for more than was read ahead, the run still waits there for the next reading.
    if (!took_it_ || went_on_) return;
    std::lock_guard lock(rows_->mutex_);
    rows_->first_run_is_taken_ = false;
  }

  int num_partitions() const override { return static_cast<int>(rows_->ahead_.size()); }
  arrow::Result<std::unique_ptr<connector::BatchReader>> Open(int partition) override {
    auto go_on = [this, partition] {
      went_on_ = true;
      return rows_->Continue(partition);
    };
    return std::make_unique<Reader>(rows_, &rows_->ahead_[static_cast<size_t>(partition)], go_on);
  }
  void HandedOut(int64_t num_rows) override { rows_->rows_handed_out_ += num_rows; }

 private:
  std::shared_ptr<ComputedRows> rows_;
  bool took_it_;
  std::atomic<bool> went_on_{false};
};

/// Computes everything once more.
class ComputedRows::FurtherRun final : public Reading {
 public:
  FurtherRun(std::shared_ptr<ComputedRows> rows, std::shared_ptr<ExecutionContext> context)
      : rows_(std::move(rows)), context_(std::move(context)) {}

  int num_partitions() const override { return rows_->root_->num_partitions(*context_); }
  arrow::Result<std::unique_ptr<connector::BatchReader>> Open(int partition) override {
    auto begin = [this, partition]() -> arrow::Result<std::shared_ptr<Cursor>> {
      std::shared_lock gate(rows_->gate_);
      if (rows_->closed_) return IsOver();
      ARROW_ASSIGN_OR_RAISE(auto stream, rows_->root_->Open(partition, *context_));
      return rows_->NewCursor(std::move(stream));
    };
    return std::make_unique<Reader>(rows_, nullptr, begin);
  }
  void HandedOut(int64_t num_rows) override { rows_->rows_handed_out_ += num_rows; }

 private:
  std::shared_ptr<ComputedRows> rows_;
  std::shared_ptr<ExecutionContext> context_;
};

ComputedRows::ComputedRows(OperatorPtr root, std::shared_ptr<ExecutionContext> context, int64_t held_bytes)
    : root_(std::move(root)), context_(std::move(context)), held_bytes_(held_bytes), id_(NextId()) {}

ComputedRows::~ComputedRows() = default;

arrow::Status ComputedRows::Compute(const std::function<void()>& after_prepare) {
  failure_ = root_->Prepare(*context_);
  ARROW_RETURN_NOT_OK(failure_);
  below_exchanges_ = context_->rows_read;
  if (after_prepare) after_prepare();
  ahead_.resize(static_cast<size_t>(root_->num_partitions(*context_)));
  int num_partitions = static_cast<int>(ahead_.size());
  auto task = [this](int partition) { return ReadAhead(partition); };
  if (context_->pool == nullptr) {
    for (int i = 0; i < num_partitions; ++i) ARROW_RETURN_NOT_OK(task(i));
  } else {
    ARROW_RETURN_NOT_OK(context_->pool->RunAll(num_partitions, task));
  }
  for (const Ahead& ahead : ahead_) ARROW_RETURN_NOT_OK(ahead.failure);
  if (MayGoOn()) return arrow::Status::OK();
  auto held = std::make_shared<std::vector<Partition>>();
  for (Ahead& ahead : ahead_) held->push_back(std::move(ahead.rows));
  held_ = std::move(held);
  return arrow::Status::OK();
}

// Fails only when the run was cancelled: what cannot be computed is told to those who ask for it.
arrow::Status ComputedRows::ReadAhead(int partition) {
  Ahead& ahead = ahead_[static_cast<size_t>(partition)];
  std::unique_ptr<BatchStream> stream;
  auto read = [&]() -> arrow::Result<bool> {
    while (true) {
      ARROW_RETURN_NOT_OK(context_->CheckCancelled());
      if (bytes_ahead_ >= held_bytes_) return false;
      if (stream == nullptr) {
        ARROW_ASSIGN_OR_RAISE(stream, root_->Open(partition, *context_));
      }
      ARROW_ASSIGN_OR_RAISE(auto batch, stream->Next());
      if (batch == nullptr) return true;
      if (batch->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(int64_t bytes, arrow::util::ReferencedBufferSize(*batch));
      bytes_ahead_ += bytes;
      rows_computed_ += batch->num_rows();
      ahead.rows.push_back(std::move(batch));
    }
  };
  arrow::Result<bool> is_done = read();
  if (!is_done.ok()) {
    if (is_done.status().IsCancelled()) return is_done.status();
    ahead.failure = is_done.status();
  }
  ahead.is_done = is_done.ValueOr(true);
  if (!ahead.is_done && stream != nullptr) ahead.rest = NewCursor(std::move(stream));
  return arrow::Status::OK();
}

bool ComputedRows::MayGoOn() const {
  return std::any_of(ahead_.begin(), ahead_.end(), [](const Ahead& ahead) { return !ahead.is_done; });
}

std::shared_ptr<ComputedRows::Cursor> ComputedRows::NewCursor(std::unique_ptr<BatchStream> stream) {
  auto cursor = std::make_shared<Cursor>(std::move(stream), &rows_computed_);
  std::lock_guard lock(mutex_);
  cursors_.push_back(cursor);
  return cursor;
}

arrow::Result<std::shared_ptr<ComputedRows::Cursor>> ComputedRows::Continue(int partition) {
  std::shared_lock gate(gate_);
  if (closed_) return IsOver();
  Ahead& ahead = ahead_[static_cast<size_t>(partition)];
  if (ahead.rest != nullptr) return std::move(ahead.rest);
  ARROW_ASSIGN_OR_RAISE(auto stream, root_->Open(partition, *context_));
  return NewCursor(std::move(stream));
}

arrow::Result<std::shared_ptr<connector::MicroBatchRows::Reading>> ComputedRows::Begin() {
  ++num_readings_;
  ARROW_RETURN_NOT_OK(failure_);
  auto self = shared_from_this();
  if (!MayGoOn()) return std::make_shared<FirstRun>(std::move(self), /*took_it=*/false);
  std::shared_lock gate(gate_);
  if (closed_) return IsOver();
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(first_run_is_taken_, true)) return std::make_shared<FirstRun>(std::move(self), /*took_it=*/true);
  }
  std::shared_ptr<ExecutionContext> context = Again(*context_);
  ARROW_RETURN_NOT_OK(root_->Prepare(*context));
  {
    std::lock_guard lock(mutex_);
    further_.push_back(context);
  }
  return std::make_shared<FurtherRun>(std::move(self), std::move(context));
}

void ComputedRows::Close() {
  std::unique_lock gate(gate_);
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& weak : cursors_) {
    if (std::shared_ptr<Cursor> cursor = weak.lock()) cursor->Close();
  }
  cursors_.clear();
  for (Ahead& ahead : ahead_) ahead.rest = nullptr;
}

std::map<int64_t, int64_t> ComputedRows::RowsRead() const {
  std::map<int64_t, int64_t> read = context_->rows_read;
  {
    std::lock_guard lock(mutex_);
    for (const auto& context : further_) {
      for (const auto& [scan, rows] : context->rows_read) read[scan] += rows;
    }
    for (const auto& [scan, rows] : below_exchanges_) read[scan] -= rows * static_cast<int64_t>(1 + further_.size());
  }
  int64_t computed = rows_computed_.load();
  double share = computed == 0 ? static_cast<double>(num_readings_.load())
                               : static_cast<double>(rows_handed_out_.load()) / static_cast<double>(computed);
  for (auto& [scan, rows] : read) rows = std::llround(static_cast<double>(rows) * share);
  // Of an exchange Spark keeps the rows until the micro-batch is over.
  if (num_readings_.load() > 0) {
    for (const auto& [scan, rows] : below_exchanges_) read[scan] += rows;
  }
  return read;
}

arrow::Status RunHandOver(const std::shared_ptr<ComputedRows>& rows, connector::Write* write,
                          const std::function<arrow::Status()>& before_commit,
                          const std::function<void()>& after_prepare, arrow::Status* not_computed) {
  arrow::Status status = rows->Compute(after_prepare);
  if (!status.IsCancelled()) {
    *not_computed = std::move(status);
    status = before_commit();
    if (status.ok()) status = write->TakeRows(rows);
  }
  if (!status.ok()) write->Abort();
  rows->Close();
  return status;
}

}  // namespace millrace::physical
