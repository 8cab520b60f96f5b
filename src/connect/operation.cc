#include "connect/operation.h"

#include <algorithm>

#include "base/error.h"
#include "base/ids.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

using spark::connect::ExecutePlanResponse;
using std::chrono::steady_clock;

// Spark's defaults: spark.connect.execute.reattachable.senderMaxStreamDuration, senderMaxStreamSize,
// observerRetryBufferSize; spark.connect.progress.reportInterval.
constexpr auto kMaxStreamDuration = std::chrono::minutes(2);
constexpr int64_t kMaxStreamBytes = int64_t{1} << 30;
constexpr int64_t kRetryBufferBytes = 10 << 20;
constexpr auto kProgressInterval = std::chrono::seconds(2);
// How far an execution may be ahead of its reader.
constexpr int64_t kMaxUnsentBytes = 64 << 20;

}  // namespace

Operation::Operation(OperationOptions options) : options_(std::move(options)), detached_since_(steady_clock::now()) {}

Operation::~Operation() = default;

arrow::Status Operation::CancelledError() const {
  return UserError("OPERATION_CANCELED", {{"operationId", options_.id}});
}

void Operation::Append(ExecutePlanResponse response) {
  response.set_session_id(options_.session_id);
  response.set_server_side_session_id(options_.server_side_session_id);
  response.set_operation_id(options_.id);
  Entry entry;
  entry.response_id = RandomUuid();
  response.set_response_id(entry.response_id);
  entry.num_bytes = response.ByteSizeLong();
  entry.response = std::make_shared<const ExecutePlanResponse>(std::move(response));
  unsent_bytes_ += static_cast<int64_t>(entry.num_bytes);
  entries_.push_back(std::move(entry));
  ++next_index_;
}

arrow::Status Operation::Emit(ExecutePlanResponse response) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return unsent_bytes_ < kMaxUnsentBytes || cancelled_; });
  if (cancelled_) return CancelledError();
  Append(std::move(response));
  changed_.notify_all();
  return arrow::Status::OK();
}

void Operation::Finish(arrow::Status status) {
  std::lock_guard lock(mutex_);
  if (status.ok() && options_.reattachable) {
    ExecutePlanResponse complete;
    complete.mutable_result_complete();
    Append(std::move(complete));
  }
  // What an interrupted execution fails with is of no interest.
  if (!status.ok() && cancelled_) status = CancelledError();
  status_ = std::move(status);
  finished_ = true;
  changed_.notify_all();
}

bool Operation::Interrupt() {
  std::lock_guard lock(mutex_);
  if (finished_) return false;
  cancelled_ = true;
  changed_.notify_all();
  return true;
}

OperationState Operation::state() const {
  std::lock_guard lock(mutex_);
  if (!finished_) return cancelled_ ? OperationState::kTerminating : OperationState::kRunning;
  if (status_.ok()) return OperationState::kSucceeded;
  return cancelled_ ? OperationState::kCancelled : OperationState::kFailed;
}

bool Operation::finished() const {
  std::lock_guard lock(mutex_);
  return finished_;
}

std::optional<steady_clock::time_point> Operation::detached_since() const {
  std::lock_guard lock(mutex_);
  if (attached_) return std::nullopt;
  return detached_since_;
}

int64_t Operation::IndexOf(const std::string& response_id) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].response_id == response_id) return first_index_ + static_cast<int64_t>(i);
  }
  return response_id == last_dropped_id_ ? first_index_ - 1 : 0;
}

void Operation::DropThrough(int64_t index) {
  while (!entries_.empty() && first_index_ <= index) {
    if (first_index_ > highest_sent_) unsent_bytes_ -= static_cast<int64_t>(entries_.front().num_bytes);
    last_dropped_id_ = std::move(entries_.front().response_id);
    entries_.pop_front();
    ++first_index_;
  }
}

void Operation::TrimSent(int64_t sent_index) {
  int64_t kept_bytes = 0;
  int64_t limit = options_.reattachable ? kRetryBufferBytes : 0;
  for (int64_t i = sent_index; i >= first_index_; --i) {
    if (kept_bytes >= limit) {
      DropThrough(i);
      return;
    }
    kept_bytes += static_cast<int64_t>(entries_[static_cast<size_t>(i - first_index_)].num_bytes);
  }
}

arrow::Status Operation::ReleaseUntil(const std::string& response_id) {
  std::lock_guard lock(mutex_);
  int64_t index = IndexOf(response_id);
  if (index == 0) return UserError("INVALID_CURSOR.POSITION_NOT_FOUND", {{"responseId", response_id}});
  DropThrough(index);
  changed_.notify_all();
  return arrow::Status::OK();
}

arrow::Status Operation::Send(ResponseStream& client, const std::optional<std::string>& last_response_id) {
  std::unique_lock lock(mutex_);
  int64_t index = 1;
  if (last_response_id) {
    index = IndexOf(*last_response_id);
    if (index == 0) return UserError("INVALID_CURSOR.POSITION_NOT_FOUND", {{"responseId", *last_response_id}});
    ++index;
  }
  int64_t generation = ++generation_;
  attached_ = true;
  changed_.notify_all();
  arrow::Status status = SendLoop(client, index, generation, lock);
  if (generation == generation_) {
    attached_ = false;
    detached_since_ = steady_clock::now();
  }
  return status;
}

arrow::Status Operation::SendLoop(ResponseStream& client, int64_t index, int64_t generation,
                                  std::unique_lock<std::mutex>& lock) {
  auto deadline = steady_clock::now() + kMaxStreamDuration;
  int64_t sent_bytes = 0;
  while (true) {
    if (generation != generation_) return UserError("INVALID_CURSOR.DISCONNECTED");
    if (index < first_index_) {
      return UserError("INVALID_CURSOR.POSITION_NOT_AVAILABLE",
                       {{"index", std::to_string(index)}, {"responseId", "<UNKNOWN>"}});
    }
    if (index < next_index_) {
      const Entry& entry = entries_[static_cast<size_t>(index - first_index_)];
      auto response = entry.response;
      auto num_bytes = static_cast<int64_t>(entry.num_bytes);
      lock.unlock();
      bool written = client.Write(*response);
      response.reset();
      lock.lock();
      if (!written) return arrow::Status::OK();
      if (index > highest_sent_) {
        highest_sent_ = index;
        // A quick client has released it while the lock was open: then DropThrough has counted it.
        if (index >= first_index_) unsent_bytes_ -= num_bytes;
        TrimSent(index);
        changed_.notify_all();
      }
      ++index;
      sent_bytes += num_bytes;
      if (options_.reattachable && sent_bytes > kMaxStreamBytes) return arrow::Status::OK();
      continue;
    }
    if (finished_) return status_;
    auto now = steady_clock::now();
    if (options_.reattachable && now >= deadline) return arrow::Status::OK();
    if (client.is_cancelled()) return arrow::Status::OK();
    auto wake = std::min(deadline, now + kProgressInterval);
    bool more =
        changed_.wait_until(lock, wake, [&] { return generation != generation_ || index < next_index_ || finished_; });
    if (!more && !finished_) {
      ExecutePlanResponse progress;
      progress.mutable_execution_progress();
      Append(std::move(progress));
    }
  }
}

}  // namespace millrace::connect
