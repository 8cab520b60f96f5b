#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "connector/kafka/source_options.h"
#include "connector/kafka/topic_pattern.h"
#include "kafka/admin.h"

namespace millrace::connector::kafka {

/// Turns a subscription and its limits into offsets by asking the brokers.
///
/// Errors of all calls: as kafka::Admin; UserError with Spark's conditions for what the user gave.
/// Thread-safe. Spec: Spark's KafkaOffsetReaderAdmin.
class OffsetReader {
 public:
  static arrow::Result<std::unique_ptr<OffsetReader>> Open(const SourceOptions& options, std::stop_token stop);

  /// Partitions that exist now and that the subscription asks for.
  arrow::Result<TopicPartitionSet> AssignedPartitions();

  /// Real offsets of a start or an end; all assigned partitions have one.
  arrow::Result<PartitionOffsets> Resolve(const OffsetLimit& limit, bool is_start);

  /// Latest offsets of the assigned partitions. An answer before `known` is asked again: a broker that has just become
  /// leader may be behind for a moment.
  arrow::Result<PartitionOffsets> LatestOffsets(const PartitionOffsets& known);
  /// Earliest offsets of those of `partitions` that still exist.
  arrow::Result<PartitionOffsets> EarliestOffsets(const TopicPartitionSet& partitions);

  /// First kept and next written offset of one partition; nullopt when it is gone.
  struct Available {
    int64_t earliest = 0;
    int64_t latest = 0;
  };
  arrow::Result<std::optional<Available>> AvailableOffsets(const TopicPartition& partition);

 private:
  OffsetReader(const SourceOptions& options, std::unique_ptr<TopicPattern> pattern,
               std::unique_ptr<millrace::kafka::Admin> admin);
  arrow::Result<PartitionOffsets> ResolveTimestamps(const std::map<TopicPartition, int64_t>& timestamps_ms,
                                                    bool latest_when_no_match);
  /// Replaces −1 and −2 by real offsets.
  arrow::Result<PartitionOffsets> ResolveSpecial(PartitionOffsets offsets);

  Subscription subscription_;
  /// Of a stream: Spark words some errors otherwise.
  bool streaming_ = false;
  millrace::kafka::RetryPolicy retry_;
  std::unique_ptr<TopicPattern> pattern_;
  std::unique_ptr<millrace::kafka::Admin> admin_;
};

}  // namespace millrace::connector::kafka
