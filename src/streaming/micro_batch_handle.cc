#include <fmt/format.h>

#include <chrono>

#include "logical/plan.h"
#include "streaming/micro_batch_execution.h"

// What others ask of a running query, from any thread.

namespace millrace::streaming {

bool MicroBatchExecution::is_active() const {
  std::lock_guard lock(mutex_);
  return active_;
}

StreamingQueryStatus MicroBatchExecution::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

std::vector<JsonValue> MicroBatchExecution::recent_progress() const {
  std::lock_guard lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

std::optional<JsonValue> MicroBatchExecution::last_progress() const {
  std::lock_guard lock(mutex_);
  if (recent_.empty()) return std::nullopt;
  return recent_.back();
}

arrow::Status MicroBatchExecution::exception() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

arrow::Status MicroBatchExecution::cause() const {
  std::lock_guard lock(mutex_);
  return cause_;
}

std::string MicroBatchExecution::DescribeFailedState() const {
  std::lock_guard lock(mutex_);
  return failed_state_;
}

std::string MicroBatchExecution::DescribeState() const {
  auto positions = [this](std::optional<connector::SourceOffset> QuerySource::* position) {
    std::vector<std::string> shown;
    for (const QuerySource& source : bound_.sources) {
      const std::optional<connector::SourceOffset>& offset = source.*position;
      if (offset) shown.push_back(fmt::format("{}: {}", source.description, offset->json));
    }
    return fmt::format("{{{}}}", fmt::join(shown, ","));
  };
  return fmt::format(
      "=== Streaming Query ===\nIdentifier: {}[id = {}, runId = {}]\nCurrent Committed Offsets: {}\n"
      "Current Available Offsets: {}\n\nCurrent State: {}\nThread State: RUNNABLE",
      spec_.name.empty() ? "" : spec_.name + " ", id(), run_id_, positions(&QuerySource::committed),
      positions(&QuerySource::available), bound_.not_opened.ok() ? "ACTIVE" : "INITIALIZING");
}

std::string MicroBatchExecution::Explain(bool extended) const {
  std::string text;
  if (extended && spec_.plan != nullptr) {
    std::string analyzed = logical::TreeString(*spec_.plan);
    text += "== Parsed Logical Plan ==\n" + analyzed + "\n== Analyzed Logical Plan ==\n" + analyzed + "\n";
  }
  if (extended) text += "== Optimized Logical Plan ==\n" + bound_.logical_text + "\n";
  std::string physical = bound_.root == nullptr ? bound_.refused.message() : physical::TreeString(*bound_.root);
  return text + "== Physical Plan ==\n" + physical + "\n";
}

arrow::Status MicroBatchExecution::Stop() {
  stopping_.store(true, std::memory_order_release);
  for (QuerySource& source : bound_.sources) source.stream->Interrupt();
  sink_->Interrupt();
  spec_.clock->Notify();
  auto timeout = std::chrono::milliseconds(spec_.stop_timeout_ms > 0 ? spec_.stop_timeout_ms : -1);
  std::unique_lock lock(mutex_);
  auto ended = [this] { return ended_; };
  if (thread_.get_id() == std::this_thread::get_id()) return arrow::Status::OK();
  if (timeout.count() < 0) {
    changed_.wait(lock, ended);
  } else if (!changed_.wait_for(lock, timeout, ended)) {
    return arrow::Status::Invalid("Stream execution thread failed to stop within ", timeout.count(),
                                  " milliseconds (specified by spark.sql.streaming.stopTimeout).");
  }
  return arrow::Status::OK();
}

arrow::Result<bool> MicroBatchExecution::AwaitTermination(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  auto ended = [this] { return ended_; };
  if (timeout.count() < 0) {
    changed_.wait(lock, ended);
  } else if (!changed_.wait_for(lock, timeout, ended)) {
    return false;
  }
  ARROW_RETURN_NOT_OK(failure_);
  return true;
}

arrow::Status MicroBatchExecution::ProcessAllAvailable() {
  std::unique_lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  if (thread_.get_id() == std::this_thread::get_id()) {
    return arrow::Status::Invalid("Cannot wait for the query's data on the query's own thread");
  }
  // A trigger that begins after this call and finds nothing has seen everything that was there.
  int64_t begun = begun_triggers_;
  lock.unlock();
  data_arrived_.store(true, std::memory_order_release);
  spec_.clock->Notify();
  lock.lock();
  changed_.wait(lock, [&] { return ended_ || last_idle_trigger_ > begun; });
  return failure_;
}

}  // namespace millrace::streaming
