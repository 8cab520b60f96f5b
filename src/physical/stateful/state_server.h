#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "physical/stateful/processor_state.h"
#include "python/local_listener.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// What a server of state knows beside the state.
struct StateServerSpec {
  /// A struct: the grouping columns.
  types::DataTypePtr key_type;
  TimeMode time_mode = TimeMode::kNone;
  int64_t batch_time_ms = 0;
  int64_t watermark_ms = 0;
  /// Rows that go out in one answer.
  size_t max_rows = 10000;
  /// Which state partition has a key, given its columns.
  std::function<int(const std::vector<std::shared_ptr<arrow::ArrayData>>& key)> partition_of;
  /// The partitions whose timers are due in this run, in order: [first, last).
  int first_partition = 0;
  int last_partition = 0;
};

/// Answers what one worker of transformWithState asks while its task runs: variables, timers, times.
///
/// With `state` it reads and writes that; without, it is the server of the run that only declares the variables, and
/// keeps what was declared. A thread of its own serves one connection until the worker closes it; nobody else touches
/// `state` meanwhile.
/// Source: Spark, TransformWithStateInPySparkStateServer, and its message StateMessage.
class StateServer {
 public:
  static arrow::Result<std::unique_ptr<StateServer>> Start(StateServerSpec spec, ProcessorState* state);
  ~StateServer();

  const std::string& path() const { return listener_->path(); }
  /// Waits for the worker to close its connection; with `now` for no longer. What failed, if something did that the
  /// worker was not told.
  arrow::Status Finish(bool now);
  /// REQUIRES: finished, and started without a state.
  std::vector<StateVariable> TakeDeclared() { return std::move(declared_); }

 private:
  class Connection;

  StateServer(StateServerSpec spec, ProcessorState* state, std::unique_ptr<python::LocalListener> listener);
  arrow::Status Serve();

  StateServerSpec spec_;
  ProcessorState* state_;
  std::unique_ptr<python::LocalListener> listener_;
  std::vector<StateVariable> declared_;
  std::atomic<bool> stop_{false};
  arrow::Status status_;
  std::thread thread_;
};

}  // namespace millrace::physical
