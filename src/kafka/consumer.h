#pragma once

#include <arrow/result.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/client_config.h"
#include "kafka/topic_partition.h"

namespace millrace::kafka {

class NativeClient;
class Consumer;

enum class TimestampType : int32_t {
  kNone = -1,
  kCreateTime = 0,
  kLogAppendTime = 1,
};

/// One record in the client's memory.
struct ConsumedRecord {
  const uint8_t* key = nullptr;    ///< nullptr: null
  const uint8_t* value = nullptr;  ///< nullptr: null
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = -1;
  TimestampType timestamp_type = TimestampType::kNone;
  void* native = nullptr;  ///< for ReadHeaders
};

struct RecordHeader {
  std::string_view name;
  const uint8_t* value = nullptr;  ///< nullptr: null
  size_t value_size = 0;
};

/// Replaces `headers` by those of `record`, in their order; they live as long as the record.
void ReadHeaders(const ConsumedRecord& record, std::vector<RecordHeader>* headers);

/// Records of the asked range that the broker no longer has.
struct RangeLoss {
  enum class Kind {
    kOffsetOutOfRange,  ///< the offset is before the first or after the last one that is kept
    kPartitionGone,     ///< the topic or partition does not exist any more
  };
  Kind kind = Kind::kOffsetOutOfRange;
  int64_t offset = 0;  ///< the first one that cannot be read
  std::string reason;  ///< the broker's words
};

/// What one call of PartitionReader::Read found.
struct ReadResult {
  /// In offset order, all in the asked range; valid until the next call.
  std::span<const ConsumedRecord> records;
  /// Nothing of the range is left to be read.
  bool complete = false;
  /// Set when the range cannot be read from here on; the reader is stopped.
  std::optional<RangeLoss> loss;
};

/// Reads ranges of offsets of one partition and keeps fetching behind the last one, so that the next range is at hand
/// when it starts where the last one ended.
///
/// Offsets without a visible record (transaction markers, aborted records with read_committed, compacted records) are
/// passed over; a range that ends in them is complete all the same.
/// Thread: confined to one thread at a time, beside the other readers of its Consumer.
class PartitionReader {
 public:
  ~PartitionReader();
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  const TopicPartition& partition() const { return partition_; }

  /// Makes `offset` the next one to be read. Costs nothing when it is the next one already.
  arrow::Status Seek(int64_t offset);
  /// The offset that Read continues with.
  int64_t position() const { return position_; }

  /// Waits for records in [position(), until_offset), at most `max_records` of them.
  /// Errors: IOError naming the broker when nothing came for `timeout`; Cancelled when `stop` asks for it.
  arrow::Result<ReadResult> Read(int64_t until_offset, size_t max_records, std::chrono::milliseconds timeout,
                                 const std::stop_token& stop);

  /// True when a record behind position() has been fetched already. Does not wait.
  bool HasFetched();
  /// First offset not yet written, as the last fetch told; nullopt before the first one.
  std::optional<int64_t> KnownEndOffset() const;
  /// Gives up fetching; the next Seek starts again.
  void Stop();

 private:
  friend class Consumer;
  struct Native;

  PartitionReader(Consumer* consumer, TopicPartition partition, std::unique_ptr<Native> native);
  arrow::Status Start(int64_t offset);
  /// Moves fetched messages from the client's queue to the end of `ahead_`.
  size_t Pull(size_t max_messages, int timeout_ms);
  void ReleaseRead();
  /// Offsets passed over by the client itself (transaction markers).
  int64_t ClientPosition() const;
  /// Asks the broker; true when it does not answer.
  bool Exists() const;
  /// Whether the broker has, or may have, a record at `offset`.
  bool Holds(int64_t offset) const;

  Consumer* consumer_;
  TopicPartition partition_;
  std::unique_ptr<Native> native_;
  int64_t position_ = -1;
  bool started_ = false;
  std::vector<ConsumedRecord> records_;
};

/// A long-lived consumer of any number of partitions, without a consumer group.
///
/// Thread-safe; each reader is confined (see there). Readers must not outlive it.
class Consumer {
 public:
  static arrow::Result<std::unique_ptr<Consumer>> Open(const ClientConfig& config);
  ~Consumer();

  /// The reader of `partition`, made at the first call.
  arrow::Result<PartitionReader*> Reader(const TopicPartition& partition);
  /// Stops and forgets readers of partitions that are not in `wanted`.
  void KeepOnly(const TopicPartitionSet& wanted);
  /// Calls `on_arrival` when something comes for a reader that had handed out or looked at all it had (HasFetched),
  /// from a thread of the client: it must be quick and must not call the consumer. Empty: calls nothing.
  void NotifyOnArrival(std::function<void()> on_arrival);

  const ClientConfig& config() const;

 private:
  friend class PartitionReader;
  explicit Consumer(std::unique_ptr<NativeClient> client);

  std::unique_ptr<NativeClient> client_;
  std::mutex readers_mutex_;
  std::map<TopicPartition, std::unique_ptr<PartitionReader>> readers_;
  std::mutex arrival_mutex_;
  std::function<void()> on_arrival_;
};

}  // namespace millrace::kafka
