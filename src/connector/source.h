#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/scalar.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/ids.h"
#include "base/options.h"
#include "types/data_type.h"
#include "types/time_zone.h"

namespace millrace::delta {
class TableCache;
}
namespace millrace::format {
struct Predicate;
}

namespace millrace::connector {

class MemoryTables;
class RowExpressions;

/// What a connector may use of the session that opens it. Outlives everything opened with it.
struct ConnectorContext {
  FileSystem* file_system = LocalFileSystem();
  Clock* clock = nullptr;
  Durability durability = Durability::kMachine;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  bool case_sensitive = false;
  /// Number of tasks that can run at once: a hint for how many partitions to plan.
  int parallelism = 1;
  /// spark.sql.files.maxPartitionBytes and other session settings a connector honours, by full key.
  std::function<std::optional<std::string>(std::string_view key)> conf = [](std::string_view) { return std::nullopt; };
  /// The table show() prints of `rows` (what the console sink writes).
  std::function<arrow::Result<std::string>(const types::DataType& schema,
                                           const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                           int64_t num_rows, int truncate)>
      show;
  /// Where the console sink prints: standard output unless somebody else wants the text.
  std::function<void(std::string_view text)> print = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  /// The session's tables of the memory sink and source; null where there is no session.
  MemoryTables* memory_tables = nullptr;
  /// Delta tables the process has open, so that reads and writes of one table share its snapshot; null where there is
  /// no session.
  delta::TableCache* delta_tables = nullptr;
  /// SQL expressions over rows of a schema (row_expressions.h). Errors: those of parsing and resolving. Empty where
  /// there is no session.
  std::function<arrow::Result<std::shared_ptr<const RowExpressions>>(const types::DataTypePtr& schema,
                                                                     const std::vector<std::string>& sql)>
      compile;
};

/// Yields the rows of one partition. Confined to one task.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  /// The next rows with exactly the columns asked for, in that order; null at the end. Never an empty batch.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

/// A part of the input that one task reads. Immutable once planned; Open is called from the task's thread.
class InputPartition {
 public:
  virtual ~InputPartition() = default;
  virtual arrow::Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool* pool) const = 0;
};
using InputPartitions = std::vector<std::shared_ptr<const InputPartition>>;

/// What the plan needs of a source's rows.
struct ReadColumns {
  /// Indices into the source's schema, ascending: other columns are not decoded.
  std::vector<int> indices;
  /// Rows that cannot satisfy this need not be read; null for none. Its columns are names of the source's schema, not
  /// only those of `indices`. The plan filters all the same.
  std::shared_ptr<const format::Predicate> filter;
  /// The source could judge by itself all that the plan's filter asks: rows that the filter drops may count as not
  /// read.
  bool filter_is_whole = false;
};

/// Which of the rows that a filter right above a source drops count as not read by a streaming query.
enum class DroppedRows : uint8_t { kCounted, kFalseUncounted, kUncounted };

/// A bounded read. Thread: planned on one thread.
class BatchScan {
 public:
  virtual ~BatchScan() = default;
  virtual arrow::Result<InputPartitions> PlanPartitions(const ReadColumns& columns) = 0;
  /// One line for explain().
  virtual std::string Description() const = 0;
};

/// A source's position: the JSON that stands in the offset log. Opaque outside of its source.
struct SourceOffset {
  std::string json;
  bool operator==(const SourceOffset&) const = default;
};

/// Figures a source adds to its part of the progress ("metrics"): name → text.
using SourceMetrics = std::map<std::string, std::string>;

/// An unbounded read in micro-batches (Spark's MicroBatchStream with SupportsAdmissionControl).
///
/// Life: InitialOffset (new query) or nothing (restart); then for each micro-batch LatestOffset → [offset log is
/// written] → PlanPartitions(start, end) → [run, sink commit, commit log] → Commit(end). After a restart
/// PlanPartitions may be the first call, with offsets of the log.
/// Thread: confined to the query's thread, partitions aside; `on_data` may be called from any thread.
class MicroBatchStream {
 public:
  virtual ~MicroBatchStream() = default;

  /// Where a new query begins. Durable before it returns, where a restart before the first commit could otherwise
  /// begin elsewhere (Kafka's sources/i/0).
  virtual arrow::Result<SourceOffset> InitialOffset() = 0;

  /// After a restart, before any other call: the end of the newest micro-batch that was planned, done or not.
  virtual arrow::Status SeenBefore(const SourceOffset& end) {
    (void)end;
    return arrow::Status::OK();
  }

  /// After a restart, before any call but SeenBefore: the last micro-batch that is done read up to `end`, from `start`
  /// or, the first one, from the beginning. Sources of Spark's first API are made to read it again, and fail where they
  /// cannot.
  virtual arrow::Status Resume(const std::optional<SourceOffset>& start, const SourceOffset& end) {
    (void)start;
    (void)end;
    return arrow::Status::OK();
  }

