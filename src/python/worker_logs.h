#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "python/process.h"

namespace millrace::python {

/// What Python workers log and print for sessions that ask for it (spark.sql.pyspark.worker.logging.enabled): lines of
/// JSON that PySpark writes on their standard output. Lines that are none go on to where such output goes otherwise.
/// Thread-safe. Source: pyspark/logger/worker_io.py.
class WorkerLogs {
 public:
  WorkerLogs() = default;
  ~WorkerLogs();
  WorkerLogs(const WorkerLogs&) = delete;
  WorkerLogs& operator=(const WorkerLogs&) = delete;

  /// Follows the standard output of a session's workers until its last writer is gone. `other_fd`: for other lines.
  arrow::Status Follow(const std::string& session, OwnedFd output, int other_fd);
  /// All that workers have written so far, in the order it came.
  std::vector<std::string> Of(const std::string& session);
  void Forget(const std::string& session);

 private:
  struct Stream {
    OwnedFd output;
    std::string session;
    int other_fd = 2;
    std::string line;
    bool ended = false;
    std::thread reader;
  };

  void Read(Stream* stream);
  /// REQUIRES: mutex_ is held.
  void TakeLines(Stream* stream, const char* bytes, size_t size);

  std::mutex mutex_;
  /// Closed to end the readers.
  Pipe stop_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::map<std::string, std::deque<std::string>> lines_;
};

}  // namespace millrace::python
