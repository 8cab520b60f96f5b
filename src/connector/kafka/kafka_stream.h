#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connector/kafka/range_partition.h"
#include "connector/source.h"

namespace millrace::connector::kafka {

/// Kafka as an unbounded source.
///
/// Offsets: the JSON of offset_json.h, each the next one to be read. Initial offsets are durable in
/// `<metadata_path>/0` before they are returned, and read from there ever after.
/// Latest offsets: while all partitions are being fetched, what the fetches told is enough; the brokers are asked for
/// them, and for new partitions, once a second.
/// Format: docs/formats/kafka_initial_offsets.md, docs/formats/offset_log.md.
/// Crash: safe at any point; initial offsets are the only thing written.
/// Spec: Spark's KafkaMicroBatchStream.
class KafkaStream final : public MicroBatchStream {
 public:
  static arrow::Result<std::unique_ptr<MicroBatchStream>> Open(const SourceRequest& request);
  ~KafkaStream() override;

  arrow::Result<SourceOffset> InitialOffset() override;
  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset& start) override;
  arrow::Result<std::optional<SourceOffset>> ReportLatestOffset() override;
  arrow::Status PrepareForAvailableNow() override;
  void IgnoreLimits() override { ignore_limits_ = true; }
  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override;
  arrow::Status Commit(const SourceOffset&) override { return arrow::Status::OK(); }
  std::string Description() const override;
  SourceMetrics Metrics(const std::optional<SourceOffset>& end) const override;
  bool NotifyOnData(std::function<void()> on_data) override;
  void Interrupt() override { session_->readers->RequestStop(); }
  void Stop() override;

 private:
  KafkaStream(const SourceRequest& request, std::shared_ptr<const ReadSession> session)
      : metadata_path_(request.metadata_path), context_(*request.context), session_(std::move(session)) {}

  arrow::Result<PartitionOffsets> FetchLatest(const PartitionOffsets& start);
  /// Starts of the partitions of `until` that `from` does not know.
  arrow::Result<PartitionOffsets> StartsOfNewPartitions(const PartitionOffsets& from, const PartitionOffsets& until);
  bool ShouldWaitForMore(const PartitionOffsets& start, const PartitionOffsets& latest);
  arrow::Status CheckAvailableNow(const PartitionOffsets& end);
  arrow::Result<std::vector<OffsetRange>> RangesBetween(const PartitionOffsets& from, const PartitionOffsets& until);

  std::string metadata_path_;
  ConnectorContext context_;
  std::shared_ptr<const ReadSession> session_;
  bool available_now_ = false;
  bool ignore_limits_ = false;
  /// End of an AvailableNow run.
  std::optional<PartitionOffsets> fixed_latest_;
  /// What the last LatestOffset found.
  std::optional<PartitionOffsets> latest_;
  /// When and what the brokers were last asked.
  std::optional<PartitionOffsets> asked_latest_;
  std::chrono::steady_clock::time_point asked_at_{};
  int64_t last_trigger_ms_ = 0;
};

}  // namespace millrace::connector::kafka
