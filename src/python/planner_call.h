#pragma once

#include <arrow/result.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "python/environment.h"
#include "python/worker_pool.h"

namespace millrace::python {

/// A conversation with one of PySpark's modules that are asked about the user's classes while a query is planned
/// (pyspark.sql.worker.*: analyze() of a table function, the methods of a data source). It runs in a worker of the
/// pool. Confined to one thread.
///
/// Errors of reading: what `failure` makes of a Python traceback; IOError when the worker died; Cancelled.
class PlannerCall {
 public:
  using Failure = std::function<arrow::Status(std::string traceback)>;

  /// `body`: what the module reads after its preamble. `conversation` is true for modules that are asked again and
  /// again: they know no broadcasts and no settings. `cancelled` may be null; it outlives the call.
  static arrow::Result<std::unique_ptr<PlannerCall>> Start(EnvironmentPtr environment, std::string_view module,
                                                           std::string_view python_version, std::string_view body,
                                                           Failure failure, bool conversation = false,
                                                           const std::atomic<bool>* cancelled = nullptr);
  ~PlannerCall();

  /// A further question of a conversation.
  arrow::Status Send(std::string_view bytes);
  void set_failure(Failure failure) { failure_ = std::move(failure); }
  arrow::Result<int32_t> ReadInt();
  /// A text or pickle with its length before it.
  arrow::Result<std::string> ReadBytes();
  /// Exactly `size` bytes.
  arrow::Status ReadFully(void* out, size_t size);
  /// Everything was read: the worker is free for another task.
  arrow::Status Finish();

 private:
  PlannerCall(EnvironmentPtr environment, std::unique_ptr<Worker> worker, Failure failure,
              const std::atomic<bool>* cancelled)
      : environment_(std::move(environment)),
        worker_(std::move(worker)),
        failure_(std::move(failure)),
        cancelled_(cancelled) {}

  arrow::Status Checked(const arrow::Status& status) const;

  EnvironmentPtr environment_;
  std::unique_ptr<Worker> worker_;
  Failure failure_;
  const std::atomic<bool>* cancelled_;
};

}  // namespace millrace::python
