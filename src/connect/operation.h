#pragma once

#include <arrow/status.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace spark::connect {
class ExecutePlanResponse;
}

namespace millrace::connect {

/// The client's end of a call that streams responses.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  /// False when the client is gone.
  virtual bool Write(const spark::connect::ExecutePlanResponse& response) = 0;
  virtual bool is_cancelled() const = 0;
};

struct OperationOptions {
  std::string id;
  std::string session_id;
  std::string server_side_session_id;
  std::vector<std::string> tags;
  /// Lives on when its client's call ends, until the client comes back (ReattachExecute) or releases it.
  bool reattachable = false;
  /// Arrow batches may come in pieces of this size; 0: whole.
  int64_t chunk_bytes = 0;
};

enum class OperationState : uint8_t { kRunning, kTerminating, kSucceeded, kFailed, kCancelled };

/// One ExecutePlan: what it has answered and not yet seen released, so that a client that lost its connection can read
/// on from where it was. The execution fills it from a thread of its own; one client at a time reads.
///
/// Responses are numbered from 1. Kept are those not yet released by the client, and of those sent at most 10 MB.
/// An execution that is far ahead of its reader waits.
/// Thread-safe.
class Operation {
 public:
  explicit Operation(OperationOptions options);
  ~Operation();

  const OperationOptions& options() const { return options_; }
  const std::string& id() const { return options_.id; }

  /// Appends a response. Errors: OPERATION_CANCELED after Interrupt.
  arrow::Status Emit(spark::connect::ExecutePlanResponse response);
  /// The execution has ended; nothing is emitted after it. Reattachable operations end with ResultComplete.
  void Finish(arrow::Status status);

  /// Asks the execution to end. False when it has ended already.
  bool Interrupt();
  const std::atomic<bool>& cancelled() const { return cancelled_; }
  arrow::Status CancelledError() const;

  /// Sends what comes after `last_response_id` (everything when not set) and waits for more, until the execution has
  /// ended, the client is gone, or two minutes have passed (the client then reattaches). A second Send ends the first.
  /// Errors: the execution's; INVALID_CURSOR.….
  arrow::Status Send(ResponseStream& client, const std::optional<std::string>& last_response_id);

  /// Errors: INVALID_CURSOR.POSITION_NOT_FOUND.
  arrow::Status ReleaseUntil(const std::string& response_id);

  OperationState state() const;
  bool finished() const;
  /// Since when no client has read it; nullopt while one does.
  std::optional<std::chrono::steady_clock::time_point> detached_since() const;

 private:
  struct Entry {
    std::shared_ptr<const spark::connect::ExecutePlanResponse> response;
    std::string response_id;
    size_t num_bytes = 0;
  };

  void Append(spark::connect::ExecutePlanResponse response);
  /// 0 when it is neither there nor the last that was dropped.
  int64_t IndexOf(const std::string& response_id) const;
  void DropThrough(int64_t index);
  void TrimSent(int64_t sent_index);
  arrow::Status SendLoop(ResponseStream& client, int64_t index, int64_t generation, std::unique_lock<std::mutex>& lock);

  const OperationOptions options_;
  std::atomic<bool> cancelled_{false};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> entries_;
  /// Number of entries_[0].
  int64_t first_index_ = 1;
  /// Of the response before that one: a client that has released all it has seen reads on after it.
  std::string last_dropped_id_;
  int64_t next_index_ = 1;
  int64_t highest_sent_ = 0;
  int64_t unsent_bytes_ = 0;
  bool finished_ = false;
  arrow::Status status_;
  int64_t generation_ = 0;
  bool attached_ = false;
  std::chrono::steady_clock::time_point detached_since_;
};

}  // namespace millrace::connect
