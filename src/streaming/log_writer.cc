#include "streaming/log_writer.h"

namespace millrace::streaming {

LogWriter::LogWriter(bool overlap) {
  if (overlap) thread_ = std::thread([this] { Work(); });
}

LogWriter::~LogWriter() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LogWriter::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    // What was submitted is written even when the query ends: it had been decided.
    if (queue_.empty()) return;
    std::function<arrow::Status()> write = std::move(queue_.front());
    queue_.pop_front();
    if (!failure_.ok()) continue;
    busy_ = true;
    lock.unlock();
    arrow::Status status = write();
    lock.lock();
    busy_ = false;
    if (!status.ok()) failure_ = std::move(status);
    changed_.notify_all();
  }
}

arrow::Status LogWriter::Submit(std::function<arrow::Status()> write) {
  if (!thread_.joinable()) {
    if (failure_.ok()) failure_ = write();
    return failure_;
  }
  {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    queue_.push_back(std::move(write));
  }
  changed_.notify_all();
  return arrow::Status::OK();
}

arrow::Status LogWriter::Wait() {
  if (!thread_.joinable()) return failure_;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !failure_.ok() || (queue_.empty() && !busy_); });
  return failure_;
}

}  // namespace millrace::streaming
