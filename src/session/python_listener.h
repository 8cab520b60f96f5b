#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "python/streaming_worker.h"
#include "session/streaming_query_manager.h"

namespace millrace::session {

/// A user's StreamingQueryListener in a Python process. Queries do not wait for it, but for their start: events go
/// through a queue, in order, and what a listener raises is printed and otherwise ignored.
/// Source: Spark, StreamingQueryListenerBus, PythonStreamingQueryListener.
class PythonListener : public std::enable_shared_from_this<PythonListener> {
 public:
  explicit PythonListener(std::shared_ptr<python::StreamingWorker> worker);
  ~PythonListener();

  /// What to hand to StreamingQueryManager::AddListener; keeps the listener alive.
  StreamingQueryManager::Listener Callbacks(const Clock* clock);
  /// Leaves out what has not been delivered, and ends the process.
  void Stop();

 private:
  struct Event {
    std::string json;
    int32_t type = 0;
  };

  void Post(Event event, bool wait);
  void Deliver();

  std::shared_ptr<python::StreamingWorker> worker_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> queue_;
  bool busy_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace millrace::session
