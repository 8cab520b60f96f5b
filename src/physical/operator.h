#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include "base/task_pool.h"
#include "connector/source.h"
#include "expression/node.h"

namespace millrace::physical {

using expression::AttributeVector;

class Operator;
using OperatorPtr = std::shared_ptr<const Operator>;

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
  /// Below this many input rows a stage runs on the calling thread.
  const std::atomic<bool>* cancelled = nullptr;
  /// Streaming scans: what to read now, by source_key of the scan.
  std::map<int64_t, connector::InputPartitions> stream_partitions;
  std::map<const Operator*, std::unique_ptr<OperatorState>> states;
  /// Rows read by each scan (source_key for streams): numInputRows.
  std::mutex metrics_mutex;
  std::map<int64_t, int64_t> rows_read;

  /// Errors: Cancelled when the run was asked to end.
  arrow::Status CheckCancelled() const;
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
/// below an exchange, the build side of a join) and leaves it in `context.states`; then num_partitions tasks each Open one partition and pull.
/// Const: what changes lives in ExecutionContext and in the streams.
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

 protected:
  Operator(std::vector<OperatorPtr> children, AttributeVector output);

 private:
  std::vector<OperatorPtr> children_;
  AttributeVector output_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// Physical plan as explain() draws it.
std::string TreeString(const Operator& root);

/// Prepares and runs every partition on the pool; `consume(partition, batch)` is called from the partition's task,
/// in order within a partition.
arrow::Status Run(const Operator& root, ExecutionContext& context,
                  const std::function<arrow::Status(int, const std::shared_ptr<arrow::RecordBatch>&)>& consume);

/// All rows, by partition.
arrow::Result<std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>> Collect(const Operator& root,
                                                                                    ExecutionContext& context);

}  // namespace millrace::physical
