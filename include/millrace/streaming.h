#pragma once

#include <arrow/result.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/data_frame.h"

namespace spark::connect {
class WriteStreamOperationStart;
}

namespace millrace {

namespace streaming {
class StreamingQuery;
}

/// When micro-batches run. Without one, as soon as data arrive.
class Trigger {
 public:
  static Trigger ProcessingTime(std::chrono::milliseconds interval);
  /// All that exists now, in as many micro-batches as the sources' limits ask; then the query ends.
  static Trigger AvailableNow();
  static Trigger Once();
  /// For queries without state, between sources and sinks that answer at once. Here rows are never held back for a
  /// micro-batch; Spark writes its logs once each `checkpoint_interval`.
  static Trigger Continuous(std::chrono::milliseconds checkpoint_interval);
  /// Spark's real-time mode, for what it takes: Kafka to Kafka, console or foreach, in output mode "update". Spark
  /// writes its logs once each `batch_duration`, 5 seconds at least.
  static Trigger RealTime(std::chrono::milliseconds batch_duration);

 private:
  friend class DataStreamWriter;
  enum class Kind { kProcessingTime, kAvailableNow, kOnce, kContinuous, kRealTime };
  Trigger(Kind kind, std::chrono::milliseconds interval) : kind_(kind), interval_(interval) {}
  Kind kind_;
  std::chrono::milliseconds interval_;
};

/// A handle of a streaming query. Cheap to copy, thread-safe. The query goes on when the handle goes away, and ends
/// with its session.
class StreamingQuery {
 public:
  explicit StreamingQuery(std::shared_ptr<streaming::StreamingQuery> query) : query_(std::move(query)) {}

  const std::string& Id() const;
  const std::string& RunId() const;
  const std::string& Name() const;
  bool IsActive() const;
  /// Waits for the end. Errors: the query's failure (STREAM_FAILED).
  arrow::Status AwaitTermination();
  /// False when it still runs after `timeout`.
  arrow::Result<bool> AwaitTermination(std::chrono::milliseconds timeout);
  /// Returns when everything available at the call is processed.
  arrow::Status ProcessAllAvailable();
  arrow::Status Stop();
  /// Spark's StreamingQueryProgress as JSON; empty before the first.
  std::string LastProgress() const;
  std::vector<std::string> RecentProgress() const;
  std::string Explain(bool extended = false) const;
  arrow::Status Exception() const;

 private:
  std::shared_ptr<streaming::StreamingQuery> query_;
};

/// Describes and starts a streaming query (Spark's DataStreamWriter).
class DataStreamWriter {
 public:
  using BatchFunction = std::function<arrow::Status(const DataFrame& rows, int64_t batch_id)>;

  explicit DataStreamWriter(DataFrame input) : input_(std::move(input)) {}
  DataStreamWriter& Format(std::string_view name);
  /// append (default), update, complete.
  DataStreamWriter& OutputMode(std::string_view mode);
  DataStreamWriter& Option(std::string_view key, std::string_view value);
  DataStreamWriter& PartitionBy(const std::vector<std::string>& columns);
  DataStreamWriter& QueryName(std::string_view name);
  DataStreamWriter& SetTrigger(const Trigger& trigger);
  /// Each micro-batch as a DataFrame. Called on the query's thread; after a crash again with the same id and rows.
  DataStreamWriter& ForeachBatch(BatchFunction function);
  arrow::Result<StreamingQuery> Start(std::string_view path = "");
  /// Into a table of the catalog, created when it is not there.
  arrow::Result<StreamingQuery> ToTable(std::string_view name);

 private:
  arrow::Result<StreamingQuery> StartAs(spark::connect::WriteStreamOperationStart* start);

  DataFrame input_;
  std::string format_;
  std::string output_mode_;
  std::string query_name_;
  std::map<std::string, std::string> options_;
  std::vector<std::string> partition_columns_;
  std::vector<Trigger> trigger_;
  BatchFunction foreach_batch_;
};

}  // namespace millrace
