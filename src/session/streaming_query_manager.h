#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "streaming/streaming_query.h"

namespace millrace::session {

/// The streaming queries of a session (Spark's StreamingQueryManager). Thread-safe.
class StreamingQueryManager {
 public:
  ~StreamingQueryManager();

  /// Starts a query. A run of the same checkpoint that is still active in this session is stopped first.
  /// Errors: UserError for a name that is in use; as streaming::Start.
  arrow::Result<std::shared_ptr<streaming::StreamingQuery>> Start(streaming::StreamingQuerySpec spec);

  std::vector<std::shared_ptr<streaming::StreamingQuery>> Active() const;
  /// By id or run id; null when there is none (ended queries are remembered until ResetTerminated).
  std::shared_ptr<streaming::StreamingQuery> Find(const std::string& id) const;
  /// Waits until any query has ended since the last reset. Negative: for ever. Errors: that query's failure.
  arrow::Result<bool> AwaitAnyTermination(std::chrono::milliseconds timeout);
  void ResetTerminated();
  /// Stops all queries; the first failure to stop.
  arrow::Status StopAll();

  struct Listener {
    std::function<void(const streaming::StreamingQuery&)> on_started;
    std::function<void(const JsonValue& progress)> on_progress;
    std::function<void(const streaming::StreamingQuery&, int64_t timestamp_ms)> on_idle;
    std::function<void(const streaming::StreamingQuery&, const arrow::Status& reason)> on_terminated;
  };
  /// Calls run on the queries' threads.
  int AddListener(Listener listener);
  void RemoveListener(int id);

 private:
  /// What outlives the manager while a query's thread still reports to it.
  struct Shared {
    mutable std::mutex mutex;
    std::condition_variable ended;
    std::vector<std::shared_ptr<streaming::StreamingQuery>> queries;
    std::map<int, Listener> listeners;
    int next_listener = 1;
    int num_ended = 0;
    arrow::Status first_failure;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  /// One start at a time: two starts of one checkpoint must see each other.
  std::mutex start_mutex_;
};

}  // namespace millrace::session
