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
  /// "10 seconds", "1 minute 30 seconds". What is none is an error of Start.
  static Trigger ProcessingTime(std::string_view interval);
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
  Trigger(Kind kind, std::string interval) : kind_(kind), interval_(std::move(interval)) {}
  Kind kind_;
  std::string interval_;
};

/// What a query does at the moment (Spark's StreamingQueryStatus).
struct StreamingQueryStatus {
  std::string message;
  bool is_data_available = false;
  bool is_trigger_active = false;
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
  StreamingQueryStatus Status() const;
  /// Spark's StreamingQueryProgress as JSON; empty before the first.
  std::string LastProgress() const;
  std::vector<std::string> RecentProgress() const;
  std::string Explain(bool extended = false) const;
  arrow::Status Exception() const;

 private:
  std::shared_ptr<streaming::StreamingQuery> query_;
};

/// Takes the rows of one partition of one micro-batch (Spark's ForeachWriter). One for each; used by one thread.
class ForeachWriter {
 public:
  virtual ~ForeachWriter() = default;
  /// False when the rows are not wanted, for instance because these were written before. Errors end the query.
  virtual arrow::Result<bool> Open(int64_t partition_id, int64_t epoch_id) {
    (void)partition_id;
    (void)epoch_id;
    return true;
  }
  /// An error ends the query; the micro-batch is run again, whole, when it is started again.
  virtual arrow::Status Process(const Row& row) = 0;
  /// After every Open that did not fail. `error`: what ended the partition; OK when its rows were processed.
  virtual void Close(const arrow::Status& error) { (void)error; }
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
  DataStreamWriter& Option(std::string_view key, const char* value) { return Option(key, std::string_view(value)); }
  DataStreamWriter& Option(std::string_view key, bool value) { return Option(key, value ? "true" : "false"); }
  DataStreamWriter& Option(std::string_view key, int64_t value) { return Option(key, std::to_string(value)); }
  DataStreamWriter& Option(std::string_view key, int value) { return Option(key, std::to_string(value)); }
  DataStreamWriter& Options(const std::map<std::string, std::string>& options);
  DataStreamWriter& PartitionBy(const std::vector<std::string>& columns);
  /// Of a Delta table.
  DataStreamWriter& ClusterBy(const std::vector<std::string>& columns);
  DataStreamWriter& QueryName(std::string_view name);
  DataStreamWriter& SetTrigger(const Trigger& trigger);
  /// Each micro-batch as a DataFrame. Called on the query's thread; after a crash again with the same id and rows.
  DataStreamWriter& ForeachBatch(BatchFunction function);
  /// Each partition of each micro-batch to a writer of its own. `make` and the writers are called on the engine's
  /// threads, several at once.
  DataStreamWriter& Foreach(std::function<std::unique_ptr<ForeachWriter>()> make);
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
  std::vector<std::string> cluster_columns_;
  std::vector<Trigger> trigger_;
  BatchFunction foreach_batch_;
  std::function<std::unique_ptr<ForeachWriter>()> foreach_;
};

}  // namespace millrace
