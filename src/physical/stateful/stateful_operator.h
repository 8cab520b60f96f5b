#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "physical/operator.h"
#include "state/row_time.h"

namespace millrace::state {
class StateStore;
struct StatefulOperatorInfo;
}  // namespace millrace::state

namespace millrace::physical {

/// One state store of an operator, as it lies in the checkpoint.
struct StateStoreSpec {
  std::string name = "default";
  /// Struct types; names and metadata are those Spark writes to the schema file.
  types::DataTypePtr key_schema;
  types::DataTypePtr value_schema;
  /// Leading key columns by which the operator scans; 0 for none.
  int num_prefix_columns = 0;
  /// The event time by which the operator evicts; nullopt when it does not.
  std::optional<state::StoreTime> time = {};
  /// False where Spark does not compare the value's schema at a restart (dropDuplicates).
  bool validates_value = true;
  /// The version Spark writes its schema file in.
  int schema_version = 2;
  /// Whether its rows count in numRowsTotal (of a join's four stores two do).
  bool counts_rows = true;
};

/// What one operator did with its state in one micro-batch (Spark's StateOperatorProgress, less what the stores know).
struct StateMetrics {
  int64_t rows_updated = 0;
  int64_t rows_removed = 0;
  int64_t rows_dropped_by_watermark = 0;
  int64_t update_us = 0;
  int64_t removal_us = 0;
  /// Of an operator that holds rows back until the watermark passes them: the least event time, in µs, among the rows
  /// that were changed, or among all when `saw_all_rows`.
  int64_t earliest_waiting_us = INT64_MAX;
  bool saw_all_rows = false;
  /// When state is due that goes by processing time, at the earliest, in ms; INT64_MAX: never.
  int64_t next_timeout_ms = INT64_MAX;
  /// The operator's own (numDroppedDuplicateRows).
  std::map<std::string, int64_t> custom;

  void Add(const StateMetrics& other);
};

/// One stateful operator in one micro-batch.
struct StatefulBatch {
  int operator_id = 0;
  /// Rows with an event time at or below this are late: the operator's input watermark in the batch before.
  int64_t late_watermark_ms = 0;
  /// State at or below this goes: the operator's input watermark in this batch.
  int64_t eviction_watermark_ms = 0;
  /// The watermark went on since the batch before. Where it stood still nothing can be due: what was at or below it
  /// went then, and rows as old are late.
  bool watermark_moved = true;
  /// stores[partition][i]: store i of state_stores() at the version the batch reads. Open for this batch; the loop
  /// commits them all when the operators are done, or aborts them all.
  std::vector<std::vector<state::StateStore*>> stores;
  /// Guarded by ExecutionContext::metrics_mutex.
  StateMetrics metrics;

  int num_partitions() const { return static_cast<int>(stores.size()); }
};

/// Event times one withWatermark saw in one micro-batch, ms since 1970 UTC.
struct EventTimeStats {
  int64_t max_ms = INT64_MIN;
  int64_t min_ms = INT64_MAX;
  double average_ms = 0;
  int64_t count = 0;

  void Add(int64_t event_time_ms);
  void Merge(const EventTimeStats& other);
};

/// What a micro-batch is to the operators that care (ExecutionContext::streaming).
struct StreamingBatch {
  BatchId batch_id{0};
  int64_t timestamp_ms = 0;
  /// Every stateful operator of the plan.
  std::map<const Operator*, StatefulBatch> stateful;
  /// Every EventTimeWatermark of the plan. Guarded by ExecutionContext::metrics_mutex.
  std::map<const Operator*, EventTimeStats> event_times;
};

/// An operator that keeps state from one micro-batch to the next, in partitions by the hash of its keys.
///
/// Whoever plans one puts the rows of state partition p in front of it (StatePartitions). It reads and writes the
/// stores of partition p in one task; it never commits them: the loop does when every task has ended well.
/// State is complete only when every partition was run to its end, also those without rows (they evict). All of that is
/// done in Prepare: the stores are committed while the rows that came out are written, and what they show must not be
/// views into them.
class StatefulOperator : public Operator {
 public:
  /// Spark's name of the operator in metadata and progress ("stateStoreSave").
  virtual std::string_view short_name() const = 0;
  virtual std::vector<StateStoreSpec> state_stores() const = 0;
  /// Of an operator whose store has column families: describes them, and its properties. Others leave `info` alone.
  virtual void DescribeFamilies(state::StatefulOperatorInfo*) const {}
  /// One partition whatever spark.sql.shuffle.partitions says (globalLimit).
  virtual bool single_partition() const { return false; }
  /// The watermark of the rows that come out, given that of the rows that go in. Source: Spark,
  /// StateStoreWriter.produceOutputWatermark.
  virtual std::optional<int64_t> OutputWatermark(int64_t input_ms) const { return input_ms; }
  /// Whether a batch without data has something to do when the eviction watermark goes from `now` to `next`.
  virtual bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const = 0;
  /// State is due by the clock (StateMetrics::next_timeout_ms), with or without data.
  virtual bool goes_by_processing_time() const { return false; }
  /// Rows come out only when the watermark has passed them (append mode).
  virtual bool holds_rows_back() const { return false; }
  /// Its progress tells the number of its stores; 0 where Spark's operator leaves that out.
  virtual bool counts_store_instances() const { return true; }
  /// Names of the operator's own metrics, all reported, also at 0.
  virtual std::vector<std::string_view> custom_metrics() const { return {}; }

  /// REQUIRES: the context is a micro-batch's.
  StatefulBatch& BatchOf(const ExecutionContext& context) const;

 protected:
  using Operator::Operator;
};

/// Stateful operators of a plan in Spark's numbering: from the sink down, parents before children, left to right.
std::vector<const StatefulOperator*> StatefulOperators(const Operator& root);

}  // namespace millrace::physical
