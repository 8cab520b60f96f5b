#include "connector/kafka/range_partition.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/error.h"
#include "connector/kafka/record_columns.h"

namespace millrace::connector::kafka {

using millrace::kafka::PartitionReader;
using millrace::kafka::RangeLoss;
using millrace::kafka::ReadResult;

namespace {

/// A batch ends with the first of these. Small enough to stay in the cache of what decodes it next.
constexpr int64_t kBatchRows = 4096;
constexpr int64_t kBatchBytes = 1 << 20;
/// Records taken from the client at a time.
constexpr size_t kReadRows = 2048;

class RangeReader final : public BatchReader {
 public:
  RangeReader(std::shared_ptr<const ReadSession> session, OffsetRange range, std::vector<int> columns,
              std::unique_ptr<ReaderPool::Lease> lease, arrow::MemoryPool* pool)
      : session_(std::move(session)),
        range_(std::move(range)),
        columns_(range_.partition, std::move(columns), pool),
        lease_(std::move(lease)),
        stop_(session_->readers->stop_token()) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (!complete_ && columns_.num_rows() < kBatchRows && columns_.num_bytes() < kBatchBytes) {
      const size_t wanted = std::min(kReadRows, static_cast<size_t>(kBatchRows - columns_.num_rows()));
      auto answer = lease_->reader().Read(range_.until, wanted, session_->options.poll_timeout, stop_);
      if (!answer.ok()) {
        ARROW_RETURN_NOT_OK(EndWithPartition(answer.status()));
        continue;
      }
      const ReadResult& read = *answer;
      ARROW_RETURN_NOT_OK(columns_.Append(read.records));
      complete_ = read.complete;
      if (read.loss) ARROW_RETURN_NOT_OK(SkipLost(*read.loss));
    }
    if (columns_.num_rows() == 0) return nullptr;
    return columns_.Finish();
  }

 private:
  /// A range that was asked for by name may end behind the last record: what did not come is not late but lost.
  arrow::Status EndWithPartition(const arrow::Status& failure) {
    if (!failure.IsIOError()) return failure;
    auto available = session_->offsets->AvailableOffsets(range_.partition);
    const int64_t position = lease_->reader().position();
    if (!available.ok() || !*available || position < (*available)->latest) return failure;
    return SkipLost({RangeLoss::Kind::kOffsetOutOfRange, position, failure.message()});
  }

  /// Goes on behind what the broker no longer has, where the user has allowed it.
  arrow::Status SkipLost(const RangeLoss& loss) {
    const std::string name = range_.partition.ToString();
    ARROW_RETURN_NOT_OK(ReportDataLoss(session_->options, "COULD_NOT_READ_OFFSET_RANGE",
                                       {{"startOffset", std::to_string(loss.offset)},
                                        {"endOffset", std::to_string(range_.until)},
                                        {"topicPartition", name},
                                        {"groupId", session_->options.group_id}}));
    ARROW_ASSIGN_OR_RAISE(auto available, session_->offsets->AvailableOffsets(range_.partition));
    if (!available || loss.kind == RangeLoss::Kind::kPartitionGone || loss.offset >= available->latest ||
        available->earliest >= range_.until) {
      complete_ = true;
      return arrow::Status::OK();
    }
    // An offset that has come back (the topic was made anew and filled quickly) is read; a bounded number of times.
    if (loss.offset >= available->earliest && ++num_retries_ > 3) {
      complete_ = true;
      return arrow::Status::OK();
    }
    return lease_->reader().Seek(std::max(loss.offset, available->earliest));
  }

  std::shared_ptr<const ReadSession> session_;
  OffsetRange range_;
  RecordColumns columns_;
  std::unique_ptr<ReaderPool::Lease> lease_;
  std::stop_token stop_;
  bool complete_ = false;
  int num_retries_ = 0;
};

}  // namespace

arrow::Status ReportDataLoss(const SourceOptions& options, const std::string& condition, ErrorParameters parameters) {
  arrow::Status loss = UserError("KAFKA_DATA_LOSS." + condition, std::move(parameters));
  if (options.fail_on_data_loss) return loss;
  spdlog::warn("{}", loss.message());
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<BatchReader>> RangePartition::Open(arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(auto lease, session_->readers->Acquire(range_.partition, range_.from, last_));
  return std::make_unique<RangeReader>(session_, range_, columns_, std::move(lease), pool);
}

InputPartitions PlanRanges(std::shared_ptr<const ReadSession> session, std::vector<OffsetRange> ranges,
                           const ReadColumns& columns, bool keep_fetching) {
  PartitionOffsets ends;
  for (const OffsetRange& range : ranges) ends[range.partition] = std::max(ends[range.partition], range.until);
  InputPartitions partitions;
  for (OffsetRange& range : ranges) {
    bool last = keep_fetching && range.until == ends[range.partition];
    partitions.push_back(std::make_shared<RangePartition>(session, std::move(range), columns.indices, last));
  }
  return partitions;
}

}  // namespace millrace::connector::kafka
