#pragma once

#include <arrow/result.h>

#include <chrono>
#include <compare>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connect/artifacts.h"
#include "connect/operation.h"
#include "session/session.h"

namespace millrace::connect {

/// Who asks: sessions of different users never meet.
struct SessionKey {
  std::string user_id;
  std::string session_id;
  auto operator<=>(const SessionKey&) const = default;
};

/// One client's session: the engine's session and what the protocol adds to it. Thread-safe.
class ClientSession {
 public:
  ClientSession(SessionKey key, std::shared_ptr<session::Session> engine_session);
  ~ClientSession();

  const SessionKey& key() const { return key_; }
  session::Session& engine() { return *engine_session_; }
  const std::shared_ptr<session::Session>& shared_engine() { return engine_session_; }
  /// What tells a client that the server has forgotten its session and made another one.
  const std::string& server_side_id() const { return engine_session_->id(); }
  Artifacts& artifacts() { return artifacts_; }

  // Operations. A finished one stays until its client releases it or has been away for long.
  /// Errors: INVALID_HANDLE.FORMAT, OPERATION_ALREADY_EXISTS, OPERATION_ABANDONED.
  arrow::Status AddOperation(const std::shared_ptr<Operation>& operation);
  /// Errors: INVALID_HANDLE.OPERATION_NOT_FOUND, OPERATION_ABANDONED.
  arrow::Result<std::shared_ptr<Operation>> FindOperation(const std::string& id) const;
  /// Ends and forgets it; false when there is none.
  bool RemoveOperation(const std::string& id, bool abandoned = false);
  std::vector<std::shared_ptr<Operation>> Operations() const;
  /// Of all, also those that are gone and not forgotten yet.
  std::vector<std::string> OperationIds() const;
  /// The state of an operation that may be gone; nullopt when it was never here.
  std::optional<OperationState> StateOf(const std::string& id) const;
  /// Ends those that no client has read for `limit`.
  void DropDetachedOperations(std::chrono::steady_clock::duration limit);

  // Failures, for FetchErrorDetails: the last twenty.
  std::string RememberError(const arrow::Status& status);
  std::optional<arrow::Status> TakeError(const std::string& error_id);

  // Streaming queries stay findable after they ended, also past streams.resetTerminated().
  /// `start`: the operation that started it; to interrupt that is to stop the query.
  void RememberQuery(const std::shared_ptr<streaming::StreamingQuery>& query, const OperationOptions& start);
  /// Stops the running queries whose starts `meant` picks; the ids of those operations.
  std::vector<std::string> StopQueries(const std::function<bool(const OperationOptions& start)>& meant);
  std::shared_ptr<streaming::StreamingQuery> FindQuery(const std::string& id, const std::string& run_id);

  // The client's listener bus: one operation that carries query events until it is removed.
  void StartListenerBus(std::shared_ptr<Operation> operation);
  void StopListenerBus();
  /// Returns when the bus was stopped, or was not this operation's.
  void AwaitListenerBusEnd(const Operation& operation);
  bool has_listener_bus() const;
  /// Whether this operation carries the events of the listener bus.
  bool IsListenerBus(const Operation& operation) const;

  void Touch();
  std::chrono::steady_clock::time_point last_access() const;
  /// Interrupts operations and stops streaming queries.
  void Close();

 private:
  const SessionKey key_;
  std::shared_ptr<session::Session> engine_session_;
  Artifacts artifacts_;
  mutable std::mutex mutex_;
  std::condition_variable bus_changed_;
  std::map<std::string, std::shared_ptr<Operation>> operations_;
  struct Gone {
    std::string id;
    OperationState state;
    bool abandoned;
  };
  std::deque<Gone> gone_operations_;
  std::deque<std::pair<std::string, arrow::Status>> errors_;
  struct StartedQuery {
    std::shared_ptr<streaming::StreamingQuery> query;
    OperationOptions start;
  };
  std::vector<StartedQuery> queries_;
  std::shared_ptr<Operation> listener_bus_;
  int listener_id_ = 0;
  std::chrono::steady_clock::time_point last_access_;
};

/// "01234567-89ab-…": what Spark takes for a session's or operation's id.
bool IsUuid(const std::string& text);

}  // namespace millrace::connect
