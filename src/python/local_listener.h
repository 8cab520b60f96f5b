#pragma once

#include <arrow/result.h>

#include <atomic>
#include <memory>
#include <string>

#include "python/worker.h"

namespace millrace::python {

/// A socket in a folder of our user's own, to which a worker connects when its task asks for more than its rows.
/// Thread: confined.
class LocalListener {
 public:
  static arrow::Result<std::unique_ptr<LocalListener>> Make();
  ~LocalListener();

  const std::string& path() const { return path_; }
  /// The first connection. Errors: Cancelled when `stop` became true.
  arrow::Result<WorkerSocket> Accept(const std::atomic<bool>& stop);

 private:
  LocalListener(std::string folder, OwnedFd fd);

  std::string folder_;
  std::string path_;
  OwnedFd fd_;
};

}  // namespace millrace::python
