#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "connector/source.h"

namespace millrace::connector {

/// The rows of one micro-batch, as a function of foreachBatch may ask for them: any number of times, whole or in part,
/// from several threads at once. Source: Spark, ForeachBatchSink, whose frame is a LogicalRDD over the micro-batch's
/// plan: each action computes what it reads.
class MicroBatchRows {
 public:
  using Partition = std::vector<std::shared_ptr<arrow::RecordBatch>>;

  /// One run of a plan over the rows. Confined to the run; partitions to a task each.
  class Reading {
   public:
    virtual ~Reading() = default;
    virtual int num_partitions() const = 0;
    /// The rows of one partition, asked for once a reading. REQUIRES: the rows are not all held. Errors: those of
    /// computing them; Cancelled when the micro-batch is over.
    virtual arrow::Result<std::unique_ptr<BatchReader>> Open(int partition) = 0;
    /// So many rows of a partition went on. Thread-safe.
    virtual void HandedOut(int64_t num_rows) = 0;
  };

  virtual ~MicroBatchRows() = default;
  /// Distinct within the process.
  virtual int64_t id() const = 0;
  /// All rows, where they are held in memory; null where there are more, or where some cannot be computed.
  virtual std::shared_ptr<const std::vector<Partition>> held() const = 0;
  /// Errors: those of what has to be complete before rows can flow.
  virtual arrow::Result<std::shared_ptr<Reading>> Begin() = 0;
};

}  // namespace millrace::connector