  /// The end of the next micro-batch under the source's own limits (maxOffsetsPerTrigger …), or nullopt when there is
  /// no data or the limits say to wait. Equal to `start` means no new data.
  virtual arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset& start) = 0;

  /// What exists now, limits aside: "latestOffset" of the progress; nullopt when the source cannot say.
  virtual arrow::Result<std::optional<SourceOffset>> ReportLatestOffset() { return std::nullopt; }

  /// Called once, before the first LatestOffset, for Trigger.AvailableNow: fixes the end of the run to what exists now.
  virtual arrow::Status PrepareForAvailableNow() = 0;
  /// Called once for Trigger.Once: the next LatestOffset ignores the limits.
  virtual void IgnoreLimits() {}

  /// Rows in (start, end]. The same offsets always give the same rows, or an error.
  virtual arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                        const ReadColumns& columns) = 0;

  /// The user's code sees the calls: Commit of a micro-batch comes before PlanPartitions of the next, as in Spark. Else
  /// it may come later, which spares waiting for the offset log.
  virtual bool commits_before_planning() const { return false; }

  /// Rows up to `end` will not be asked for again.
  virtual arrow::Status Commit(const SourceOffset& end) = 0;

  /// Shown in the progress ("KafkaV2[Subscribe[visits]]").
  virtual std::string Description() const = 0;
  /// Progress metrics of the last batch that ended at `end`.
  virtual SourceMetrics Metrics(const std::optional<SourceOffset>& end) const {
    (void)end;
    return {};
  }

  /// Calls `on_data` soon after new data may have arrived, so that a query without a trigger need not poll. False from
  /// sources that cannot tell: such a query polls each spark.sql.streaming.pollingDelay. The others are asked each
  /// second all the same (new partitions make no noise).
  virtual bool NotifyOnData(std::function<void()> on_data) {
    (void)on_data;
    return false;
  }

  /// The query was told to stop: calls that wait for somebody who does not answer give up with Cancelled, others go on.
  /// From any thread, at any time before Stop.
  virtual void Interrupt() {}

  /// Releases connections. No other call follows.
  virtual void Stop() = 0;
};

/// What a source or sink that a session registered (a user's class) is made of: opaque to all but its own code.
class Extension {
 public:
  virtual ~Extension() = default;
};

/// What to open.
struct SourceRequest {
  Options options;
  /// load(path) or the option "path"; several for batch reads.
  std::vector<std::string> paths;
  /// .schema(…); null when the user gave none.
  types::DataTypePtr user_schema;
  /// What SourceDef::schema answered for this request; set before anything is opened. Indices of ReadColumns refer to
  /// it.
  types::DataTypePtr schema;
  /// The request is for a stream.
  bool streaming = false;
  /// A table of the catalog, whose schema is known: when its files are not there it has none.
  bool of_table = false;
  /// Streams only: the query's directory for this source (checkpoint/sources/<i>).
  std::string metadata_path;
  const ConnectorContext* context = nullptr;
  /// Of a registered source; null for those of the engine.
  std::shared_ptr<const Extension> extension;
};

/// A condition in Spark's words, that a source may apply itself: the case of org.apache.spark.sql.sources.Filter, the
/// names from the column down to the field, and what it is compared with.
struct SourceFilter {
  std::string_view name;
  std::vector<std::string> column;
  /// Null for IsNull and IsNotNull.
  types::DataTypePtr value_type;
  std::shared_ptr<arrow::Scalar> value;
  bool negated = false;
};

/// What became of conditions that were offered.
struct PushedFilters {
  /// Reads with them.
  std::shared_ptr<const SourceRequest> request;
  /// Which of them hold for all rows that are read: the plan does not filter by these any more.
  std::vector<size_t> applied;
};

struct OptionDef {
  std::string_view key;
  std::string_view default_text;
  std::string_view doc;
};

/// One line of the registry of sources.
/// How a source or a sink stands to Spark's triggers that have no micro-batches.
struct LowLatency {
  /// Spark's class, as its messages call it; empty where it has none.
  std::string_view class_name;
  bool continuous = false;  ///< Trigger.Continuous takes it
  bool real_time = false;   ///< Trigger.RealTime takes it
};

struct SourceDef {
  std::string_view name;
  std::string_view description;
  std::span<const OptionDef> options;
  /// Schema of the rows, before anything is read (a struct type).
  arrow::Result<types::DataTypePtr> (*schema)(const SourceRequest&) = nullptr;
  /// Null when the source cannot be read in that way: UNSUPPORTED_… by the caller.
  arrow::Result<std::unique_ptr<BatchScan>> (*open_batch)(const SourceRequest&) = nullptr;
  arrow::Result<std::unique_ptr<MicroBatchStream>> (*open_stream)(const SourceRequest&) = nullptr;
  /// Offers the conditions that stand over a bounded read; nothing for a source that does not look at them.
  arrow::Result<std::optional<PushedFilters>> (*push_filters)(const SourceRequest&,
                                                              const std::vector<SourceFilter>&) = nullptr;
  /// Type of the column `_metadata`, which rows have and do not show; a null type, or no function, for none. In
  /// ReadColumns it stands behind the schema's last column.
  arrow::Result<types::DataTypePtr> (*metadata_column)(const SourceRequest&) = nullptr;
  /// Spark's readers of some formats leave out rows while they parse them.
  DroppedRows dropped_rows = DroppedRows::kCounted;
  LowLatency low_latency;
};

/// The source called `name` (any case), or nullptr.
const SourceDef* FindSource(std::string_view name);
std::span<const SourceDef* const> AllSources();

}  // namespace millrace::connector
