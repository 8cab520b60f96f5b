#pragma once

#include <arrow/result.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "python/accumulators.h"
#include "python/interpreter.h"
#include "python/worker.h"
#include "python/worker_logs.h"

namespace millrace::python {

/// Where the standard output of Python processes goes; their standard error goes to ours.
struct WorkerOutput {
  /// Of workers that compute rows. Spark's go to standard error.
  int rows_fd = 2;
  /// Of workers that run foreachBatch and listeners.
  int streaming_fd = 2;
};

/// The Python processes of one engine: for each interpreter one pyspark.daemon that forks workers, and the workers that
/// wait for their next task. They end with the pool, and with this process however it ends.
/// Thread-safe.
class WorkerPool {
 public:
  explicit WorkerPool(WorkerOutput output = {});
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// A waiting worker, or a new one.
  /// Errors: IOError with Python's own words when it cannot start or has no pyspark.
  arrow::Result<std::unique_ptr<Worker>> Acquire(const Interpreter& interpreter);
  /// Gives back a worker that finished its task in good order.
  void Release(const Interpreter& interpreter, std::unique_ptr<Worker> worker);
  /// Ends a worker in the middle of its task.
  void Destroy(const Interpreter& interpreter, std::unique_ptr<Worker> worker);

  /// A process of its own that runs `module` and has connected back to us: for foreachBatch and listeners.
  struct Single {
    Process process;
    WorkerSocket socket;
    WorkerVersion version;
  };
  arrow::Result<Single> StartSingle(const Interpreter& interpreter, const std::string& module,
                                    const std::map<std::string, std::string>& environment);

  /// Where output of processes started from now on goes.
  void set_output(WorkerOutput output);
  /// Where workers find the engine's Spark Connect server ("sc://localhost:15002"); empty without one.
  void set_connect_url(std::string url);
  /// The same for the sessions of a user; empty without a server.
  std::string ConnectUrlFor(const std::string& user_id) const;
  /// A folder for what crashing workers have to say, made when first asked for; empty when it cannot be made.
  std::string FaultFolder();
  /// Workers that wait for a task.
  size_t num_idle() const;
  Accumulators& accumulators() { return accumulators_; }
  /// What workers of interpreters with a log_session logged.
  WorkerLogs& logs() { return logs_; }
  /// Ends the workers whose logs a session wanted, and forgets the logs.
  void EndLogging(const std::string& session);

 private:
  struct IdleWorker {
    std::unique_ptr<Worker> worker;
    std::chrono::steady_clock::time_point since;
  };
  struct Daemon {
    Process process;
    /// Closing it ends the daemon and its workers; a pid written to it ends that one.
    OwnedFd control;
    int port = 0;
    WorkerVersion version;
    std::string secret;
    std::deque<IdleWorker> idle;
  };

  arrow::Result<std::unique_ptr<Worker>> Fork(const Interpreter& interpreter);
  arrow::Status StartDaemon(const Interpreter& interpreter, Daemon* daemon);
  /// Runs `start` on the thread that is the parent of all processes: they are told when their parent thread ends.
  arrow::Result<Process> Start(const ProcessOptions& options);
  void RunParent();

  Accumulators accumulators_;
  WorkerLogs logs_;
  mutable std::mutex mutex_;
  WorkerOutput output_;
  std::string connect_url_;
  std::string fault_folder_;
  std::map<Interpreter, Daemon> daemons_;

  std::mutex parent_mutex_;
  std::condition_variable parent_wakes_;
  std::deque<std::function<void()>> parent_work_;
  bool stopping_ = false;
  std::thread parent_;
};

}  // namespace millrace::python
