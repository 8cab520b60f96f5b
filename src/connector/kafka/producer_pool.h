#pragma once

#include <arrow/result.h>

#include <memory>
#include <mutex>
#include <vector>

#include "kafka/client_config.h"
#include "kafka/producer.h"

namespace millrace::connector::kafka {

/// The producers of one sink, kept open from batch to batch. A broker answers one request of a connection at a time and
/// a client has one thread a broker: tasks with much to write get producers of their own, the others share the first.
/// Thread-safe, except Reset.
class ProducerPool {
 public:
  static arrow::Result<std::shared_ptr<ProducerPool>> Open(const millrace::kafka::ClientConfig& config);

  /// For all records of one task in one batch: those of a key and partition must not overtake each other.
  /// `many`: more than a producer could send while the task still computes.
  arrow::Result<millrace::kafka::Producer*> ForTask(int task_index, bool many);

  /// Drops what is queued and forgets errors. REQUIRES: no task writes.
  arrow::Status Reset();

 private:
  ProducerPool(const millrace::kafka::ClientConfig& config, std::unique_ptr<millrace::kafka::Producer> first);

  millrace::kafka::ClientConfig config_;
  std::mutex mutex_;
  /// Null: not opened yet.
  std::vector<std::unique_ptr<millrace::kafka::Producer>> producers_;
};

}  // namespace millrace::connector::kafka
