#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "python/environment.h"
#include "python/task_protocol.h"
#include "python/worker_pool.h"

namespace millrace::python {

/// Appends the next piece of a task's input; false when there is none left (what it appended still counts).
using InputWriter = std::function<arrow::Result<bool>(std::string* out)>;

/// One run of a function in a worker, over the rows of one partition. Input is made and sent while output is awaited,
/// so that the two sides work at once. Confined to one thread.
///
/// Errors: UserError PYTHON_EXCEPTION with the traceback; IOError when the worker died; whatever the input raises.
/// A stream dropped before its end ends the worker.
class TaskStream {
 public:
  /// `cancelled` may be null; it outlives the stream.
  static arrow::Result<std::unique_ptr<TaskStream>> Start(EnvironmentPtr environment, const TaskSpec& spec,
                                                          InputWriter input, const std::atomic<bool>* cancelled,
                                                          arrow::MemoryPool* memory);
  /// The same with other words before the first row (PlainTaskHeader).
  using HeaderFunction = std::string (*)(const TaskSpec& spec, const WorkerVersion& version);
  static arrow::Result<std::unique_ptr<TaskStream>> StartWith(HeaderFunction header, EnvironmentPtr environment,
                                                              const TaskSpec& spec, InputWriter input,
                                                              const std::atomic<bool>* cancelled,
                                                              arrow::MemoryPool* memory);
  ~TaskStream();

  const WorkerVersion& version() const { return worker_->version; }
  /// The next record batch; null at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextBatch();
  /// The next pickle; nullopt at the end.
  arrow::Result<std::optional<std::string>> NextPickle();

 private:
  class Input;

  TaskStream(EnvironmentPtr environment, std::unique_ptr<Worker> worker, InputWriter input,
             const std::atomic<bool>* cancelled, arrow::MemoryPool* memory);

  /// At least one byte, at most `size`.
  arrow::Result<size_t> Receive(void* out, size_t size);
  arrow::Status WriteSome();
  arrow::Status ReadFully(int64_t nbytes, void* out);
  arrow::Result<int32_t> ReadInt();
  arrow::Result<std::string> ReadText();
  /// What comes instead of rows. True when the task is over.
  arrow::Result<bool> HandleMark(int32_t mark);
  arrow::Status WorkerDied() const;

  EnvironmentPtr environment_;
  std::unique_ptr<Worker> worker_;
  InputWriter input_writer_;
  const std::atomic<bool>* cancelled_;
  arrow::MemoryPool* memory_;

  std::string outgoing_;
  size_t sent_ = 0;
  bool input_ended_ = false;
  /// Why the input could not be made: what the task fails with, whatever the worker says then.
  arrow::Status input_failure_;

  std::vector<char> incoming_;
  size_t received_ = 0;
  size_t taken_ = 0;

  std::shared_ptr<Input> input_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> batches_;
  bool finished_ = false;
};

}  // namespace millrace::python
