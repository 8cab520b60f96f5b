#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "connector/kafka/offset_ranges.h"
#include "connector/kafka/offset_reader.h"
#include "connector/kafka/reader_pool.h"
#include "connector/kafka/source_options.h"
#include "connector/source.h"

namespace millrace::connector::kafka {

/// What the tasks of one query share. Immutable but for the pool.
struct ReadSession {
  SourceOptions options;
  std::shared_ptr<OffsetReader> offsets;
  std::shared_ptr<ReaderPool> readers;
};

/// Tells of lost records: an error by failOnDataLoss, else a warning in the log. `condition` is a sub-condition of
/// KAFKA_DATA_LOSS.
arrow::Status ReportDataLoss(const SourceOptions& options, const std::string& condition, ErrorParameters parameters);

/// One task: the records of one range. Batches hold at most some ten thousand rows and some MiB.
/// Errors while reading: KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE; as kafka::PartitionReader.
class RangePartition final : public InputPartition {
 public:
  /// `last`: the range ends where the next micro-batch starts.
  RangePartition(std::shared_ptr<const ReadSession> session, OffsetRange range, std::vector<int> columns, bool last)
      : session_(std::move(session)), range_(std::move(range)), columns_(std::move(columns)), last_(last) {}

  arrow::Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool* pool) const override;
  const OffsetRange& range() const { return range_; }

 private:
  std::shared_ptr<const ReadSession> session_;
  OffsetRange range_;
  std::vector<int> columns_;
  bool last_;
};

/// A task for each range; the last one of a partition is followed by the next micro-batch's.
InputPartitions PlanRanges(std::shared_ptr<const ReadSession> session, std::vector<OffsetRange> ranges,
                           const ReadColumns& columns, bool keep_fetching);

}  // namespace millrace::connector::kafka
