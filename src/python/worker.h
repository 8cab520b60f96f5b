#pragma once

#include <arrow/result.h>

#include <atomic>
#include <string>
#include <string_view>

#include "python/process.h"

namespace millrace::python {

/// What a Python process told about itself.
struct WorkerVersion {
  /// pyspark.__version__: the protocol it speaks.
  std::string pyspark;
  /// "3.11".
  std::string python;

  /// Whether its PySpark is at least `major`.`minor`.
  bool AtLeast(int major, int minor) const;
};

/// A connection to one worker process, blocking, with the small words of its protocol. Confined to one thread.
class WorkerSocket {
 public:
  WorkerSocket() = default;
  explicit WorkerSocket(OwnedFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  void Close() { fd_.Reset(); }
  arrow::Status Send(std::string_view bytes);
  /// Exactly `size` bytes. Errors: IOError at the end of the stream; Cancelled when `cancelled` became true.
  arrow::Status Receive(void* out, size_t size, const std::atomic<bool>* cancelled = nullptr);
  arrow::Result<int32_t> ReceiveInt(const std::atomic<bool>* cancelled = nullptr);
  /// A text with its length before it.
  arrow::Result<std::string> ReceiveText(const std::atomic<bool>* cancelled = nullptr);
  /// True when the other side has closed, or sent what nobody asked for: unfit for another task.
  bool IsStale() const;

 private:
  OwnedFd fd_;
};

/// A worker of a pool.
struct Worker {
  WorkerSocket socket;
  pid_t pid = -1;
  WorkerVersion version;
};

/// IOError of a worker that ended in the middle of its work, with what it wrote into `fault_folder` when it did.
arrow::Status WorkerCrash(const std::string& fault_folder, pid_t pid);

/// A random text that a process must show before we talk to it.
std::string MakeSecret();

}  // namespace millrace::python
