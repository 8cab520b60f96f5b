#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/task_pool.h"
#include "connector/source.h"
#include "expression/eval_context.h"
#include "expression/node.h"

namespace millrace::physical {

using expression::AttributeVector;

class Operator;
struct StreamingBatch;
using OperatorPtr = std::shared_ptr<const Operator>;
/// The rows of one partition, held in memory.
using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

/// What a blocking operator keeps between its Prepare and its Opens: shuffled rows, a built hash table.
class OperatorState {
 public:
  virtual ~OperatorState() = default;
};

/// Everything of one run of a plan (a batch query, or one micro-batch) that is not the plan.
/// Thread: the maps are filled on the driver thread only (Prepare); tasks read them.
struct ExecutionContext {
  expression::EvalContext eval;
  TaskPool* pool = nullptr;
  /// spark.sql.shuffle.partitions in force.
  int shuffle_partitions = 200;
  /// Rows a batch aims at.
  int64_t batch_rows = 65536;
  /// Set by whoever wants the run to end; may be null.
  const std::atomic<bool>* cancelled = nullptr;
  /// Streaming scans: what to read now, by source_key of the scan.
  std::map<int64_t, connector::InputPartitions> stream_partitions;
  /// A micro-batch: watermarks, state stores (physical/stateful/stateful_operator.h). Null for a batch query.
  StreamingBatch* streaming = nullptr;
  std::map<const Operator*, std::unique_ptr<OperatorState>> states;
  /// Added to the partition numbers of an operator below a union, so that a task's rows see one number
  /// (spark_partition_id) whatever branch they come from.
  std::map<const Operator*, int> partition_bases;
  /// Rows read by each scan (source_key for streams): numInputRows.
  std::mutex metrics_mutex;
  std::map<int64_t, int64_t> rows_read;
  /// Rows handed to the sink.
  std::atomic<int64_t> rows_written{0};

  /// Errors: Cancelled when the run was asked to end.
  arrow::Status CheckCancelled() const;
  /// What expressions of `op` see while they evaluate rows of `partition`.
  expression::EvalContext EvalContextOf(const Operator& op, int partition) const;
  /// What Prepare of `op` left, or null.
  template <typename T>
  T* StateOf(const Operator& op) const {
    auto it = states.find(&op);
    return it == states.end() ? nullptr : static_cast<T*>(it->second.get());
  }
};

/// Yields one partition's rows. Confined to one task.
class BatchStream {
 public:
  virtual ~BatchStream() = default;
  /// The next rows with the operator's schema; null at the end. May be empty.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

/// A node of a physical plan: bound once, run many times (each micro-batch), by many tasks at once.
///
/// Life of a run: Prepare on the driver thread, which runs whatever must be complete before rows can flow (the stage
/// below an exchange, the build side of a join) and leaves it in `context.states`; then num_partitions tasks each Open
/// one partition and pull. Const: what changes lives in ExecutionContext and in the streams.
class Operator {
 public:
  virtual ~Operator() = default;

  const AttributeVector& output() const { return output_; }
  /// Schema of the batches, from `output`.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  const std::vector<OperatorPtr>& children() const { return children_; }

  /// Default: prepares the children, left to right.
  virtual arrow::Status Prepare(ExecutionContext& context) const;
  /// REQUIRES: Prepare was called. Default: the first child's.
  virtual int num_partitions(const ExecutionContext& context) const;
  virtual arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const = 0;
  /// One line of explain().
  virtual std::string Describe() const = 0;
  /// The lines of explain() for an operator that does what several of Spark's do, top first.
  virtual std::vector<std::string> DescribeStack() const { return {Describe()}; }
  /// True when the partitions above are not those below: the children's rows are complete before Open.
  virtual bool starts_stage() const { return false; }

 protected:
  Operator(std::vector<OperatorPtr> children, AttributeVector output);

 private:
  std::vector<OperatorPtr> children_;
  AttributeVector output_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// Physical plan as explain() draws it.
std::string TreeString(const Operator& root);

using BatchConsumer = std::function<arrow::Status(int partition, const std::shared_ptr<arrow::RecordBatch>&)>;

/// Prepares and runs every partition, one inline on the calling thread, several on the pool; `consume` is called from
/// the partition's task, in order within a partition, never with an empty batch.
arrow::Status Run(const Operator& root, ExecutionContext& context, const BatchConsumer& consume);
/// As Run when `root` is prepared already: how an operator runs the stage below it.
arrow::Status RunPrepared(const Operator& root, ExecutionContext& context, const BatchConsumer& consume);

/// All rows, by partition.
arrow::Result<std::vector<Batches>> Collect(const Operator& root, ExecutionContext& context);
/// As Collect when `root` is prepared already.
arrow::Result<std::vector<Batches>> CollectPrepared(const Operator& root, ExecutionContext& context);

}  // namespace millrace::physical
