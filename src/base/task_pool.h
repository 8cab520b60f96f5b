#pragma once

#include <arrow/status.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace {

/// The engine's one pool of worker threads, one a core.
///
/// Thread: thread-safe. Tasks must not wait for other tasks of the pool; RunAll therefore lets the
/// calling thread work too, so nested calls finish even when every worker is busy.
class TaskPool {
 public:
  explicit TaskPool(int num_threads);
  ~TaskPool();
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  /// Runs `task(0) … task(num_tasks - 1)`, in any order, and returns when all that began have ended.
  /// After the first failure no further task begins; that failure is returned.
  /// One task runs on the calling thread without any hand-over.
  arrow::Status RunAll(int num_tasks, const std::function<arrow::Status(int)>& task);

  int num_threads() const { return static_cast<int>(threads_.size()); }

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable available_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace millrace
