#pragma once

#include <arrow/result.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/streaming.h"

namespace millrace {

/// Is told of the queries of a session (Spark's StreamingQueryListener). Called on the queries' threads, which wait for
/// it; several at once.
class StreamingQueryListener {
 public:
  struct QueryStarted {
    std::string id;
    std::string run_id;
    std::string name;       ///< empty for none
    std::string timestamp;  ///< "2024-01-01T00:00:00.000Z"
  };
  struct QueryIdle {
    std::string id;
    std::string run_id;
    std::string timestamp;
  };
  struct QueryTerminated {
    std::string id;
    std::string run_id;
    arrow::Status exception;      ///< OK after a clean end
    std::string error_condition;  ///< Spark's, of what has failed; empty for none
  };

  virtual ~StreamingQueryListener() = default;
  /// Before the query does anything, on the thread that starts it.
  virtual void OnQueryStarted(const QueryStarted& event) { (void)event; }
  /// `progress`: Spark's StreamingQueryProgress as JSON.
  virtual void OnQueryProgress(const std::string& progress) { (void)progress; }
  virtual void OnQueryIdle(const QueryIdle& event) { (void)event; }
  virtual void OnQueryTerminated(const QueryTerminated& event) { (void)event; }
};

/// The streaming queries of a session (Spark's StreamingQueryManager). Cheap to copy, thread-safe.
class StreamingQueryManager {
 public:
  explicit StreamingQueryManager(std::shared_ptr<api::Connection> connection) : connection_(std::move(connection)) {}

  /// Those that run.
  arrow::Result<std::vector<StreamingQuery>> Active() const;
  /// The running query of an id; nullopt when there is none.
  arrow::Result<std::optional<StreamingQuery>> Get(std::string_view id) const;
  /// Waits until any query has ended since the session began or ResetTerminated was called. Errors: its failure.
  arrow::Status AwaitAnyTermination() const;
  /// False when none has after `timeout`.
  arrow::Result<bool> AwaitAnyTermination(std::chrono::milliseconds timeout) const;
  /// Queries that have ended by now count no more for AwaitAnyTermination.
  arrow::Status ResetTerminated() const;
  /// Errors: on a remote server, where C++ cannot run.
  arrow::Status AddListener(std::shared_ptr<StreamingQueryListener> listener) const;
  arrow::Status RemoveListener(const std::shared_ptr<StreamingQueryListener>& listener) const;

 private:
  std::shared_ptr<api::Connection> connection_;
};

}  // namespace millrace
