#pragma once

#include <arrow/status.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace millrace::streaming {

/// Writes log entries in order on a thread of its own, so that waiting for the disk overlaps with work (DESIGN.md,
/// "Order of durability"). The first failure sticks: nothing is written after it.
/// Thread: Submit from one thread; Wait from any while nothing is submitted.
class LogWriter {
 public:
  /// `overlap` false: Submit runs the write at once (nothing to wait for when files are not synced).
  explicit LogWriter(bool overlap);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  arrow::Status Submit(std::function<arrow::Status()> write);
  /// Returns when all submitted writes are done: the first failure.
  arrow::Status Wait();

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<arrow::Status()>> queue_;
  bool busy_ = false;
  bool stopping_ = false;
  arrow::Status failure_;
  std::thread thread_;
};

}  // namespace millrace::streaming
